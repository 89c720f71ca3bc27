"""Burrs: a ragged fin along an edge, thin at its crest and leaning over one of the faces."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.ndimage import gaussian_filter1d

from pipeline.bundle import PlacedDefect
from pipeline.spec.scene import DefectSpec
from pipeline.surface.defects.body import NO_FACE, Addition, Body, bare_metal, with_material, with_triangles
from pipeline.surface.defects.edges import Edge, Vector, choose, convex_edges, stretch
from pipeline.surface.defects.kinds import shape_of
from pipeline.surface.defects.places import UNCUT
from pipeline.surface.defects.shape import Shape
from pipeline.surface.roles import Workpiece

LEVELS: Final = 5
"""Rows of quads from root to crest on either side."""
ROOT: Final = 0.5
"""The fin reaches this share of its thickness below the edge, so that no gap shows."""
BURR_ALPHA: Final = 0.18


def burr(body: Body, workpiece: Workpiece, spec: DefectSpec, instance_id: int) -> tuple[Body, PlacedDefect] | str:
    """*body* with a burr along an edge of a cut face, or why it has none."""
    shape = shape_of(spec)
    cut = {finish.face_id for finish in body.surface.finishes if finish.process not in UNCUT}
    edges = [edge for edge in convex_edges(body.part) if cut & set(edge.faces) and edge.length_m > 0.3e-3]
    if not edges:
        return "expected a sharp convex edge of a cut face, found none"
    edge = choose(edges, spec.face_quantile)
    name = f"{instance_id}-burr-{spec.defect_id}"
    surface, material = with_material(body.surface, bare_metal(body, name, "burr", BURR_ALPHA))
    fin, height = _fin(edge, shape, material)
    placed = PlacedDefect(
        instance_id=instance_id,
        defect_id=spec.defect_id,
        kind=spec.kind,
        severity=spec.severity,
        face_ids=edge.faces,
        centre_m=_point(fin.vertices.mean(axis=0)),
        size_m=(min(shape.length_m, 0.94 * edge.length_m), shape.width_m),
        depth_m=height,
        material=name,
    )
    return with_triangles(Body(body.part, surface), fin), placed


def _fin(edge: Edge, shape: Shape, material: int) -> tuple[Addition, float]:
    """The fin's triangles, and its greatest height."""
    random = shape.random()
    step = min(0.25 * shape.width_m + 0.04 * shape.depth_m, shape.length_m / 40)
    points, one, other = stretch(edge, shape.length_m, random.random(), step)
    up, over = (one, other) if random.random() < 0.5 else (other, one)
    # The tool leaves in the direction of `up`; the fin stands that way and curls over the other face.
    count = len(points)
    rough = gaussian_filter1d(random.standard_normal(count), 1.2)
    slow = gaussian_filter1d(random.standard_normal(count), max(count / 16, 2.0))
    profile = np.clip(0.62 + 0.22 * rough / max(rough.std(), 1e-9) + 0.2 * slow / max(slow.std(), 1e-9), 0.08, 1.0)
    ends = np.clip(np.linspace(0.0, 1.0, count) * 12, 0.0, 1.0) * np.clip(np.linspace(1.0, 0.0, count) * 12, 0.0, 1.0)
    height = shape.depth_m * profile * ends
    lean = np.clip(0.35 + 0.3 * slow, 0.0, 0.9)
    rows = []
    for side in (0.5, -0.5):
        for level in range(LEVELS) if side > 0 else range(LEVELS - 2, -1, -1):
            t = level / (LEVELS - 1)
            thick = side * shape.width_m * (1.0 - t) ** 0.7
            middle = points - (ROOT + 0.5) * shape.width_m * over - ROOT * shape.width_m * up * (t == 0.0)
            rise = (height * t)[:, None] * up + (height * lean * t * t)[:, None] * over
            rows.append(middle + rise + (thick + 0.5 * shape.width_m) * over)
    return _sheet(rows, edge.solid, material), float(height.max())


def _sheet(rows: list[Vector], solid: int, material: int) -> Addition:
    """Flat-shaded triangles between neighbouring rows (each (k, 3)), turned so that they face outwards."""
    grid = np.stack(rows)
    a, b, c, d = grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]
    corners = np.concatenate([np.stack([a, b, c], axis=2), np.stack([a, c, d], axis=2)]).reshape(-1, 3, 3)
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    corners = corners[np.linalg.norm(across, axis=1) > 1e-16]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    spine = grid[[0, -1]].mean(axis=0)
    middle = spine.mean(axis=0)
    volume = float(((corners - middle).mean(axis=1) * across).sum())
    if volume < 0.0:
        corners, across = corners[:, ::-1], -across
    normals = np.repeat(across / np.linalg.norm(across, axis=1, keepdims=True), 3, axis=0)
    count = len(corners)
    return Addition(
        vertices=corners.reshape(-1, 3),
        normals=normals,
        triangles=np.arange(3 * count).reshape(-1, 3),
        face=np.full(count, NO_FACE, dtype=np.int32),
        solid=np.full(count, solid, dtype=np.int32),
        material=np.full(count, material, dtype=np.int32),
    )


def _point(values: Vector) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
