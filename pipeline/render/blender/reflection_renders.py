"""The extra renders of a view that reflection truth needs: direct light, the second bounce, the rough probe.

Covers: which are rendered, and the file of each. Does not cover: the mirror probe itself (`view`, `probe`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import bpy
import numpy as np
from numpy.typing import NDArray

from pipeline.bundle import DIRECT_FILE, SECOND_BOUNCE_FILE, WORLD_INDEX, BundleView, write_exr
from pipeline.layers import CODEC, NOISY_BITS, rounded, write_parts
from pipeline.render.blender.passes import Passes, read_passes, rgb, scalar
from pipeline.render.blender.probe import MATERIAL_AOV, decode
from pipeline.render.blender.rough_probe import RoughProbe
from pipeline.render.blender.scene import sample_for_beauty
from pipeline.render.job import RenderJob

DIRECT_SAMPLES: Final = 8
"""Paths per pixel of the direct light, which only tells the ratios between light groups: sums are the beauty's."""


class ReflectionRenders:
    """Renders them for one view after the other."""

    def __init__(self, scene: bpy.types.Scene, job: RenderJob, folder: Path) -> None:
        """*folder*: the job's."""
        self.scene, self.job = scene, job
        self.rough = RoughProbe(scene, job, folder) if job.render.reflections.rough_rays else None

    def render(
        self,
        view: BundleView,
        out: Path,
        probe: Passes,
        render: Callable[[str], Path],
        render_probe: Callable[[int], Path],
    ) -> None:
        """Write the files of *view*, which the scene is set to, into *out*.

        *probe*: passes of the mirror probe; *render* renders the scene as it stands into the file of a name,
        *render_probe* the mirror probe of so many bounces.
        """
        self._direct(view, out, render)
        objects = np.rint(scalar(probe, "Object Index")).astype(np.uint16)
        if self.job.render.reflections.bounces > 1:
            write_exr(out / SECOND_BOUNCE_FILE, _second_bounce(probe, read_passes(render_probe(2)), objects))
        if self.rough is not None:
            materials = np.where(objects > 0, np.rint(scalar(probe, MATERIAL_AOV)), 0).astype(np.uint16)
            self.rough.render(render, objects, materials, out)

    def _direct(self, view: BundleView, out: Path, render: Callable[[str], Path]) -> None:
        sample_for_beauty(self.scene, DIRECT_SAMPLES, self.job.render.seed)
        self.scene.cycles.max_bounces = 0
        with _parts_that_only_mirror(self.scene, self.job):
            passes = read_passes(render("direct"))
        groups = {f"group.{group}": rgb(passes, f"Combined_{group}") * view.analyser for group in view.groups}
        write_parts(out / DIRECT_FILE, {name: rounded(light, NOISY_BITS) for name, light in groups.items()}, CODEC)


@contextmanager
def _parts_that_only_mirror(scene: bpy.types.Scene, job: RenderJob) -> Iterator[None]:
    """Let the camera see parts alone, and no diffuse lobe see a lamp or the world."""
    parts = {entry.index for entry in job.bundle.objects if entry.kind == "part"}
    lamps = [scene.objects[entry.name] for entry in job.objects if entry.group is not None]
    others = [scene.objects[entry.name] for entry in job.objects if entry.index not in parts]
    world = scene.world.cycles_visibility
    hidden = [(thing, "visible_camera") for thing in others] + [(lamp, "visible_diffuse") for lamp in lamps]
    hidden += [(world, "camera"), (world, "diffuse")]
    saved = [getattr(thing, name) for thing, name in hidden]
    for thing, name in hidden:
        setattr(thing, name, False)
    try:
        yield
    finally:
        for (thing, name), value in zip(hidden, saved, strict=True):
            setattr(thing, name, value)


def _second_bounce(first: Passes, second: Passes, objects: NDArray[np.uint16]) -> dict[str, NDArray[np.float32]]:
    """Channels of reflection2.exr: nothing where the first mirrored ray met the world or nothing."""
    hit = objects > 0
    met = decode(rgb(first, "Combined"), hit)["object"]
    return decode(rgb(second, "Combined"), hit & (met > 0) & (met < WORLD_INDEX))
