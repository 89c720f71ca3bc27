"""Make a part defective: place what was drawn for an item, draw it, change its mesh, and record what was done.

Covers: `apply_defects`. Does not cover: placing (`places`, `edges`, `holes`), drawing (`drawings`), the shader
(`render`), masks (`truth`). A defect for which the part has no place (a missing hole on a part without holes) is left
out and recorded with the reason: a nightly build over many parts must not fail over it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from pipeline.bundle import DEFECTS_FOLDER, PlacedDefect, SkippedDefect
from pipeline.defect_patches import WITH, Raster
from pipeline.parts.part import Part
from pipeline.spec.scene import DefectSpec, ItemSpec
from pipeline.surface.defects.body import Body
from pipeline.surface.defects.drawings import ALONG_THE_LAY, DRAWINGS, aspect
from pipeline.surface.defects.kinds import Kind, kind, shape_of
from pipeline.surface.defects.mesh_defects import MAKERS
from pipeline.surface.defects.places import carriers, find_place
from pipeline.surface.material import DefectPatch, FinishedSurface, MetalMaterial
from pipeline.surface.roles import Workpiece, understand

SMALLEST: float = 0.5
"""A patch that needs room may shrink to this share of the smallest size of its kind."""


@dataclass(frozen=True, eq=False)
class FlawedPart:
    """A part with its defects."""

    part: Part
    """Triangles that belong to no CAD face have face_id -1."""
    surface: FinishedSurface
    sound_surface: FinishedSurface
    """Of the part's own mesh, with the materials of *surface*: for the defect-free twin."""
    placed: tuple[PlacedDefect, ...]
    skipped: tuple[SkippedDefect, ...]
    rasters: dict[str, Raster]
    """File, relative to the job and the bundle -> what lies in it."""
    mesh_changed: bool


@dataclass
class _Work:
    """What grows while defects are applied one after the other."""

    item: ItemSpec
    body: Body
    workpiece: Workpiece
    placed: list[PlacedDefect] = field(default_factory=list)
    skipped: list[SkippedDefect] = field(default_factory=list)
    rasters: dict[str, Raster] = field(default_factory=dict)

    def skip(self, spec: DefectSpec, reason: str) -> None:
        self.skipped.append(SkippedDefect(self.item.instance_id, spec.defect_id, spec.kind, reason))


def apply_defects(part: Part, surface: FinishedSurface, item: ItemSpec) -> FlawedPart:
    """*part* with the defects of *item*; *surface* is its sound finish. Deterministic.

    Raises InputError for an unknown kind.
    """
    work = _Work(item, Body(part, surface), understand(part))
    kinds = {spec.defect_id: kind(spec.kind) for spec in item.defects}
    for spec in item.defects:
        if kinds[spec.defect_id].carrier == "mesh":
            _change_mesh(work, spec)
    for spec in item.defects:
        if kinds[spec.defect_id].carrier == "patch":
            _draw_patch(work, part, surface, spec, kinds[spec.defect_id])
    body = work.body
    return FlawedPart(
        part=body.part,
        surface=_with_patches(body.part, body.surface, work.placed),
        sound_surface=_with_patches(part, surface, work.placed),
        placed=tuple(sorted(work.placed, key=lambda defect: defect.defect_id)),
        skipped=tuple(work.skipped),
        rasters=work.rasters,
        mesh_changed=body.part is not part,
    )


def _change_mesh(work: _Work, spec: DefectSpec) -> None:
    made = MAKERS[spec.kind](work.body, work.workpiece, spec, work.item.instance_id)
    if isinstance(made, str):
        work.skip(spec, made)
        return
    work.body, placed = made
    work.placed.append(placed)


def _draw_patch(work: _Work, part: Part, surface: FinishedSurface, spec: DefectSpec, row: Kind) -> None:
    shape = shape_of(spec)
    operations = carriers(part, surface, work.workpiece.operations, row.on)
    place = find_place(
        part,
        surface,
        operations,
        length_m=shape.length_m,
        least_m=min(SMALLEST * row.size_m[0], shape.length_m),
        aspect=aspect(spec.kind),
        along_lay=spec.kind in ALONG_THE_LAY,
        quantile=spec.face_quantile,
        seed=spec.seed,
    )
    if place is None:
        least = f"{SMALLEST * row.size_m[0] * 1e3:g} mm"
        work.skip(spec, f"no face that can carry it ({row.on}) has room for {least}" if operations else _WANTED[row.on])
        return
    # A patch that had to shrink keeps its proportions.
    shrunk = place.length_m / shape.length_m
    drawn = replace(shape, length_m=place.length_m, depth_m=shape.depth_m * (shrunk if spec.kind == "dent" else 1.0))
    raster = DRAWINGS[spec.kind](drawn)
    file = f"{DEFECTS_FOLDER}/{work.item.instance_id:05d}-{spec.defect_id:02d}.npz"
    work.rasters[file] = raster
    work.placed.append(
        PlacedDefect(
            instance_id=work.item.instance_id,
            defect_id=spec.defect_id,
            kind=spec.kind,
            severity=spec.severity,
            face_ids=place.face_ids,
            centre_m=place.centre_m,
            size_m=_extent(raster),
            depth_m=0.0 if raster.height_m is None else float(np.abs(raster.height_m).max()),
            file=file,
            pose=replace(place.pose, size_m=raster.size_m),
        )
    )


_WANTED = {
    "cut": "expected a turned, milled, bored, ground or polished face, found none",
    "broad": "expected a plane or a convex round face of at least 4 mm radius, found none",
    "any": "expected a face, found none",
    "cast_first": "expected a face, found none",
}


def _extent(raster: Raster) -> tuple[float, float]:
    """Length and width of the mask along x and y, metres."""
    columns, rows = np.flatnonzero(raster.mask.any(axis=0)), np.flatnonzero(raster.mask.any(axis=1))
    if len(columns) == 0:
        return 0.0, 0.0
    return (
        float(columns[-1] - columns[0] + 1) * raster.texel_m,
        float(rows[-1] - rows[0] + 1) * raster.texel_m,
    )


def _with_patches(part: Part, surface: FinishedSurface, placed: list[PlacedDefect]) -> FinishedSurface:
    """*surface* whose faces with drawn defects have materials of their own that carry the patches."""
    patches_of: dict[int, list[DefectPatch]] = {}
    for defect in sorted(placed, key=lambda d: d.defect_id):
        if defect.file is not None and defect.pose is not None:
            for face_id in defect.face_ids:
                patches_of.setdefault(face_id, []).append(DefectPatch(defect.defect_id, defect.file, defect.pose))
    materials: list[MetalMaterial] = list(surface.materials)
    material_of_triangle = surface.material_of_triangle.copy()
    index_of: dict[tuple[int, tuple[int, ...]], int] = {}
    for face_id, patches in sorted(patches_of.items()):
        rows = np.flatnonzero(part.face_of_triangle == face_id)
        for old in np.unique(material_of_triangle[rows]):
            ids = tuple(patch.defect_id for patch in patches)
            if (int(old), ids) not in index_of:
                sound = surface.materials[int(old)]
                name = f"{sound.name}{WITH}{'-'.join(map(str, ids))}"
                index_of[int(old), ids] = len(materials)
                materials.append(replace(sound, name=name, defects=tuple(patches)))
            own = rows[surface.material_of_triangle[rows] == old]
            material_of_triangle[own] = index_of[int(old), ids]
    return replace(surface, materials=tuple(materials), material_of_triangle=material_of_triangle)
