"""Noise of the caustics that polished metal throws on a white table, at the nightly spec's samples.

Renders a polished ring and ball on a white table under some rigs, at 128 samples (noisy and denoised) and converged,
and prints the relative root-mean-square error where light from the metal gives the table at least a tenth of white.
Usage: python benchmarks/caustics.py [SAMPLES [REFERENCE_SAMPLES]]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import trimesh
from numpy.typing import NDArray

from pipeline import bundle
from pipeline.arrange.arrangement import Arrangement, PlacedCamera, SupportMesh
from pipeline.bundle import BundleObject, BundleView, SceneBundle
from pipeline.layers import read_layers
from pipeline.light.illuminate import illuminate
from pipeline.records import to_dict, write_json
from pipeline.render.job import JOB_FILE, RenderJob, _all_groups, _Assembler
from pipeline.render.launch import render_in_child
from pipeline.spec.scene import ArrangementSpec, RenderSpec, RigSpec, SceneSpec, SurroundingsSpec
from pipeline.surface.material import MetalMaterial, PlainMaterial
from pipeline.surface.metals import metal

RIGS = ("studio_softboxes", "vision_bars", "bar", "dark_field_ring", "dome", "ring", "ring_flash", "photometric_8")
WIDTH, HEIGHT = 128, 96
FAINTEST = 0.1
"""Share of white below which light from the metal does not count as a caustic."""


def scene(samples: int, seed: int) -> SceneSpec:
    """A scene under RIGS with no surroundings' light."""
    return SceneSpec(
        schema_version=2,
        dataset="caustics",
        index=0,
        scene_id="caustics-000000",
        seed=seed,
        split="test",
        items=(),
        arrangement=ArrangementSpec("table", "white", 0.01, 1),
        rigs=tuple(RigSpec(name, 0.3, 1.0) for name in RIGS),
        surroundings=SurroundingsSpec("wheel_studio", 0.0, 0.0),
        cameras=(),
        twins=False,
        render=RenderSpec(samples, True, seed),
        photos=(),
    )


def camera() -> PlacedCamera:
    """A camera 0.4 m away, 55 degrees above the table."""
    down = np.array([0.0, 0.4 * np.cos(0.96), -0.4 * np.sin(0.96)])
    forward = down / np.linalg.norm(down)
    pose = np.eye(4)
    pose[:3, :3] = [(1.0, 0.0, 0.0), np.cross(forward, (1.0, 0.0, 0.0)), forward]
    pose[:3, 3] = pose[:3, :3] @ down
    return PlacedCamera(0, tuple(float(v) for v in pose.ravel()), 230.0, 230.0, WIDTH / 2, HEIGHT / 2, WIDTH, HEIGHT)


def render(folder: Path, samples: int, seed: int) -> Path:
    """Render the scene into *folder*; the bundle's folder."""
    (folder / "job").mkdir(parents=True)
    (folder / "out").mkdir()
    corners = np.array([[-0.5, -0.5, 0.0], [0.5, -0.5, 0.0], [0.5, 0.5, 0.0], [-0.5, 0.5, 0.0]])
    up, triangles = (
        np.tile(np.array([0, 0, 1], dtype=np.float32), (4, 1)),
        np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32),
    )
    table = SupportMesh("table", "white", corners, up, triangles)
    spec, placed = scene(samples, seed), camera()
    light = illuminate(spec, Arrangement((), (table,), (placed,), (0.0, 0.0, 0.015), 0.05))
    assembler = _Assembler(folder / "job")
    preset = metal("stainless_austenitic")
    steel = MetalMaterial("steel", preset.name, preset.ior, preset.extinction, "polished", 0.02, 0.02, 0.02, "P")
    band = trimesh.creation.annulus(0.024, 0.028, 0.016, sections=256)
    ball = trimesh.creation.icosphere(5, 0.012)
    add_metal(assembler, 1, band.apply_translation((-0.015, 0.0, 0.008)), steel)
    add_metal(assembler, 2, ball.apply_translation((0.035, -0.005, 0.012)), steel)
    assembler.add_support(0, table, PlainMaterial("white", (0.8, 0.8, 0.8), 1.0, 1.0, 0.0, 1.0), None)
    for number, mesh in enumerate(light.surroundings):
        assembler.add_surrounding(number, mesh)
    for number, lamp in enumerate(light.lamps):
        assembler.add_lamp(number, lamp)
    views = tuple(BundleView(f"caustics-v{i}", i, placed, rig, i, light.groups[i]) for i, rig in enumerate(RIGS))
    content = SceneBundle("caustics", "", samples, _all_groups(light), tuple(assembler.entries), (), (), (), views)
    materials, objects = tuple(assembler.materials), tuple(assembler.objects)
    job = RenderJob("caustics", spec.render, 2, content.groups, light.world, materials, objects, content)
    write_json(folder / "job" / JOB_FILE, to_dict(job))
    render_in_child(folder / "job", folder / "out", threads=2, timeout_s=7200)
    return folder / "out"


def add_metal(assembler: _Assembler, index: int, mesh: trimesh.Trimesh, steel: MetalMaterial) -> None:
    """Add *mesh* with smooth normals that keep edges of more than 30 degrees."""
    smooth = trimesh.graph.smooth_shade(mesh, angle=np.radians(30.0))
    arrays = {
        "vertices": np.asarray(smooth.vertices),
        "normals": np.asarray(smooth.vertex_normals, dtype=np.float32),
        "triangles": np.asarray(smooth.faces, dtype=np.int32),
        "material": np.full(len(smooth.faces), assembler.material(steel), dtype=np.int32),
        **{name: np.zeros((len(smooth.vertices), 3), np.float32) for name in ("lay", "lay_axis", "lay_origin")},
    }
    assembler.add(BundleObject(index, "part", f"part{index}", "part", None), arrays)


def errors(planned: Path, converged: Path, view: int) -> tuple[float, float, float]:
    """(share of the picture that is caustic, relative rmse noisy, denoised) of one view."""
    test, truth = (read_layers(bundle.view_folder(out, view)) for out in (planned, converged))
    parts = bundle.read_ids(bundle.view_folder(converged, view) / "instance.png")
    thrown = truth["diffuse_indirect"].mean(axis=2)
    region = (parts == 0) & (thrown > FAINTEST)
    reference = truth["noisy"][region]
    noisy, denoised = (test[name][region].astype(np.float64) - reference for name in ("noisy", "combined"))
    scale = float(reference.mean())
    return float(region.mean()), _rms(noisy) / scale, _rms(denoised) / scale


def _rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(values**2)))


def main() -> None:
    """Measure and print."""
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 128
    many = int(sys.argv[2]) if len(sys.argv) > 2 else 4096
    with tempfile.TemporaryDirectory() as folder:
        planned = render(Path(folder) / "planned", samples, 1)
        converged = render(Path(folder) / "converged", many, 2)
        print(f"relative rmse of the table's radiance inside caustics, {samples} samples against {many}")
        for view, rig in enumerate(RIGS):
            share, noisy, denoised = errors(planned, converged, view)
            print(f"{rig:20s} caustic {share:6.1%} of the picture, noisy {noisy:6.1%}, denoised {denoised:6.1%}")


if __name__ == "__main__":
    main()
