"""Starting render children and talking to them.

Covers: one long-lived child per process of ours, its environment, time limit, replacement before it grows, and its
end together with its parent. Does not cover: what it renders (`job`), how (`blender/`). Imports no Blender.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from pipeline.errors import EnvironmentProblem, StageFailed

MAX_SCENES: Final = 40
"""A child is replaced after so many scenes: Blender keeps a little of each."""
MAX_RSS_BYTES: Final = 1_200 * 2**20
"""A child that still holds more than this after a scene is replaced before its next one."""
LOG_TAIL_CHARS: Final = 1500


@dataclass(frozen=True)
class RenderReport:
    """What one scene cost."""

    seconds: dict[str, float]
    """build_seconds, beauty_seconds, probe_seconds, files_seconds of the child; render_seconds as seen from here."""
    peak_rss_bytes: int


def require_blender() -> None:
    """Raise EnvironmentProblem when this Python has no bpy."""
    if importlib.util.find_spec("bpy") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise EnvironmentProblem(
            f"rendering needs Blender as a Python module (bpy): expected Python 3.13 with bpy 5.2 or Python 3.11 with "
            f"bpy 4.5, found Python {version} without bpy; use one of these Pythons and run `make demo` again"
        )


class RenderChild:
    """One process that imports bpy and renders scenes one after the other."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.scenes = 0
        self.rss_bytes = 0
        self._log = tempfile.TemporaryFile(mode="w+b", prefix="glint-render-")  # noqa: SIM115 - lives with the child
        # Blender makes a temporary folder that a killed process cannot remove; in ours it goes with the child.
        self._temporary = tempfile.TemporaryDirectory(prefix="glint-blender-", ignore_cleanup_errors=True)
        replies, child_end = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pipeline.render.blender", str(child_end), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=self._log,
                stderr=self._log,
                pass_fds=(child_end,),
                start_new_session=True,
                env=_child_environment(threads, self._temporary.name),
            )
        finally:
            os.close(child_end)
        self._requests = cast("BinaryIO", self._process.stdin)
        self._replies = os.fdopen(replies, "rb", buffering=0)

    @property
    def pid(self) -> int:
        """Process id, which is also the id of the child's process group."""
        return self._process.pid

    def worn_out(self) -> bool:
        """Whether this child should be replaced before its next scene."""
        return self.scenes >= MAX_SCENES or self.rss_bytes > MAX_RSS_BYTES or self._process.poll() is not None

    def render(self, job_folder: Path, out: Path, timeout_s: float) -> RenderReport:
        """Render one job. Raises StageFailed when the child fails, dies or is killed for running past *timeout_s*."""
        start = time.perf_counter()
        request = json.dumps({"job": str(job_folder), "out": str(out)}) + "\n"
        try:
            self._requests.write(request.encode())
            self._requests.flush()
        except BrokenPipeError:
            raise self._died() from None
        reply = self._read_reply(timeout_s)
        self.scenes += 1
        if not reply["ok"]:
            self.stop()  # its Blender state is unknown now
            raise StageFailed(f"the render child failed with {reply['kind']}: {reply['error']}")
        self.rss_bytes = reply["rss_bytes"]
        seconds = {**reply["seconds"], "render_seconds": time.perf_counter() - start}
        return RenderReport(seconds, reply["peak_rss_bytes"])

    def _read_reply(self, timeout_s: float) -> dict[str, Any]:
        deadline = time.monotonic() + timeout_s
        received = b""
        while not received.endswith(b"\n"):
            ready, _, _ = select.select([self._replies], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                self.stop()
                raise StageFailed(f"the render ran past its limit of {timeout_s:g} s and was stopped")
            block = self._replies.read(65536)
            if not block:
                raise self._died()
            received += block
        reply: dict[str, Any] = json.loads(received)
        return reply

    def _died(self) -> StageFailed:
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            code = None
        self.stop()
        how = f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"
        return StageFailed(f"the render child died ({how}). Its last words:\n{self._last_words()}")

    def _last_words(self) -> str:
        self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, self._log.tell() - LOG_TAIL_CHARS))
        return self._log.read().decode(errors="replace").strip() or "(none)"

    def stop(self) -> None:
        """Kill the child's whole process group, if it still lives."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        with contextlib.suppress(OSError):
            self._replies.close()
        self._temporary.cleanup()


def _child_environment(threads: int, temporary: str) -> dict[str, str]:
    """The parent's environment with our thread count (Dask's nanny sets 1), thrift, and this checkout importable."""
    root = str(Path(__file__).parents[2])
    environment = dict(os.environ)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        environment[name] = str(threads)
    # Blender frees image buffers between its steps; glibc would keep them, a quarter of the peak (measured).
    environment["MALLOC_MMAP_THRESHOLD_"] = environment["MALLOC_TRIM_THRESHOLD_"] = "1048576"
    environment["TMPDIR"] = temporary
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, environment.get("PYTHONPATH")]))
    return environment


_children: dict[int, RenderChild] = {}
_lock = threading.Lock()


def render_in_child(job_folder: Path, out: Path, threads: int, timeout_s: float) -> RenderReport:
    """Render one job in this process's child, which is started or replaced as needed. One render at a time.

    Raises StageFailed (the render) or EnvironmentProblem (no Blender).
    """
    require_blender()
    with _lock:
        child = _children.get(threads)
        if child is not None and child.worn_out():
            child.stop()
            child = None
        if child is None:
            child = _children[threads] = RenderChild(threads)
        try:
            return child.render(job_folder, out, timeout_s)
        except StageFailed:
            _children.pop(threads, None)
            raise


def stop_children() -> None:
    """Kill every render child of this process at once, without waiting for renders under way."""
    for child in list(_children.values()):
        child.stop()
    _children.clear()


atexit.register(stop_children)
