"""The render child's loop: jobs come as JSON lines on stdin, replies go as JSON lines to the reply descriptor.

A request is {"job": folder, "out": folder}; a reply is {"ok": true, "seconds": {...}, "peak_rss_bytes": n,
"rss_bytes": n} or {"ok": false, "error": "...", "kind": "..."}. Blender chats on stdout, so the launcher reads replies
from a descriptor of their own. The child ends at the end of its stdin.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from pipeline.bundle import BUNDLE_FILE, WORLD_LABELS_FILE, view_folder
from pipeline.records import from_dict, read_json, to_dict, write_json
from pipeline.render.job import JOB_FILE, RenderJob

PR_SET_PDEATHSIG = 1
"""From Linux's prctl(2)."""


def render_scene(job_folder: Path, out: Path) -> dict[str, float]:
    """Render every view of the job in *job_folder* and write the bundle into *out*. Returns named seconds."""
    import bpy

    from pipeline.render.blender.pilot import choose
    from pipeline.render.blender.scene import build_scene
    from pipeline.render.blender.view import ViewRenderer

    start = time.perf_counter()
    job = from_dict(RenderJob, read_json(job_folder / JOB_FILE))
    scene = build_scene(job, job_folder)
    seconds = {"build_seconds": time.perf_counter() - start, "beauty_seconds": 0.0, "probe_seconds": 0.0}
    seconds["files_seconds"] = 0.0
    scratch = Path(tempfile.mkdtemp(prefix="frames-", dir=job_folder))
    renderer = ViewRenderer(scene, job, scratch)
    choice = None
    if job.render.budget is not None:
        choice = choose(renderer, job.bundle.views, job.render.budget)
        renderer.samples = choice.samples
        seconds["pilot_seconds"] = time.perf_counter() - start - seconds["build_seconds"]
    sums = []
    for view in job.bundle.views:
        folder = view_folder(out, view.view_index)
        folder.mkdir(parents=True)
        times, light_sum = renderer.render(view, folder)
        sums.append(light_sum)
        seconds["beauty_seconds"] += times.beauty
        seconds["probe_seconds"] += times.probe
        seconds["files_seconds"] += times.files
    shutil.rmtree(scratch)
    if job.bundle.world is not None:
        shutil.copyfile(job_folder / WORLD_LABELS_FILE, out / WORLD_LABELS_FILE)
    bundle = dataclasses.replace(
        job.bundle,
        blender=bpy.app.version_string,
        samples=renderer.samples,
        light_sums=tuple(sums),
        samples_choice=choice,
    )
    write_json(out / BUNDLE_FILE, to_dict(bundle))
    return seconds


def _answer(request: dict[str, str]) -> dict[str, Any]:
    _forget_peak()
    try:
        seconds = render_scene(Path(request["job"]), Path(request["out"]))
    except Exception as error:  # the boundary of the process: every failure becomes a reply
        traceback.print_exc()
        return {"ok": False, "kind": type(error).__name__, "error": str(error) or type(error).__name__}
    peak, now = _memory()
    return {"ok": True, "seconds": seconds, "peak_rss_bytes": peak, "rss_bytes": now}


def _forget_peak() -> None:
    """Start the peak of resident memory anew, so that each scene has its own (Linux, proc(5) clear_refs)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _memory() -> tuple[int, int]:
    """Peak and present resident memory of this process, bytes."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return peak, peak
    sizes = dict(line.split(":", 1) for line in lines if line.startswith(("VmHWM", "VmRSS")))
    return int(sizes["VmHWM"].split()[0]) * 1024, int(sizes["VmRSS"].split()[0]) * 1024


def _die_with_parent(parent: int) -> None:
    """Ask Linux to kill this process when its parent dies, however it dies; a render must not outlive its build."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent is gone")


def main() -> None:
    """Serve jobs until stdin ends. Arguments: the descriptor for replies, the parent's process id."""
    _die_with_parent(int(sys.argv[2]))
    replies = os.fdopen(int(sys.argv[1]), "w", encoding="utf-8", buffering=1)
    for line in sys.stdin:
        replies.write(json.dumps(_answer(json.loads(line))) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
