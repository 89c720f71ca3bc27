"""Bare Cycles: how long path tracing alone takes for the frames of a dataset spec.

Renders the first scenes of a spec with Blender directly: combined pass alone, no denoiser, no light groups, no files.
Each frame is rendered at one sample and at the spec's samples; the difference, scaled to all samples, is the sampling
time without scene synchronisation. Run by `overhead.py`, in a process of its own; prints one JSON line.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import bpy

from pipeline.graph.plan import catalog_of, plan_build
from pipeline.graph.stage import Machine
from pipeline.graph.stages import _prepare
from pipeline.parts.part import load_part
from pipeline.records import from_dict, read_json
from pipeline.render.blender.scene import build_scene, sample_for_beauty, set_camera
from pipeline.render.job import JOB_FILE, RenderJob
from pipeline.spec.load import load_spec


def seconds_of_frame(scene: bpy.types.Scene, samples: int) -> float:
    """Wall seconds of one render call."""
    scene.cycles.samples = samples
    start = time.perf_counter()
    bpy.ops.render.render(write_still=False)
    return time.perf_counter() - start


def measure(spec_path: Path, limit: int, threads: int, dataset: Path) -> dict[str, float]:
    """Sampling seconds and whole render-call seconds of the first *limit* scenes; parts come from *dataset*'s store."""
    spec = load_spec(spec_path)
    catalog = catalog_of(spec, "pipeline.graph.stages:STAGES")
    sampling = calls = 0.0
    frames = 0
    for plan in plan_build(spec, catalog, limit):
        parts = {part_id: load_part(dataset / "store" / "part" / key[:2] / key) for part_id, key in plan.parts.items()}
        with tempfile.TemporaryDirectory() as folder:
            _prepare(plan.scene, parts, Machine(threads=threads), Path(folder))
            job = from_dict(RenderJob, read_json(Path(folder) / JOB_FILE))
            scene = build_scene(job, Path(folder))
        sample_for_beauty(scene, job.render.samples, job.render.seed)
        scene.cycles.use_denoising = False
        for view in job.bundle.views:
            set_camera(scene, view.camera)
            one = seconds_of_frame(scene, 1)
            full = seconds_of_frame(scene, job.render.samples)
            sampling += (full - one) * job.render.samples / (job.render.samples - 1)
            calls += full
            frames += 1
    return {"sampling_seconds": sampling, "render_call_seconds": calls, "frames": frames}


if __name__ == "__main__":
    spec_file, scenes, thread_count, dataset_folder, reply = sys.argv[1:]
    result = measure(Path(spec_file), int(scenes), int(thread_count), Path(dataset_folder))
    Path(reply).write_text(json.dumps(result))
