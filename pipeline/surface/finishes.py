"""Finish a part: decide for each CAD face how it was made, how rough it is and which way its grooves run.

Covers: finish schemes (assets/tables/finishes) to materials and lay. Does not cover: the roles of faces (`roles`),
Ra to alpha (`roughness`), groove directions (`lay`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pipeline.parts.part import Part
from pipeline.spec.scene import ItemSpec
from pipeline.surface.lay import Lay, LayGuide, lay_face, no_lay
from pipeline.surface.material import FaceFinish, FinishedSurface, MetalMaterial
from pipeline.surface.metals import Metal, metal
from pipeline.surface.processes import Process, process, ra_at
from pipeline.surface.roles import Operation, Vector, Workpiece, understand, vertices_of_faces
from pipeline.surface.roughness import alpha_pair
from pipeline.tables import entry

RA_LEVELS = 8
"""Ra is one of this many values of a process' range, so that a part needs few materials."""
RA_SPREAD = 0.2
"""Width of the even spread of one part's faces about its own quantile of Ra."""


def finish_part(part: Part, item: ItemSpec) -> FinishedSurface:
    """Finish every face of *part* by the scheme, Ra quantile and alpha scale of *item*.

    Deterministic. Raises InputError for an unknown metal or finish scheme.
    """
    made_of, scheme = metal(item.metal), _scheme(item.finish)
    work = understand(part)
    finish_of: dict[int, FaceFinish] = {}
    for operation, roles in zip(work.operations, work.roles, strict=True):
        made_by = process(next((scheme[role] for role in roles if role in scheme), scheme["rest"]))
        finish = _finish(operation, made_by, item)
        finish_of.update({i: replace(finish, face_id=i) for i in operation.faces})
    finishes = tuple(finish_of[i] for i in range(len(part.info.faces)))
    materials, material_of_face = _materials(finishes, made_of, item)
    lay = _lay(part, work, finishes)
    return FinishedSurface(
        materials=materials,
        finishes=finishes,
        material_of_triangle=material_of_face[part.face_of_triangle],
        lay=lay.straight.astype(np.float32),
        lay_axis=lay.axis.astype(np.float32),
        lay_origin=lay.origin.astype(np.float32),
    )


def _scheme(name: str) -> dict[str, Any]:
    return entry("finishes", name, "finish")


def _finish(operation: Operation, made_by: Process, item: ItemSpec) -> FaceFinish:
    """The finish of one cut. Its own luck depends on what was drawn for the item, and on the cut, alone."""
    first = operation.faces[0]
    drawn = int(item.pose_quantile * 2**32)  # tells instances of different scenes apart, and no finish depends on it
    luck = np.random.default_rng(np.random.SeedSequence([drawn, item.instance_id, first])).uniform(-0.5, 0.5)
    quantile = min(max(item.ra_quantile + RA_SPREAD * luck, 0.0), 1.0 - 1e-9)
    level = (np.floor(quantile * RA_LEVELS) + 0.5) / RA_LEVELS
    ra_um = round(ra_at(made_by, float(level)), 4)
    across, along = alpha_pair(made_by, ra_um, item.alpha_scale)
    return FaceFinish(first, made_by.name, ra_um, across, along, made_by.lay)


def _materials(
    finishes: tuple[FaceFinish, ...], made_of: Metal, item: ItemSpec
) -> tuple[tuple[MetalMaterial, ...], np.ndarray[Any, np.dtype[np.int32]]]:
    """One material per distinct (process, Ra), and the index of each face's material, (faces,) int32."""
    index_of: dict[tuple[str, float], int] = {}
    materials: list[MetalMaterial] = []
    for finish in finishes:
        key = (finish.process, finish.ra_um)
        if key in index_of:
            continue
        index_of[key] = len(materials)
        materials.append(
            MetalMaterial(
                name=f"{item.instance_id}-{made_of.name}-{finish.process}-{finish.ra_um:g}",
                metal=made_of.name,
                ior=made_of.ior,
                extinction=made_of.extinction,
                process=finish.process,
                ra_um=finish.ra_um,
                alpha_across=finish.alpha_across,
                alpha_along=finish.alpha_along,
                lay=finish.lay,
            )
        )
    indices = [index_of[(finish.process, finish.ra_um)] for finish in finishes]
    return tuple(materials), np.array(indices, dtype=np.int32)


def _lay(part: Part, work: Workpiece, finishes: tuple[FaceFinish, ...]) -> Lay:
    lay = no_lay(len(part.vertices))
    members = vertices_of_faces(part)
    guide = LayGuide(work.turning_axis, _sheet_normal(work))
    for face, finish in zip(part.info.faces, finishes, strict=True):
        kind = process(finish.process).lay_kind
        lay_face(lay, part, members[face.face_id], face, kind=kind, guide=guide)
    return lay


def _sheet_normal(work: Workpiece) -> Vector:
    """Normal of the largest plane; z when the part has no plane."""
    planes = [operation for operation in work.operations if operation.face.kind == "plane"]
    if not planes:
        return np.array([0.0, 0.0, 1.0])
    return np.array(max(planes, key=lambda plane: plane.area_m2).face.axis, dtype=np.float64)
