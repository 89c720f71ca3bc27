"""Developing: processor seconds of one core and peak memory for one 1024 x 768 photo from a bundle of six light groups,
reading included; and the size of the bundle's files over that of raw half floats.

Renders the first scene of the quickstart spec that has six light groups (or takes a bundle that is there), then
develops one photo, several times over, in a process of one thread. Usage:
python benchmarks/develop.py [--bundle FOLDER] [--samples N] [--width PX] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from rendered import REGISTRY, ROOT, bundle_of, workplace_in

from pipeline.bundle import SCENE_FILE, load_bundle, view_folder
from pipeline.dataset.keep import TRUTH_FILES
from pipeline.graph.plan import catalog_of
from pipeline.layers import LIGHT_FILE, TERMS_FILE, read_parts
from pipeline.records import from_dict, read_json
from pipeline.spec.draw import draw_scene
from pipeline.spec.load import load_spec
from pipeline.spec.scene import SceneSpec

SPEC = ROOT / "scenes" / "quickstart.toml"
GROUPS = 6
BARS_S = {"png": 0.5, "jpeg": 0.35}
BAR_MIB = 600
BAR_SIZE = 0.40
REPEATS = 5
TRUTH_CHANNELS = 17
"""Channels of the exact layers: depth 1, normal 3, position 3, mirror probe 6, ids 4."""


def drawn_scene(samples: int, width: int) -> SceneSpec:
    """The first scene of SPEC with GROUPS light groups, at another size and number of samples."""
    spec = load_spec(SPEC)
    for index in range(spec.dataset.scenes):
        scene = draw_scene(spec, index)
        if len(scene.photos[1].light_weights) >= GROUPS:
            cameras = tuple(
                replace(camera, width=width, height=round(camera.height * width / camera.width))
                for camera in scene.cameras
            )
            return replace(scene, cameras=cameras, render=replace(scene.render, samples=samples))
    raise RuntimeError(f"expected a scene with {GROUPS} light groups in {SPEC}, found none")


def sizes(bundle: Path) -> None:
    """Print the bytes of a bundle's files over what raw half floats of all their channels would take."""
    view = load_bundle(bundle).views[0]
    folder, pixels = view_folder(bundle, 0), view.camera.width * view.camera.height
    radiance = (LIGHT_FILE, TERMS_FILE)
    channels = {file: sum(part.shape[2] for part in read_parts(folder / file).values()) for file in radiance}
    found = {name: (folder / name).stat().st_size for name in {*radiance, *TRUTH_FILES}}
    exact = sum(found[name] for name in TRUTH_FILES)
    lines = [(f"{file}, {channels[file]} channels", found[file], channels[file]) for file in radiance]
    lines.append((f"exact layers, {TRUTH_CHANNELS} channels", exact, TRUTH_CHANNELS))
    lines.append(("all files", sum(found.values()), sum(channels.values()) + TRUTH_CHANNELS))
    for name, size, count in lines:
        print(f"{name}: {size / 2**20:.1f} MiB, {size / (2 * pixels * count):.3f} of raw half floats")
    print(f"bar: at most {BAR_SIZE}")


def develop(bundle: Path, image_format: str, out: Path) -> None:
    """Develop one photo again and again in this process, and print the figures as JSON."""
    import cv2
    import OpenImageIO as oiio

    from pipeline.camera.develop import develop_photos

    cv2.setNumThreads(1)
    oiio.attribute("threads", 1)
    scene = from_dict(SceneSpec, read_json(bundle / SCENE_FILE))
    spec = load_spec(SPEC)
    photo = replace(draw_scene(spec, scene.index).photos[1], image_format=image_format)
    seconds = []
    for _ in range(REPEATS):
        start = time.process_time()
        develop_photos(replace(scene, photos=(photo,)), bundle, out)
        seconds.append(time.process_time() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": sorted(seconds), "peak_mib": peak}))


def measure(bundle: Path) -> None:
    """Print the figures of each format, each from a process of its own."""
    sizes(bundle)
    for image_format, bar in BARS_S.items():
        with tempfile.TemporaryDirectory() as out:
            command = [sys.executable, __file__, "--bundle", str(bundle), "--photo", image_format, "--keep", out]
            line = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
        found = json.loads(line)
        best, median = found["seconds"][0], found["seconds"][REPEATS // 2]
        print(
            f"{image_format}: {best:.2f} s of one core at best, median {median:.2f} s (bar {bar} s); peak "
            f"{found['peak_mib']:.0f} MiB (bar {BAR_MIB} MiB)"
        )


def main() -> None:
    """Render if need be, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--keep", type=Path, help="folder for the render; a temporary one otherwise")
    parser.add_argument("--photo", choices=tuple(BARS_S), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.photo:
        develop(arguments.bundle, arguments.photo, arguments.keep)
    elif arguments.bundle:
        measure(arguments.bundle)
    else:
        with tempfile.TemporaryDirectory() as temporary:
            folder = arguments.keep or Path(temporary)
            scene = drawn_scene(arguments.samples, arguments.width)
            measure(bundle_of(scene, catalog_of(load_spec(SPEC), REGISTRY), workplace_in(folder)))


if __name__ == "__main__":
    main()
