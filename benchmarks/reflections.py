"""Reflection truth: seconds of its renders and of the decomposition over those of the beauty render of the same view.

Renders the first view of the first quickstart scene, by default at 1024 x 768 and 128 samples, where the bar of 15 %
holds; fewer samples and pixels give a larger ratio, because some costs are fixed. Usage:
python benchmarks/reflections.py [--samples N] [--width PX]
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from rendered import REGISTRY, ROOT, bundle_of, workplace_in

from pipeline.graph.plan import catalog_of
from pipeline.reflect.decomposition import decompose_views
from pipeline.spec.draw import draw_scene
from pipeline.spec.load import load_spec

SPEC = ROOT / "scenes" / "quickstart.toml"
BAR = 0.15


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=128)
    parser.add_argument("--width", type=int, default=1024)
    chosen = parser.parse_args()
    spec = load_spec(SPEC)
    scene = draw_scene(spec, 0)
    height = round(chosen.width * 3 / 4)
    cameras = tuple(replace(camera, width=chosen.width, height=height) for camera in scene.cameras[:1])
    scene = replace(scene, cameras=cameras, twins=False, render=replace(scene.render, samples=chosen.samples))
    with tempfile.TemporaryDirectory() as folder:
        bundle = bundle_of(scene, catalog_of(spec, REGISTRY), workplace_in(Path(folder) / "dataset"))
        numbers = json.loads((bundle / "record.json").read_text())["numbers"]
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        decompose_views(bundle, Path(folder) / "truth")
        fit = time.perf_counter() - start
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    beauty, renders = numbers["beauty_seconds"], numbers["probe_seconds"]
    print(f"{chosen.width} x {height}, {chosen.samples} samples: beauty {beauty:.1f} s")
    print(f"probe, direct light, rough rays: {renders:.1f} s, {renders / beauty:.3f} of it")
    print(f"decomposition: {fit:.1f} s, {fit / beauty:.3f} of it; {grown:.0f} MiB more memory")
    print(f"together {(renders + fit) / beauty:.3f} of the beauty render; all reflection truth may take {BAR}")


if __name__ == "__main__":
    main()
