"""What a stage is, and the actions a build is made of.

A stage turns fields and input folders into one output folder. It knows nothing of the store, of Dask or of other
stages; the driver hands it folders. Does not cover: keys (`keys`), planning (`plan`), running (`driver`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Protocol

Resource = Literal["cpu", "render", "gpu"]
"""What an action occupies while it runs; a machine has a number of slots of each."""
PART_ROLE: Final = "part:"
"""How the roles begin that parts play for the stages that need them, for example "part:flange"."""


@dataclass(frozen=True)
class Machine:
    """Settings of this machine: never part of a spec or a key."""

    threads: int
    """Threads that one render may use."""
    scratch: Path | None = None
    """Folder for files that live only while a stage runs; None = the system's temporary folder."""
    render_timeout_s: float = 3600.0
    part_timeout_s: float = 120.0
    part_memory_bytes: int = 4 * 2**30
    device: str = "auto"
    """Where networks run: "auto", "cpu" or "cuda:N"."""
    dtype: str = "auto"
    """Number format of networks: "auto", "float32", "bfloat16" or "float16"."""
    batch: int | None = None
    """Photos per network call; None = as suits the device."""


@dataclass(frozen=True)
class Input:
    """Another action's output, by the role it plays here."""

    role: str
    stage: str
    key: str


@dataclass(frozen=True)
class Action:
    """One run of one stage. Its key says which: equal keys mean equal outputs."""

    stage: str
    key: str
    label: str
    """For people: the scene id, or the part's name."""
    fields: Mapping[str, Any]
    """Plain JSON values: everything that the stage reads apart from its inputs."""
    inputs: tuple[Input, ...]
    resource: Resource
    files: Mapping[str, str] = field(default_factory=dict)
    """Role -> path on this machine of an input that no action makes (a CAD file). Its SHA-256 is among the fields, so
    the path is not part of the key; the stage finds it in `inputs` under its role."""


@dataclass(frozen=True)
class RunReport:
    """What a stage says about its own run; goes into record.json, never into a key."""

    numbers: Mapping[str, float]
    """Named measurements, for example {"render_seconds": 11.2, "peak_memory_bytes": 6.1e8}."""
    notes: tuple[str, ...] = ()


class Stage(Protocol):
    """A step of the pipeline."""

    name: str
    version: int
    """Raised by hand when the same input would give another output."""
    resource: Resource

    def tools(self) -> Mapping[str, str]:
        """Versions of the tools whose change would change the output, for the key."""
        ...

    def run(self, fields: Mapping[str, Any], inputs: Mapping[str, Path], out: Path, machine: Machine) -> RunReport:
        """Write the output into the empty folder *out*. Raises GlintError (or anything) when it cannot."""
        ...
