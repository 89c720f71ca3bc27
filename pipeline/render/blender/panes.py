"""Glass before the camera: what the pane mirrors, and what the context camera sees.

The pane is never part of the ordinary render, so it blocks no lamp and casts no shadow. For the mirror view a plane of
perfect mirror stands in its place, seen by the camera alone and nothing else seen by it, so Cycles traces every
mirrored ray; how much of it a real pane reflects is applied when photos are made (`pipeline.pane_optics`). Does not
cover: where the pane stands (`arrange.panes`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import bpy
import numpy as np

from pipeline.arrange.arrangement import PlacedPane
from pipeline.bundle import CONTEXT_FILE, MIRROR_FILE, MIRROR_REFLECTION_FILE, BundleView, write_exr
from pipeline.layers import Layers, write_groups
from pipeline.render.blender.meshes import place
from pipeline.render.blender.nodes import Tree
from pipeline.render.blender.passes import read_passes, rgb
from pipeline.render.blender.probe import decode
from pipeline.render.blender.scene import set_camera
from pipeline.render.job import MeshJob, RenderJob

_NAME: Final = "pane"
_UNSEEN_BY: Final = ("diffuse", "glossy", "transmission", "volume_scatter", "shadow")


def render_pane(
    scene: bpy.types.Scene,
    job: RenderJob,
    view: BundleView,
    out: Path,
    light: Callable[[], Layers],
    probe: Callable[[], Path],
) -> None:
    """Write the mirror view, its probe and the context view of *view* into the folder *out*.

    *light* renders the scene as it stands into layers, *probe* into the file of the mirror probe.
    """
    pane = view.pane
    if pane is None:
        raise ValueError(f"view {view.view_id} has no pane")
    with _seen(scene, job, lambda entry: False), _mirror(scene, pane):
        write_groups(out / MIRROR_FILE, light())
        radiance = rgb(read_passes(probe()), "Combined")
        write_exr(out / MIRROR_REFLECTION_FILE, decode(radiance, np.ones(radiance.shape[:2], dtype=bool)))
    own = view.camera.camera_index
    with _seen(scene, job, lambda entry: own not in (entry.body_of, entry.camera) and entry.lights != "diffusers"):
        set_camera(scene, pane.context)
        write_groups(out / CONTEXT_FILE, light())


@contextmanager
def _seen(scene: bpy.types.Scene, job: RenderJob, seen: Callable[[MeshJob], bool]) -> Iterator[None]:
    """Let the camera see those objects for which *seen* holds, whatever it sees otherwise."""
    for entry in job.objects:
        scene.objects[entry.name].visible_camera = seen(entry)
    try:
        yield
    finally:
        for entry in job.objects:
            scene.objects[entry.name].visible_camera = entry.camera_visible


@contextmanager
def _mirror(scene: bpy.types.Scene, pane: PlacedPane) -> Iterator[None]:
    """Put a perfect mirror in the place of the pane's front face."""
    mesh = bpy.data.meshes.new(_NAME)
    x, y = pane.size_m[0] / 2, pane.size_m[1] / 2
    mesh.from_pydata([(-x, -y, 0.0), (x, -y, 0.0), (x, y, 0.0), (-x, y, 0.0)], [], [(0, 1, 2, 3)])
    mesh.materials.append(_mirror_material())
    mirror = bpy.data.objects.new(_NAME, mesh)
    for rays in _UNSEEN_BY:
        setattr(mirror, f"visible_{rays}", False)
    scene.collection.objects.link(mirror)
    place(mirror, pane.world_from_pane)
    try:
        yield
    finally:
        bpy.data.objects.remove(mirror)
        bpy.data.meshes.remove(mesh)


def _mirror_material() -> bpy.types.Material:
    found: bpy.types.Material | None = bpy.data.materials.get(_NAME)
    if found is not None:
        return found
    material = bpy.data.materials.new(_NAME)
    tree = Tree(material)
    mirror = tree.node("BsdfGlossy", distribution="GGX")
    mirror.inputs["Roughness"].default_value = 0.0
    mirror.inputs["Color"].default_value = (1.0, 1.0, 1.0, 1.0)
    tree.link(mirror.outputs[0], tree.node("OutputMaterial").inputs["Surface"])
    return material
