"""The render job: what the parent hands to the render child, as one JSON file and one file per distinct mesh.

Covers: the records, and assembling them from what `arrange`, `surface` and `light` made. Does not cover: Blender
(`blender/`), starting the child (`launch`).
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.arrange.arrangement import Arrangement, PlacedItem, SupportMesh
from pipeline.bundle import (
    DEFECTS_FOLDER,
    FIRST_LAMP,
    FIRST_SUPPORT,
    FIRST_SURROUNDING,
    WORLD_LABELS_FILE,
    BundleFinish,
    BundleMaterial,
    BundleObject,
    BundleView,
    BundleWorld,
    ChangedMesh,
    PlacedDefect,
    SceneBundle,
    SkippedDefect,
    write_ids,
    write_rgb,
)
from pipeline.defect_patches import save_raster
from pipeline.light.far import FarPicture
from pipeline.light.lamps import Illumination, ImageWorld, LampMesh, SurroundingMesh
from pipeline.parts.part import Part
from pipeline.records import to_dict, write_json
from pipeline.spec.scene import RenderSpec, SceneSpec, scene_shots, view_id_of
from pipeline.surface.defects.apply import FlawedPart
from pipeline.surface.material import EmitterMaterial, FinishedSurface, Material, MetalMaterial, PlainMaterial
from pipeline.surface.supports import straight_lay

JOB_FILE: Final = "job.json"
Lights = Literal["all", "mirrors", "diffusers"]
"""Surfaces whose light comes from a lamp mesh. A polarised lamp is two meshes in one place, one for each kind."""
IDENTITY: Final = tuple(float(v) for v in np.eye(4).ravel())


@dataclass(frozen=True)
class MeshJob:
    """One object to build in Blender."""

    index: int
    """Object index, the value in object.png."""
    name: str
    mesh_file: str
    """npz below the job's folder with vertices, normals, triangles, slot (per triangle, see *first_material*), face
    (CAD face_id + 1 per triangle, 0 = none), lay, lay_axis, lay_origin (per vertex). Objects whose arrays are the same
    name the same file, and share one mesh in Blender."""
    first_material: int
    """Slot k of the mesh has the job's material number *first_material* + k in this object."""
    world_from_object: tuple[float, ...]
    group: str | None
    """Light group of a lamp; None for what does not glow."""
    camera_visible: bool
    rigs: tuple[int, ...] | None = None
    """Indices of the rigs in whose views it is; None = in all."""
    clean_mesh_file: str | None = None
    """The same object with the mesh that it has without defects, for twins; None when it is the same."""
    clean_first_material: int = 0
    """As *first_material*, of the clean mesh."""
    camera: int | None = None
    """Index of the camera in whose views alone it is; None = in all."""
    lights: Lights = "all"
    """What a lamp lights and is seen by: everything, or only what mirrors (and the camera), or only what diffuses."""
    body_of: int | None = None
    """Index of the camera whose body it is; None = no camera's."""


@dataclass(frozen=True)
class RenderJob:
    """One scene for the render child."""

    scene_id: str
    render: RenderSpec
    threads: int
    groups: tuple[str, ...]
    """Every light group of any view."""
    world: ImageWorld
    materials: tuple[Material, ...]
    objects: tuple[MeshJob, ...]
    bundle: SceneBundle
    """What the child writes as bundle.json, with the Blender version filled in."""


class _Assembler:
    """Collects objects and materials and writes their meshes below *folder*."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.materials: list[Material] = []
        self.objects: list[MeshJob] = []
        self.entries: list[BundleObject] = []
        self.finishes: list[BundleFinish] = []
        self.defects: list[PlacedDefect] = []
        self.skipped_defects: list[SkippedDefect] = []
        self.changed_meshes: list[ChangedMesh] = []
        self._files: dict[str, str] = {}
        self._runs: dict[tuple[Material, ...], int] = {}

    def material(self, material: Material) -> int:
        """Index of *material*, added when it is new (records compare by value)."""
        if material not in self.materials:
            self.materials.append(material)
        return self.materials.index(material)

    def add(
        self,
        entry: BundleObject,
        arrays: Mapping[str, NDArray[Any]],
        world_from_object: tuple[float, ...] = IDENTITY,
        camera_visible: bool = True,
        rigs: tuple[int, ...] | None = None,
        camera: int | None = None,
        clean: Mapping[str, NDArray[Any]] | None = None,
        body_of: int | None = None,
    ) -> None:
        name = f"{entry.index:05d}"
        mesh_file, first = self._mesh(arrays, f"{name}.npz")
        clean_file, clean_first = (None, 0) if clean is None else self._mesh(clean, f"{name}-clean.npz")
        self.objects.append(
            MeshJob(
                index=entry.index,
                name=name,
                mesh_file=mesh_file,
                first_material=first,
                world_from_object=world_from_object,
                group=entry.group if entry.kind == "light" else None,
                camera_visible=camera_visible,
                rigs=rigs,
                clean_mesh_file=clean_file,
                clean_first_material=clean_first,
                camera=camera,
                body_of=body_of,
            )
        )
        self.entries.append(entry)

    def _mesh(self, arrays: Mapping[str, NDArray[Any]], file: str) -> tuple[str, int]:
        """Write *arrays* unless the same were written before; the file's name, and the material of slot 0."""
        used, slot = np.unique(arrays["material"], return_inverse=True)
        first = self._run(tuple(int(i) for i in used))
        mesh = {name: np.ascontiguousarray(array) for name, array in arrays.items() if name != "material"}
        mesh["slot"] = slot.astype(np.int32).ravel()
        digest = hashlib.sha256()
        for name in sorted(mesh):
            digest.update(f"{name} {mesh[name].dtype} {mesh[name].shape}".encode())
            digest.update(mesh[name].data)
        key = digest.hexdigest()
        if key not in self._files:
            np.savez(self.folder / file, **dict[str, Any](mesh))
            self._files[key] = file
        return self._files[key], first

    def _run(self, used: tuple[int, ...]) -> int:
        """Number of the first of the materials *used*, which are put one behind the other when they are not."""
        if used == tuple(range(used[0], used[0] + len(used))):
            return used[0]
        wanted = tuple(self.materials[i] for i in used)
        if wanted not in self._runs:
            self._runs[wanted] = len(self.materials)
            self.materials += wanted
        return self._runs[wanted]

    def add_part(
        self, item: PlacedItem, category: str, part: Part, surface: FinishedSurface, flawed: FlawedPart | None
    ) -> None:
        """Add *part* as it is, or with its defects and itself as its clean twin."""
        entry = BundleObject(item.instance_id, "part", item.part_id, category, None)
        if flawed is None:
            self.add(entry, self._part_arrays(part, surface), item.world_from_part)
        else:
            # A twin has the same materials, which are told to hide what is drawn on them; only changed meshes differ.
            clean = self._part_arrays(part, flawed.sound_surface) if flawed.mesh_changed else None
            self.add(entry, self._part_arrays(flawed.part, flawed.surface), item.world_from_part, clean=clean)
            self._add_defects(item.instance_id, flawed)
        self.finishes += [
            BundleFinish(item.instance_id, f.face_id, f.process, f.ra_um, f.alpha_across, f.alpha_along, f.lay)
            for f in surface.finishes
        ]

    def _add_defects(self, instance_id: int, flawed: FlawedPart) -> None:
        (self.folder / DEFECTS_FOLDER).mkdir(exist_ok=True)
        for file, raster in flawed.rasters.items():
            save_raster(raster, self.folder / file)
        if flawed.mesh_changed:
            file = f"{DEFECTS_FOLDER}/{instance_id:05d}-mesh.npz"
            np.savez(self.folder / file, vertices=flawed.part.vertices, triangles=flawed.part.triangles)
            self.changed_meshes.append(ChangedMesh(instance_id, file))
        self.defects += flawed.placed
        self.skipped_defects += flawed.skipped

    def _part_arrays(self, part: Part, surface: FinishedSurface) -> dict[str, NDArray[Any]]:
        slots = np.array([self.material(m) for m in surface.materials], dtype=np.int32)
        arrays: dict[str, NDArray[Any]] = {
            "vertices": part.vertices,
            "normals": part.normals,
            "triangles": part.triangles,
            "material": slots[surface.material_of_triangle],
            "face": (part.face_of_triangle + 1).astype(np.int32),
            "lay": surface.lay,
            "lay_axis": surface.lay_axis,
            "lay_origin": surface.lay_origin,
        }
        if surface.groove is not None:
            arrays["groove"] = surface.groove
        return arrays

    def add_support(
        self,
        number: int,
        support: SupportMesh,
        material: PlainMaterial | MetalMaterial,
        rigs: tuple[int, ...] | None,
    ) -> None:
        entry = BundleObject(FIRST_SUPPORT + number, "support", support.label, support.label, None)
        arrays = self._plain(support.vertices, support.triangles, material, support.normals)
        if isinstance(material, MetalMaterial):
            arrays |= straight_lay(support.vertices, support.normals)
        self.add(entry, arrays, rigs=rigs)

    def add_surrounding(self, number: int, mesh: SurroundingMesh) -> None:
        entry = BundleObject(FIRST_SURROUNDING + number, "surroundings", mesh.label, mesh.label, None, mesh.rig)
        arrays = self._plain(mesh.vertices, mesh.triangles, mesh.material)
        rigs, visible = _one(mesh.rig), mesh.camera_visible
        self.add(entry, arrays, camera_visible=visible, rigs=rigs, camera=mesh.camera, body_of=mesh.body_of)

    def add_lamp(self, number: int, lamp: LampMesh) -> None:
        entry = BundleObject(FIRST_LAMP + number, "light", lamp.light_id, lamp.kind, lamp.group, lamp.rig)
        arrays = self._plain(lamp.vertices, lamp.triangles, lamp.material)
        self.add(entry, arrays, camera_visible=lamp.camera_visible, rigs=_one(lamp.rig), camera=lamp.camera)
        if lamp.material.mirrored != 1.0:
            self._split_polarised(lamp)

    def _split_polarised(self, lamp: LampMesh) -> None:
        """Make two of the lamp added last: one that mirrors show and labels name, and one that lights the rest."""
        whole = self.objects.pop()
        diffused = self._plain(lamp.vertices, lamp.triangles, replace(lamp.material, mirrored=1.0))
        mesh_file, first = self._mesh(diffused, f"{whole.name}-diffused.npz")
        second = replace(whole, name=f"{whole.name}-diffused", mesh_file=mesh_file, first_material=first)
        self.objects.append(replace(whole, lights="mirrors"))
        self.objects.append(replace(second, camera_visible=False, lights="diffusers"))

    def _plain(
        self,
        vertices: NDArray[np.float64],
        triangles: NDArray[np.int32],
        material: Material,
        normals: NDArray[np.float32] | None = None,
    ) -> dict[str, NDArray[Any]]:
        slot = np.full(len(triangles), self.material(material), dtype=np.int32)
        arrays: dict[str, NDArray[Any]] = {"vertices": vertices, "triangles": triangles, "material": slot}
        if normals is not None:
            arrays["normals"] = normals
        return arrays


def _one(rig: int | None) -> tuple[int, ...] | None:
    return None if rig is None else (rig,)


def prepare_job(
    scene: SceneSpec,
    arrangement: Arrangement,
    parts: Mapping[int, Part],
    surfaces: Mapping[int, FinishedSurface],
    support_materials: Mapping[str, PlainMaterial | MetalMaterial],
    illumination: Illumination,
    threads: int,
    folder: Path,
    flawed: Mapping[int, FlawedPart] | None = None,
) -> RenderJob:
    """Write the meshes and `job.json` into the existing *folder* and return the job.

    *parts* holds each instance as it was made and *surfaces* its finish, both by instance_id; *support_materials* are
    by look; *flawed* holds the instances that have defects, by instance_id.
    """
    assembler = _Assembler(folder)
    categories = {item.instance_id: item.category for item in scene.items}
    for placed in arrangement.items:
        part, surface = parts[placed.instance_id], surfaces[placed.instance_id]
        defective = (flawed or {}).get(placed.instance_id)
        assembler.add_part(placed, categories[placed.instance_id], part, surface, defective)
    with_support = tuple(rig for rig, without in enumerate(illumination.without_support) if not without)
    for number, support in enumerate(arrangement.supports):
        rigs = None if all(not without for without in illumination.without_support) else with_support
        assembler.add_support(number, support, support_materials[support.look], rigs)
    for number, mesh in enumerate(illumination.surroundings):
        assembler.add_surrounding(number, mesh)
    for number, lamp in enumerate(illumination.lamps):
        assembler.add_lamp(number, lamp)
    _write_world(illumination, folder)
    job = RenderJob(
        scene_id=scene.scene_id,
        render=scene.render,
        threads=threads,
        groups=_all_groups(illumination),
        world=illumination.world,
        materials=tuple(assembler.materials),
        objects=tuple(assembler.objects),
        bundle=_bundle(scene, arrangement, illumination, assembler),
    )
    write_json(folder / JOB_FILE, to_dict(job))
    return job


def _bundle(
    scene: SceneSpec, arrangement: Arrangement, illumination: Illumination, assembler: _Assembler
) -> SceneBundle:
    views = tuple(
        BundleView(
            view_id=view_id_of(scene.scene_id, shot.view_index),
            view_index=shot.view_index,
            camera=arrangement.cameras[shot.camera_index],
            rig=scene.rigs[shot.rig_index].name,
            rig_index=shot.rig_index,
            groups=illumination.groups[shot.rig_index],
            defects=shot.defects,
            twin_of=None if shot.twin_of is None else view_id_of(scene.scene_id, shot.twin_of),
            rig_scale=illumination.scales[shot.rig_index],
            analyser=illumination.analysers[shot.rig_index],
            pane=arrangement.panes[shot.camera_index] if arrangement.panes else None,
            belt_shift_m=(0.0 if scene.clip is None else scene.clip.path.belt_shift_m(shot.camera_index), 0.0, 0.0),
        )
        for shot in scene_shots(scene)
    )
    return SceneBundle(
        scene_id=scene.scene_id,
        blender="",
        samples=scene.render.samples,
        groups=_all_groups(illumination),
        objects=tuple(assembler.entries),
        materials=tuple(_bundle_material(m) for m in assembler.materials),
        finishes=tuple(assembler.finishes),
        items=arrangement.items,
        views=views,
        world=_bundle_world(illumination),
        defects=tuple(assembler.defects),
        skipped_defects=tuple(assembler.skipped_defects),
        changed_meshes=tuple(assembler.changed_meshes),
    )


def _write_world(illumination: Illumination, folder: Path) -> None:
    """The world's picture below *folder*, and its labels beside it."""
    name, picture = illumination.world.file, illumination.picture
    if name is None or picture is None:
        return
    if isinstance(picture, Path):
        shutil.copyfile(picture, folder / name)
        return
    write_rgb(folder / name, picture.radiance)
    write_ids(folder / WORLD_LABELS_FILE, picture.labels)


def _bundle_world(illumination: Illumination) -> BundleWorld | None:
    world, picture = illumination.world, illumination.picture
    if not isinstance(picture, FarPicture):
        return None
    return BundleWorld(world.group, world.yaw_rad, picture.names)


def _all_groups(illumination: Illumination) -> tuple[str, ...]:
    """Every light group of any rig, in order of first appearance."""
    return tuple(dict.fromkeys(group for groups in illumination.groups for group in groups))


def _bundle_material(material: Material) -> BundleMaterial:
    if isinstance(material, MetalMaterial):
        alphas = (material.alpha_across, material.alpha_along)
        return BundleMaterial(material.name, "metal", material.metal, material.process, material.ra_um, alphas)
    if isinstance(material, EmitterMaterial):
        return BundleMaterial(material.name, "emitter", None, None, None)
    alpha = material.roughness**2  # Blender's roughness is the square root of alpha
    return BundleMaterial(material.name, "plain", None, None, None, (alpha, alpha))
