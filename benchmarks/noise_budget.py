"""The noise budget: the error that `samples = "auto"` expects of a render against the one it has.

For the first scenes of a spec, at a reduced size: the choice, the error of the chosen render (untouched and denoised)
against a render of many more samples with another seed, in the unit of the choice (relative error at metered grey,
as `pipeline.render.noise` weighs pixels), and how fast the denoised error falls from 16 samples to the chosen number.
Usage: python benchmarks/noise_budget.py [--spec SPEC] [--scenes N] [--width PX] [--converged SAMPLES] [--most SAMPLES]
[--tolerated SHARE]
"""

from __future__ import annotations

import argparse
import math
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rendered import REGISTRY, ROOT, bundle_of, workplace_in

from pipeline.bundle import SceneBundle, load_bundle, view_folder
from pipeline.graph.execute import Workplace
from pipeline.graph.plan import Catalog, catalog_of
from pipeline.layers import REC709_LUMINANCE, read_layers
from pipeline.render.noise import DARKEST, GREY_OVER_WHITE, PILOT_SAMPLES, metered_grey
from pipeline.spec.draw import draw_scene
from pipeline.spec.load import load_spec
from pipeline.spec.noise_budget import NoiseBudget
from pipeline.spec.scene import RenderSpec, SceneSpec

OTHER_SEED = 1


def luminances(bundle: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Luminance (h, w) of the first view, untouched and denoised."""
    layers = read_layers(view_folder(bundle, 0))
    untouched, denoised = (layers[name].astype(np.float64) @ REC709_LUMINANCE for name in ("noisy", "combined"))
    return untouched, denoised


def error(picture: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Rms error of *picture* in units of photon noise, clipped pixels left out."""
    grey = metered_grey(truth)
    counted = truth < grey / GREY_OVER_WHITE
    squared = (picture - truth) ** 2 / (grey * (truth + DARKEST * grey))
    return math.sqrt(float(squared[counted].mean()))


def measure(scene: SceneSpec, arguments: argparse.Namespace, catalog: Catalog, workplace: Workplace) -> None:
    """Measure one scene and print its line."""
    budget = NoiseBudget(PILOT_SAMPLES // 2, arguments.most, arguments.tolerated)
    auto = replace(scene.render, samples=arguments.most, budget=budget)

    def rendered(render: RenderSpec) -> Path:
        return bundle_of(replace(scene, render=render), catalog, workplace)

    chosen = rendered(auto)
    bundle: SceneBundle = load_bundle(chosen)
    choice = bundle.samples_choice
    assert choice is not None
    by_hand = replace(scene.render, budget=None)
    truth_spec = replace(by_hand, samples=arguments.converged, seed=OTHER_SEED)
    truth, _ = luminances(rendered(truth_spec))
    pilot = luminances(rendered(replace(by_hand, samples=PILOT_SAMPLES)))
    errors = [error(picture, truth) for picture in luminances(chosen)]
    first = [error(picture, truth) for picture in pilot]
    octaves = math.log2(max(choice.samples / PILOT_SAMPLES, 1.0))
    falls = [2 * math.log2(a / b) / octaves if octaves else math.nan for a, b in zip(first, errors, strict=True)]
    print(
        f"{scene.scene_id} under {scene.rigs[0].name}: tolerated {choice.tolerated:.2%}, samples {choice.samples} "
        f"(wanted {choice.wanted}); untouched expected {choice.untouched:.2%}, measured {errors[0]:.2%}; denoised "
        f"expected {choice.denoised:.2%}, measured {errors[1]:.2%}; squared error falls with n^-{falls[0]:.2f} "
        f"untouched, n^-{falls[1]:.2f} denoised",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", type=Path, default=ROOT / "scenes" / "quickstart.toml")
    parser.add_argument("--scenes", type=int, default=3)
    parser.add_argument("--width", type=int, default=160)
    parser.add_argument("--converged", type=int, default=2048)
    parser.add_argument("--most", type=int, default=256)
    parser.add_argument("--tolerated", type=float, help="relative noise at grey instead of that of the planned photos")
    arguments = parser.parse_args()
    spec = load_spec(arguments.spec)
    catalog = catalog_of(spec, REGISTRY)
    with tempfile.TemporaryDirectory() as folder:
        workplace = workplace_in(Path(folder))
        for index in range(arguments.scenes):
            scene = draw_scene(spec, index)
            scale = arguments.width / scene.cameras[0].width
            cameras = tuple(
                replace(camera, width=arguments.width, height=round(camera.height * scale)) for camera in scene.cameras
            )
            measure(replace(scene, cameras=cameras), arguments, catalog, workplace)


if __name__ == "__main__":
    main()
