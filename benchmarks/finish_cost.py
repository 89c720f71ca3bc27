"""What a finish costs: render time of a scene with each finish over the same scene with a plain conductor.

Renders the gallery's scene (one part fills the frame) with every finish scheme, and again with its relief, lay and
films taken away; both in turn, in one process, at the same samples, and prints the ratio of processor seconds.
Usage: python benchmarks/finish_cost.py [SAMPLES [FINISH ...]]
"""

from __future__ import annotations

import dataclasses
import statistics
import sys
import tempfile
import time
from pathlib import Path

import bpy

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pipeline.gallery.plan import Tile, plan_gallery  # noqa: E402
from pipeline.graph.stage import Machine  # noqa: E402
from pipeline.graph.stages import _prepare  # noqa: E402
from pipeline.parts.limits import Limits, Tolerance  # noqa: E402
from pipeline.parts.read import read_part  # noqa: E402
from pipeline.records import from_dict, read_json  # noqa: E402
from pipeline.render.blender.scene import build_scene, sample_for_beauty, set_camera  # noqa: E402
from pipeline.render.job import JOB_FILE, RenderJob  # noqa: E402
from pipeline.spec.draw import draw_scene  # noqa: E402
from pipeline.surface.material import MetalMaterial  # noqa: E402

SIZE = (240, 180)
ROUNDS = 2
BAR = 1.25


def plain(material: object) -> object:
    """A metal without relief, lay or film; anything else as it is."""
    if not isinstance(material, MetalMaterial):
        return material
    alpha = material.alpha_across
    return dataclasses.replace(material, alpha_along=alpha, micro_alpha=None, relief=(), film=None)


def seconds(job: RenderJob, folder: Path, samples: int) -> float:
    """Processor seconds of one render of *job*, the making of its Blender scene left out."""
    scene = build_scene(job, folder)
    sample_for_beauty(scene, samples, job.render.seed)
    set_camera(scene, job.bundle.views[0].camera)
    start = time.process_time()
    bpy.ops.render.render(write_still=False)
    return time.process_time() - start


def ratio(tile: Tile, parts: dict, samples: int) -> float:
    """Median over rounds of finished over plain."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _prepare(draw_scene(tile.spec, 0), parts, None, Machine(threads=1), folder)
        job = from_dict(RenderJob, read_json(folder / JOB_FILE))
        bare = dataclasses.replace(job, materials=tuple(plain(material) for material in job.materials))
        pairs = [(seconds(job, folder, samples), seconds(bare, folder, samples)) for _ in range(ROUNDS)]
    return statistics.median(finished / without for finished, without in pairs)


def main() -> None:
    """Measure and print."""
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 16
    only = sys.argv[2:]
    part = read_part(ROOT / "assets/parts/flange.step", units=None, tolerance=Tolerance(), limits=Limits())
    tiles = plan_gallery(ROOT / "scenes/gallery.toml", ("finishes",), SIZE, samples)
    ratios = {}
    for tile in tiles:
        if not only or tile.name in only:
            ratios[tile.name] = ratio(tile, {"flange": part}, samples)
            print(f"{tile.name:24s} {ratios[tile.name]:.2f} (bar {BAR})", flush=True)
    print(f"median {statistics.median(ratios.values()):.2f}, worst {max(ratios.values()):.2f} (bar {BAR})")


if __name__ == "__main__":
    main()
