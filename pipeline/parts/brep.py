"""STEP and IGES files to bodies, through cascadio (Open CASCADE).

Covers: calling the kernel in one or two passes, lengths in metres, one body per placed shape, colours per face, and
naming what was skipped. Does not cover: limits (`child`), joining bodies into a Part (`assemble`).

What cascadio 0.1.1 does, measured: the tolerance is in millimetres whatever the file's unit; meshes of STEP files come
in metres but those of IGES files in millimetres; surface definitions always come in metres; both are in the shape's own
frame.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import cascadio
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError
from pipeline.parts.body import Body, Color, Reading
from pipeline.parts.check import LARGEST_DIAMETER_M, check_size, check_triangles
from pipeline.parts.container import LengthUnit, StepContents, without_styles
from pipeline.parts.kernel_glb import KernelPatch, KernelScene, KernelShape, read_kernel_glb
from pipeline.parts.limits import Limits, Tolerance
from pipeline.parts.surfaces import Surface, distance, from_kernel, moved
from pipeline.parts.topology import connected_triangles, count_ids, count_open_edges, extent, rows_by_id, weld

IGES_METRES: Final = 1e-3
"""Length unit of cascadio's meshes of IGES files."""
COARSE_MM: Final = 1.0
COARSE_ANGLE: Final = 0.8
"""First pass: only the size of the part is wanted."""
_GIANT_STEPS: Final = 100.0
"""Tolerance for looking at a part that may be too large: its farthest coordinate over this."""
_POINT = re.compile(rb"CARTESIAN_POINT\s*\(\s*'[^']*'\s*,\s*\(([^)]*)\)")


@dataclass(frozen=True)
class _Pass:
    """How to call the kernel."""

    linear_mm: float
    angular_rad: float
    is_step: bool

    @property
    def metres(self) -> float:
        return 1.0 if self.is_step else IGES_METRES


def read_brep(data: bytes, contents: StepContents | LengthUnit, tolerance: Tolerance, limits: Limits) -> Reading:
    """Bodies of a STEP file (*contents* is its StepContents) or of an IGES file (its LengthUnit).

    Raises InputError for files without solids, of implausible size or over the triangle limit.
    """
    is_step = isinstance(contents, StepContents)
    unit = contents.unit if isinstance(contents, StepContents) else contents
    if isinstance(contents, StepContents):
        _refuse_giants(data, unit)
    linear_m = tolerance.linear_m
    if linear_m is None or tolerance.relative_to_diameter is not None:
        coarse = _bodies(_run(data, _Pass(COARSE_MM, COARSE_ANGLE, is_step)), is_step)
        check_triangles(sum(len(b.triangles) for b in coarse), limits)
        linear_m = tolerance.for_diameter(check_size([b.vertices for b in coarse], unit))
    fine = _Pass(linear_m * 1e3, tolerance.angular_rad, is_step)
    styled = _run(data, fine)
    plain = _run(without_styles(data), fine) if is_step and _has_face_colors(styled) else styled
    bodies = _bodies(plain, is_step)
    check_triangles(sum(len(b.triangles) for b in bodies), limits)
    if plain is not styled:
        bodies = _colored(bodies, _bodies(styled, is_step))
    bodies, skipped = _solids_only(bodies, contents)
    return Reading(bodies, (*_skipped_nodes(styled, contents), *skipped), linear_m, exact_normals=True)


def _refuse_giants(data: bytes, unit: LengthUnit) -> None:
    """Look coarsely at a STEP file with far coordinates: a part in a wrong unit would be meshed for minutes."""
    numbers = (number for point in _POINT.findall(data) for number in point.split(b","))
    farthest_m = max((abs(float(number)) for number in numbers if _is_number(number)), default=0.0) * unit.metres
    if farthest_m > LARGEST_DIAMETER_M:
        look = _Pass(farthest_m * 1e3 / _GIANT_STEPS, COARSE_ANGLE, is_step=True)
        check_size([body.vertices for body in _bodies(_run(data, look), is_step=True)], unit)


def _is_number(text: bytes) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _run(data: bytes, how: _Pass) -> KernelScene:
    """Call the kernel once. Raises InputError when it makes nothing of the file."""
    glb = cascadio.to_glb_bytes(
        data,
        file_type=cascadio.STEP if how.is_step else cascadio.IGES,
        tol_linear=how.linear_mm,
        tol_angular=how.angular_rad,
        tol_relative=False,
        merge_primitives=True,
        use_parallel=False,
        include_brep=True,
        include_materials=True,
    )
    if not glb:
        raise InputError(
            "the CAD kernel found nothing that it can read in this file; it may be damaged, or hold no geometry: "
            "open it in a CAD program and export it again as STEP AP214 or AP242"
        )
    scene = read_kernel_glb(glb)
    if how.is_step:
        return scene
    return KernelScene(tuple(_in_metres(shape, how.metres) for shape in scene.shapes), scene.empty)


def _in_metres(shape: KernelShape, metres: float) -> KernelShape:
    matrix = shape.matrix.copy()
    matrix[:3, 3] *= metres
    patches = tuple(replace(p, vertices=p.vertices * metres) for p in shape.patches)
    return KernelShape(shape.name, matrix, patches, shape.has_curves)


def _bodies(scene: KernelScene, is_step: bool) -> tuple[Body, ...]:
    """One body per placed shape that has triangles."""
    kind = "STEP" if is_step else "IGES"
    bodies = tuple(_body(shape) for shape in scene.shapes if any(len(p.triangles) for p in shape.patches))
    if not bodies:
        raise InputError(
            f"this {kind} file holds no surfaces, only curves, points or empty nodes; "
            "Glint needs a solid: export the solid body from the CAD program"
        )
    return bodies


def _body(shape: KernelShape) -> Body:
    """Bake a shape's patches and its placement into one body."""
    first_vertex = np.cumsum([0, *(len(p.vertices) for p in shape.patches)])
    first_face = np.cumsum([0, *(len(p.definitions) for p in shape.patches)])
    turn = shape.matrix[:3, :3]
    mirrored = np.linalg.det(turn) < 0
    triangles = np.concatenate([p.triangles + first_vertex[i] for i, p in enumerate(shape.patches)])
    return Body(
        name=shape.name or "solid",
        vertices=np.concatenate([p.vertices for p in shape.patches]) @ turn.T + shape.matrix[:3, 3],
        normals=np.concatenate([p.normals for p in shape.patches]) @ np.linalg.inv(turn),
        triangles=(triangles[:, ::-1] if mirrored else triangles).astype(np.int32),
        face_of_triangle=np.concatenate(
            [p.face_of_triangle + first_face[i] for i, p in enumerate(shape.patches)]
        ).astype(np.int32),
        surfaces=tuple(s and moved(s, shape.matrix) for p in shape.patches for s in _true_surfaces(p)),
        colors=tuple(p.color for p in shape.patches for _ in p.definitions),
    )


def _true_surfaces(patch: KernelPatch) -> Iterable[Surface | None]:
    """The patch's analytic surfaces; one whose own vertices do not lie on it is dropped."""
    size = extent(patch.vertices) + extent(np.abs(np.vstack([patch.vertices, np.zeros(3)])))
    rows = rows_by_id(patch.face_of_triangle, len(patch.definitions))
    for definition, own in zip(patch.definitions, rows, strict=True):
        surface = from_kernel(definition)
        if surface is None:
            yield None
            continue
        points = patch.vertices[np.unique(patch.triangles[own])]
        yield surface if np.all(np.abs(distance(surface, points)) < 1e-6 * size + 1e-9) else None


def _has_face_colors(scene: KernelScene) -> bool:
    return any(len(shape.patches) > 1 for shape in scene.shapes)


def _colored(bodies: tuple[Body, ...], styled: tuple[Body, ...]) -> tuple[Body, ...]:
    """Give *bodies* the colours of the same faces in *styled*, found by where their triangles lie."""
    color_at: dict[bytes, Color | None] = {}
    for body in styled:
        for key, color in zip(_face_keys(body), body.colors, strict=True):
            color_at.setdefault(key, color)
    return tuple(replace(b, colors=tuple(color_at.get(key) for key in _face_keys(b))) for b in bodies)


def _face_keys(body: Body) -> list[bytes]:
    """A fingerprint of every face: its mean corner and its mean area vector, rounded."""
    size = extent(body.vertices) or 1.0
    rows = rows_by_id(body.face_of_triangle, len(body.surfaces))
    return [_fingerprint(body.vertices[body.triangles[own]], size) for own in rows]


def _fingerprint(corners: NDArray[np.float64], size: float) -> bytes:
    if len(corners) == 0:
        return b""
    turn = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).sum(axis=0) / size**2
    return bytes(np.round(np.concatenate([corners.mean(axis=(0, 1)) / size, turn]) * 1e5).astype(np.int64).tobytes())


def _solids_only(
    bodies: tuple[Body, ...], contents: StepContents | LengthUnit
) -> tuple[tuple[Body, ...], tuple[str, ...]]:
    """Leave out what is an open surface. Raises InputError when nothing else is there.

    A solid of a STEP file that the kernel meshed with gaps is kept if the file holds solids and no free surfaces.
    """
    if isinstance(contents, StepContents) and contents.solids and not contents.surfaces:
        return bodies, ()
    kept, skipped, open_edges = [], [], 0
    for body in bodies:
        count = _count_open(body)
        closed = _closed_part(body) if count else body
        open_edges += count
        if count:
            skipped.append(f"surfaces without a solid: {body.name!r}")
        if closed is not None:
            kept.append(closed)
    if not kept:
        raise InputError(
            f"this file holds only surfaces, no solid ({open_edges} open edges in {len(bodies)} surface bodies); "
            "join them into a solid in the CAD program (sew or knit) and export it as STEP"
        )
    return tuple(kept), tuple(skipped)


def _closed_part(body: Body) -> Body | None:
    """The connected pieces of *body* that are closed, or None."""
    welded = weld(body.vertices)[body.triangles]
    piece = connected_triangles(welded)
    pieces = rows_by_id(piece, count_ids(piece))
    closed = [i for i, own in enumerate(pieces) if count_open_edges(welded[own]) == 0]
    rows = np.isin(piece, closed)
    if not rows.any():
        return None
    return replace(body, triangles=body.triangles[rows], face_of_triangle=body.face_of_triangle[rows])


def _count_open(body: Body) -> int:
    """Open edges after welding; vertices are welded by distance only when exact equality leaves gaps."""
    count = count_open_edges(weld(body.vertices)[body.triangles])
    if count:
        size = extent(body.vertices)
        count = min(count, count_open_edges(weld(body.vertices, 1e-6 * size)[body.triangles]))
    return count


def _skipped_nodes(scene: KernelScene, contents: StepContents | LengthUnit) -> tuple[str, ...]:
    """Sentences for the curves and empty nodes of a file, whether or not the kernel still shows them."""
    curves = [f"free curves or edges: {shape.name!r}" for shape in scene.shapes if shape.has_curves]
    if not curves and isinstance(contents, StepContents) and contents.curve_sets:
        curves = [f"free curves or edges: {contents.curve_sets} set(s) of them"]
    return (*curves, *(f"empty node: {name!r}" for name in scene.empty))
