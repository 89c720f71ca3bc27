"""Finish a part: decide for each CAD face how it was made, how rough it is and which way its grooves run.

Covers: face rules and finish schemes (assets/tables/finishes) to materials, lay and groove coordinates. Does not cover:
what a rule means (`face_rules`), the roles of faces (`roles`), Ra to alpha (`roughness`) and to relief (`relief`),
groove directions (`lay`) and coordinates (`groove_coordinates`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.parts.part import Part
from pipeline.spec.scene import FaceRule, ItemSpec
from pipeline.surface.axes import Vector
from pipeline.surface.face_rules import check_face_rules, misfit, rules_of_faces
from pipeline.surface.films import cover_with_film
from pipeline.surface.groove_coordinates import groove_coordinates
from pipeline.surface.lay import Course, Lay, LayGuide, course_of, lay_cut, no_lay
from pipeline.surface.material import FaceFinish, FinishedSurface, MetalMaterial
from pipeline.surface.metals import Metal, metal_of
from pipeline.surface.operations import Operation, vertices_of_faces
from pipeline.surface.parting import Parting, parting_of
from pipeline.surface.processes import Process, process, ra_at
from pipeline.surface.relief import relief_of
from pipeline.surface.roles import Workpiece, understand
from pipeline.surface.roughness import alpha_pair
from pipeline.tables import entry

RA_LEVELS = 8
"""Ra is one of this many values of a process' range, so that a part needs few materials."""
RA_SPREAD = 0.2
"""Width of the even spread of one part's faces about its own quantile of Ra."""
PHASE_M = 0.1
"""Groove coordinates of a cut start anywhere within this length: no two cuts show the same noise."""


@dataclass(frozen=True, eq=False)
class Cut:
    """Faces that one process makes in one go."""

    faces: tuple[int, ...]
    """face_ids, ascending."""
    made_by: Process
    finish: FaceFinish
    course: Course
    phase: tuple[float, float]
    """Metres that are added to u and v."""

    def coordinate(self, part: Part) -> str:
        """`MetalMaterial.coordinate` of these faces."""
        rings = self.course.way == "rings" and part.info.faces[self.faces[0]].kind == "plane"
        return "rings" if rings else "vertex"


def finish_part(part: Part, item: ItemSpec) -> FinishedSurface:
    """Finish every face of *part* by the face rules, scheme, Ra quantile, alpha scale and film of *item*.

    Deterministic. Raises InputError for an unknown metal, finish scheme or film, a film that does not fit the metal, or
    a face rule that cannot be followed.
    """
    made_of, scheme = metal_of(item), _scheme(item.finish)
    check_face_rules(part, item)
    cuts = tuple(_cuts(part, understand(part), scheme, item))
    finish_of = {face: replace(cut.finish, face_id=face) for cut in cuts for face in cut.faces}
    materials, material_of_face = _materials(part, cuts, made_of, item)
    lay, groove = _grooves(part, cuts)
    surface = FinishedSurface(
        materials=materials,
        finishes=tuple(finish_of[i] for i in range(len(part.info.faces))),
        material_of_triangle=material_of_face[part.face_of_triangle],
        lay=lay.straight.astype(np.float32),
        lay_axis=lay.axis.astype(np.float32),
        lay_origin=lay.origin.astype(np.float32),
        groove=groove.astype(np.float32) if any(material.relief for material in materials) else None,
    )
    return cover_with_film(part, surface, item)


def _scheme(name: str) -> dict[str, Any]:
    return entry("finishes", name, "finish")


def _cuts(part: Part, work: Workpiece, scheme: dict[str, Any], item: ItemSpec) -> Iterator[Cut]:
    rules = rules_of_faces(part, item.face_rules)
    guide = LayGuide(work.turning_axis, work.tool, work.profile)
    for operation, roles in zip(work.operations, work.roles, strict=True):
        by_rule: dict[FaceRule | None, list[int]] = {}
        for face in operation.faces:
            by_rule.setdefault(rules[face], []).append(face)
        for rule, faces in by_rule.items():
            made_by = process(rule.process) if rule is not None else _by_scheme(scheme, roles, operation)
            finish, phase = _finish(operation, made_by, item, None if rule is None else rule.ra_um)
            yield Cut(tuple(faces), made_by, finish, course_of(part, faces, made_by.lay_kind, guide), phase)


def _by_scheme(scheme: dict[str, Any], roles: tuple[str, ...], operation: Operation) -> Process:
    """The process of the first role that the scheme names, and that can make such a face; else of the rest."""
    named = (process(scheme[role]) for role in roles if role in scheme)
    return next((one for one in named if misfit(one, operation.face) is None), process(scheme["rest"]))


def _finish(
    operation: Operation, made_by: Process, item: ItemSpec, ra_um: float | None
) -> tuple[FaceFinish, tuple[float, float]]:
    """Finish and phase of one cut. Its own luck depends on what was drawn for the item, and on the cut, alone."""
    first = operation.faces[0]
    generator = np.random.default_rng(np.random.SeedSequence([_drawn(item), item.instance_id, first]))
    luck, phase_u, phase_v = generator.uniform(-0.5, 0.5), *generator.uniform(0.0, PHASE_M, 2)
    if ra_um is None:
        quantile = min(max(item.ra_quantile + RA_SPREAD * luck, 0.0), 1.0 - 1e-9)
        level = (np.floor(quantile * RA_LEVELS) + 0.5) / RA_LEVELS
        ra_um = round(ra_at(made_by, float(level)), 4)
    across, along = alpha_pair(made_by, ra_um, item.alpha_scale)
    return FaceFinish(first, made_by.name, ra_um, across, along, made_by.lay), (phase_u, phase_v)


def _drawn(item: ItemSpec) -> int:
    """Tells instances of different scenes apart; no finish depends on the pose otherwise."""
    return int(item.pose_quantile * 2**32)


def _materials(
    part: Part, cuts: tuple[Cut, ...], made_of: Metal, item: ItemSpec
) -> tuple[tuple[MetalMaterial, ...], NDArray[np.int32]]:
    """One material per distinct (process, Ra, coordinate), and the index of each face's material, (faces,) int32."""
    seed = int(np.random.SeedSequence([_drawn(item), item.instance_id]).generate_state(1)[0])
    index_of: dict[tuple[str, float, str], int] = {}
    materials: list[MetalMaterial] = []
    indices = np.zeros(len(part.info.faces), dtype=np.int32)
    for cut in cuts:
        key = (cut.finish.process, cut.finish.ra_um, cut.coordinate(part))
        if key not in index_of:
            index_of[key] = len(materials)
            materials.append(_material(cut, cut.coordinate(part), made_of, item, seed))
        indices[list(cut.faces)] = index_of[key]
    return tuple(materials), indices


def _material(cut: Cut, coordinate: str, made_of: Metal, item: ItemSpec, seed: int) -> MetalMaterial:
    finish = cut.finish
    alphas = (finish.alpha_across, finish.alpha_along)
    micro_alpha, relief = relief_of(cut.made_by, finish.ra_um, alphas, seed)
    rings = "-rings" if coordinate == "rings" else ""
    return MetalMaterial(
        name=f"{item.instance_id}-{made_of.name}-{finish.process}-{finish.ra_um:g}{rings}",
        metal=made_of.name,
        ior=made_of.ior,
        extinction=made_of.extinction,
        process=finish.process,
        ra_um=finish.ra_um,
        alpha_across=finish.alpha_across,
        alpha_along=finish.alpha_along,
        lay=finish.lay,
        micro_alpha=micro_alpha,
        relief=relief,
        coordinate="rings" if coordinate == "rings" else "vertex",
    )


def _grooves(part: Part, cuts: tuple[Cut, ...]) -> tuple[Lay, Vector]:
    """The lay, and (n, 3) groove coordinates in metres."""
    lay, groove = no_lay(len(part.vertices)), np.zeros((len(part.vertices), 3))
    members = vertices_of_faces(part)
    parting = parting_of(part) if any(cut.made_by.lay_kind == "parting" for cut in cuts) else None
    for cut in cuts:
        own = [members[face] for face in cut.faces]
        vertices = np.concatenate(own)
        if len(vertices) == 0:
            continue
        lay_cut(lay, part, vertices, cut.course)
        if cut.made_by.traces and cut.course.way != "none":
            coordinates = groove_coordinates(part, cut.faces, own, cut.course)
            groove[vertices, :2] = _shifted(part, cut, coordinates, own, parting)
    return lay, groove


def _shifted(
    part: Part, cut: Cut, coordinates: Vector, members: list[NDArray[np.int32]], parting: Parting | None
) -> Vector:
    """(n, 2) groove coordinates with the origin that the process wants."""
    kind = cut.made_by.lay_kind
    if cut.coordinate(part) == "rings" or kind == "build":
        return coordinates
    if parting is not None and kind == "parting":
        return np.concatenate([parting.coordinates(part, own) for own in members])
    u, v = coordinates.T
    if kind == "feed":
        return np.stack([u + cut.phase[0], v - 0.5 * (v.min() + v.max())], axis=1)
    closed = cut.course.way == "rings"
    return np.stack([u + cut.phase[0], v if closed else v + cut.phase[1]], axis=1)
