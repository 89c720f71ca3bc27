"""The reading process: `python -m pipeline.parts.child JOB.json`.

Covers: limiting itself, reading one file, and leaving a part and a status behind. Started by `read` only; it prints
nothing on purpose, what its libraries print goes to the caller's log file.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import InputError
from pipeline.parts.limits import Limits, Tolerance
from pipeline.parts.part import Part, save_part
from pipeline.records import from_dict, read_json, sha256_bytes, write_json

STATUS_FILE = "status.json"


@dataclass(frozen=True)
class Job:
    """One file to read."""

    path: str
    units: str | None
    tolerance: Tolerance
    limits: Limits
    out: str
    """Existing folder for the part and the status; unused by `read_here`."""


@dataclass(frozen=True)
class Status:
    """How the reading went."""

    outcome: str
    """"done", "refused" or "memory"."""
    message: str


def main(job_file: Path) -> None:
    """Do the job and write its status; exceptions that are nobody's input go up, with a traceback in the log."""
    job = from_dict(Job, read_json(job_file))
    _limit_self(job.limits)
    try:
        save_part(read_here(job), Path(job.out))
        status = Status("done", "")
    except InputError as error:
        status = Status("refused", str(error))
    except MemoryError:
        status = Status("memory", "")
    write_json(Path(job.out) / STATUS_FILE, status)


def _limit_self(limits: Limits) -> None:
    """Bound the address space, and the processor time as well in case the parent is no longer there to stop us."""
    try:
        import resource
    except ImportError:  # not on this platform: the parent's time limit remains
        return
    for kind, wanted in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, int(limits.seconds) + 30),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def read_here(job: Job) -> Part:
    """Read the job's file in this process, with nothing but the triangle limit. Raises InputError."""
    from pipeline.parts.assemble import Origin, build_part
    from pipeline.parts.body import Reading
    from pipeline.parts.container import LengthUnit, file_format, read_iges_unit, read_step_contents

    path = Path(job.path)
    data = path.read_bytes()
    name = file_format(path.suffix)
    reading: Reading
    unit: LengthUnit
    if name in ("step", "iges"):
        from pipeline.parts.brep import read_brep

        contents = read_step_contents(data, job.units) if name == "step" else read_iges_unit(data, job.units)
        unit = contents if isinstance(contents, LengthUnit) else contents.unit
        reading = read_brep(data, contents, job.tolerance, job.limits)
    else:
        from pipeline.parts.meshes import read_mesh

        reading, unit = read_mesh(data, name, job.units, job.limits)
    return build_part(reading, Origin(path, sha256_bytes(data), name, unit))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
