"""Read a CAD file or mesh into a Part, in a process of its own.

Covers: starting, watching and stopping the reading process (`child`), and turning whatever happens to it into a Part or
one clear error. CAD kernels hang, crash and print; none of that reaches the caller. Does not cover: the reading itself.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import pipeline
from pipeline.errors import EnvironmentProblem, InputError
from pipeline.parts.child import STATUS_FILE, Job, Status
from pipeline.parts.container import file_format
from pipeline.parts.limits import Limits, Tolerance
from pipeline.parts.part import Part, load_part
from pipeline.records import from_dict, read_json, write_json

__all__ = ["Limits", "Tolerance", "read_part"]

_POLL_SECONDS: Final = 0.05
_FULL: Final = 0.5
"""A crash with this share of the memory limit in use in use was caused by it: arrays grow by doubling."""
_NOTHING_LEFT_BYTES: Final = 64 * 1024
_OUT_OF_MEMORY: Final = ("bad_alloc", "MemoryError", "Cannot allocate memory", "Unable to allocate")


def read_part(path: Path, *, units: str | None, tolerance: Tolerance, limits: Limits) -> Part:
    """Read *path* (STEP, IGES, STL, OBJ, PLY, GLB or 3MF) as a Part in metres.

    *units* names the length unit of a file that carries none ("mm", "inch", ...; None assumes millimetres); it must not
    contradict a file that does. Raises InputError when the file cannot be a part or exceeds *limits*, and
    EnvironmentProblem when the reading process cannot be started. The error names the file. Same file, same part.
    """
    _check_file(path)
    with tempfile.TemporaryDirectory(prefix="glint-part-") as folder:
        out = Path(folder)
        write_json(out / "job.json", Job(str(path.resolve()), units, tolerance, limits, str(out)))
        try:
            _run_child(out, limits)
        except InputError as error:
            raise InputError(f"{path.name}: {error}") from None
        return load_part(out)


def _check_file(path: Path) -> None:
    """What can be said without a process. Raises InputError."""
    if not path.is_file():
        found = "a folder" if path.is_dir() else "nothing"
        raise InputError(f"{path}: expected a CAD file, found {found}; check the path")
    try:
        file_format(path.suffix)
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from None
    if path.stat().st_size == 0:
        raise InputError(f"{path.name}: the file is empty (0 bytes); copy or export it again")


def _run_child(out: Path, limits: Limits) -> None:
    """Run the reading process to its end. Raises InputError when no part comes of it."""
    command = [sys.executable, "-m", "pipeline.parts.child", str(out / "job.json")]
    with (out / "log.txt").open("wb") as log:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=_environment()
            )
        except OSError as error:
            raise EnvironmentProblem(f"cannot start a process to read CAD files: {error}") from error
        try:
            peak = _watch(process, limits)
        finally:
            _stop(process)
    _judge(out, process.returncode, peak, limits)


def _watch(process: subprocess.Popen[bytes], limits: Limits) -> int:
    """Wait for the process; return the largest address space seen, bytes. Raises InputError when its time is over."""
    end, peak = time.monotonic() + limits.seconds, 0
    while True:
        peak = max(peak, _address_space(process.pid))
        try:
            process.wait(max(0.0, min(_POLL_SECONDS, end - time.monotonic())))
            return peak
        except subprocess.TimeoutExpired:
            if time.monotonic() >= end:
                raise InputError(
                    f"reading took longer than the limit of {limits.seconds:g} s and was stopped; simplify the model "
                    "(remove hidden parts, threads, text), ask for a coarser tolerance, or raise the time limit"
                ) from None


def _address_space(pid: int) -> int:
    """Peak address space of a process in bytes; 0 where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    found = re.search(r"VmPeak:\s+(\d+) kB", status)
    return int(found.group(1)) * 1024 if found else 0


def _environment() -> dict[str, str]:
    """One thread, so that results and address space do not depend on the machine; this package, wherever we run."""
    above = str(Path(pipeline.__file__).resolve().parent.parent)
    known = os.environ.get("PYTHONPATH")
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([above, known] if known else [above]),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
    }


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Kill whatever is left of the process group, and reap it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _judge(out: Path, code: int, peak: int, limits: Limits) -> None:
    """Turn the end of the process into nothing, or into an InputError; EnvironmentProblem when its disk is full."""
    log = (out / "log.txt").read_text(encoding="utf-8", errors="replace")
    status = from_dict(Status, read_json(out / STATUS_FILE)) if (out / STATUS_FILE).is_file() else None
    if status is not None and status.outcome == "done":
        return
    if status is not None and status.outcome == "refused":
        raise InputError(status.message)
    crashed_full = code < 0 and peak > _FULL * limits.memory_bytes  # the kernel does not check what malloc gave it
    if status is not None or crashed_full or any(word in log for word in _OUT_OF_MEMORY):
        raise InputError(
            f"reading needed more than the limit of {limits.memory_bytes / 2**30:.3g} GiB of memory; check the file's "
            "length unit, ask for a coarser tolerance, simplify the model, or raise the memory limit"
        )
    free = shutil.disk_usage(out).free
    if free < _NOTHING_LEFT_BYTES:
        raise EnvironmentProblem(
            f"expected room for temporary files in {out.parent}, found a full disk ({free / 2**20:.1f} MiB free); free "
            "some space there, or set TMPDIR to another folder, and run the same command again"
        )
    last = " | ".join(line.strip() for line in log.splitlines() if line.strip()[:1])[-400:]
    how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
    raise InputError(
        f"the CAD reader {how} on this file; open it in a CAD program and export it again as STEP AP214 or AP242"
        + (f" (last output: {last})" if last else "")
    )
