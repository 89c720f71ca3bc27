"""Cast light of a rendered scene: traced once for every lighting, gathered for every view, written into the bundle.

Covers: which views share their light, the files. Does not cover: tracing (`photons`), gathering (`gather`).
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import numpy as np

from pipeline.bundle import (
    CAST_LAMP_FILE,
    CAST_LIGHT_FILE,
    FIRST_SUPPORT,
    THROWER_FILE,
    BundleView,
    SceneBundle,
    load_bundle,
    read_ids,
    read_xyz,
    view_folder,
    write_ids,
)
from pipeline.layers import TERMS_FILE, read_parts, write_cast_light
from pipeline.records import from_dict, read_json, sha256_json
from pipeline.render.cast_light.gather import CastLight, Seen, gather
from pipeline.render.cast_light.lamps import lamps_of
from pipeline.render.cast_light.lobes import Lobes, lobes_of
from pipeline.render.cast_light.photons import Landings, Lighting, trace
from pipeline.render.cast_light.stage import Caster, Doubles, Placed, Triangles, placed_in, triangles_of
from pipeline.render.job import JOB_FILE, RenderJob

PHOTONS_PER_PIXEL: Final = 2 / 3
FEWEST_PHOTONS: Final = 1 << 16
MOST_PHOTONS: Final = 1 << 20
"""Photons of one lighting of a scene, by the pixels of its largest view: 524288 for 1024 x 768."""
_STREAM: Final = "cast light"


def add_cast_light(job_folder: Path, bundle_folder: Path) -> float:
    """Write cast_light.exr, thrower.png and cast_lamp.png of every view of a bundle; the seconds that it took.

    *job_folder* holds the render job that the bundle in *bundle_folder* was rendered from. Raises OSError.
    """
    start = time.perf_counter()
    job = from_dict(RenderJob, read_json(job_folder / JOB_FILE))
    bundle = load_bundle(bundle_folder)
    lobes, photons = lobes_of(job.materials), _photons(bundle)
    traced: tuple[tuple[Placed, ...], Landings] | None = None
    for view in sorted(bundle.views, key=lambda one: (one.rig_index, one.camera.camera_index, one.view_index)):
        placed = placed_in(job, view)
        if traced is None or traced[0] != placed:
            traced = placed, _landings(job, job_folder, placed, lobes, photons)
        folder = view_folder(bundle_folder, view.view_index)
        found = gather(_seen(view, folder), traced[1], _group_of_lamp(bundle), view.groups)
        _write(folder, found, view.analyser)
    return time.perf_counter() - start


def _photons(bundle: SceneBundle) -> int:
    pixels = max((view.camera.width * view.camera.height for view in bundle.views), default=0)
    return min(max(round(PHOTONS_PER_PIXEL * pixels), FEWEST_PHOTONS), MOST_PHOTONS)


def _landings(job: RenderJob, folder: Path, placed: tuple[Placed, ...], lobes: Lobes, photons: int) -> Landings:
    """What the metal that is *placed* throws."""
    if not placed:
        return Landings.joined(())
    triangles = triangles_of(placed, folder)
    lamps = lamps_of(placed, triangles, job.materials, job.groups, _middle(triangles))
    seed = int(sha256_json([_STREAM, job.render.seed])[:12], 16)
    return trace(Lighting(triangles, Caster(triangles), lamps, lobes, FIRST_SUPPORT - 1, job.threads), seed, photons)


def _middle(triangles: Triangles) -> Doubles:
    """Middle (3,) of the parts; the world's origin without any."""
    ends = triangles.corners[triangles.object < FIRST_SUPPORT]
    if not ends.size:
        return np.zeros(3)
    points = triangles.vertices[ends.ravel()].astype(np.float64)
    result: Doubles = 0.5 * (points.min(axis=0) + points.max(axis=0))
    return result


def _group_of_lamp(bundle: SceneBundle) -> dict[int, str]:
    return {thing.index: thing.group for thing in bundle.objects if thing.kind == "light" and thing.group is not None}


def _seen(view: BundleView, folder: Path) -> Seen:
    return Seen(
        view.camera,
        read_xyz(folder / "position.exr"),
        read_ids(folder / "object.png"),
        read_parts(folder / TERMS_FILE, lambda name: name == "diffuse_color")["diffuse_color"],
    )


def _write(folder: Path, found: CastLight, analyser: float) -> None:
    """Write one view's files. An analyser before the lens takes its share of cast light as of all diffused light."""
    share = np.float32(analyser)
    radiance = {group: image * share for group, image in found.radiance.items()}
    write_cast_light(folder / CAST_LIGHT_FILE, radiance, found.error * share)
    write_ids(folder / THROWER_FILE, found.thrower)
    write_ids(folder / CAST_LAMP_FILE, found.lamp)
