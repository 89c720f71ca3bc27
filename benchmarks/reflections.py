"""Reflection truth: seconds of all its renders and layers over those of the beauty render of the same view.

Renders the first view of the first quickstart scene, by default at 1024 x 768 and 128 samples, where the bar of 15 %
holds; fewer samples and pixels give a larger ratio, because some costs are fixed. Renders and photons use all cores,
the rest one. Usage: python benchmarks/reflections.py [--samples N] [--width PX]
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from rendered import REGISTRY, ROOT, bundle_of, workplace_in

from pipeline.graph.plan import catalog_of
from pipeline.reflect.cast_light import cast_light_rows
from pipeline.reflect.decomposition import decompose_views
from pipeline.reflect.mirror_images import mirror_image_rows
from pipeline.reflect.reflections import reflection_rows
from pipeline.reflect.view_truth import edge_rows
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
        made = dict(_timed(bundle, Path(folder) / "truth"))
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    beauty = numbers["beauty_seconds"]
    parts = {
        "probe, direct light, rough rays": numbers["probe_seconds"],
        "cast light": numbers["cast_light_seconds"],
        **made,
    }
    print(f"{chosen.width} x {height}, {chosen.samples} samples: beauty {beauty:.1f} s")
    for name, seconds in parts.items():
        print(f"{name}: {seconds:.1f} s, {seconds / beauty:.3f} of it")
    print(f"together {sum(parts.values()) / beauty:.3f} of the beauty render (bar {BAR}); {grown:.0f} MiB more memory")


def _timed(bundle: Path, out: Path) -> Iterator[tuple[str, float]]:
    """Name and seconds of what the truth stage makes of the reflections in *bundle*."""
    work: dict[str, Callable[[], object]] = {
        "table of reflections": lambda: reflection_rows(bundle),
        "mirror images": lambda: mirror_image_rows(bundle),
        "patches of cast light": lambda: cast_light_rows(bundle),
        "decomposition": lambda: decompose_views(bundle, out),
        "edges": lambda: edge_rows(bundle, [], out),
    }
    for name, make in work.items():
        start = time.perf_counter()
        make()
        yield name, time.perf_counter() - start


if __name__ == "__main__":
    main()
