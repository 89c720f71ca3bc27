"""PaintedSpec: which painted pictures a scene uses, as it was drawn.

Covers: the records. Does not cover: the keys of a spec file (`painted_section`), drawing (`draw_painted`), painting
(`transfer.paint`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.spec.transfer import SchedulerName

PaintedKind = Literal["surface", "backdrop"]


@dataclass(frozen=True)
class PaintingSpec:
    """How pictures are painted from prompts alone."""

    model: str
    """Name of the checkpoint among the models of the machine."""
    negative_prompt: str
    width: int
    height: int
    """Pixels."""
    steps: int
    guidance: float
    scheduler: SchedulerName


@dataclass(frozen=True)
class PaintRequest:
    """What a machine is asked whether it can paint."""

    painting: PaintingSpec
    prompts: dict[str, str]
    """Name of pictures -> their prompt."""


@dataclass(frozen=True)
class PaintedPicture:
    """One picture: number *number* of those that the spec calls *name*."""

    name: str
    number: int
    prompt: str
    seed: int
    """0 to 2**63 - 1."""
    width_m: float
    """Metres that the picture's width spans in the scene; beyond, it goes on mirrored."""

    @property
    def picture_id(self) -> str:
        """For example "bench-3"."""
        return f"{self.name}-{self.number}"


@dataclass(frozen=True)
class PaintedSpec:
    """The painted pictures of a scene; at least one."""

    painting: PaintingSpec
    surface: PaintedPicture | None
    """Lies on the table, in place of its drawn look."""
    backdrop: PaintedPicture | None
    """Stands behind the parts, before every camera."""

    def pictures(self) -> dict[PaintedKind, PaintedPicture]:
        """Those that are there, by kind."""
        found: dict[PaintedKind, PaintedPicture] = {}
        if self.surface is not None:
            found["surface"] = self.surface
        if self.backdrop is not None:
            found["backdrop"] = self.backdrop
        return found
