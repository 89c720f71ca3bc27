"""Chips: a piece that broke out of an edge and left a rough, shell-shaped fracture."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.spatial import ConvexHull

from pipeline.bundle import PlacedDefect
from pipeline.spec.scene import DefectSpec
from pipeline.surface.defects.body import Body, bare_metal, with_material
from pipeline.surface.defects.cutting import Triangles, Vector, cut_out
from pipeline.surface.defects.edges import choose, convex_edges, stretch
from pipeline.surface.defects.kinds import shape_of
from pipeline.surface.defects.shape import Shape
from pipeline.surface.roles import Workpiece

FRACTURE_ALPHA: Final = 0.4
POINTS: Final = 2500
"""Corners of the tool; a quarter of them or so ends up in the fracture."""


def chip(body: Body, workpiece: Workpiece, spec: DefectSpec, instance_id: int) -> tuple[Body, PlacedDefect] | str:
    """*body* with a piece of an edge broken out, or why none is."""
    shape = shape_of(spec)
    edges = [edge for edge in convex_edges(body.part) if edge.length_m > 1.2 * shape.length_m]
    if not edges:
        return f"expected a sharp convex edge longer than {1.2e3 * shape.length_m:.2g} mm, found none"
    edge = choose(edges, spec.face_quantile)
    random = shape.random()
    points, one, other = stretch(edge, 0.2 * shape.length_m, random.random(), 0.1 * shape.length_m)
    k = len(points) // 2
    along = points[-1] - points[0]
    inward = -(one[k] + other[k]) / np.linalg.norm(one[k] + other[k])
    # Depth is measured along the bisector of the faces; the ball's middle lies outside of the edge.
    axes = _axes(along / np.linalg.norm(along), inward)
    tool, triangles = _shell(shape, points[k], axes, random)
    name = f"{instance_id}-chip-{spec.defect_id}"
    surface, material = with_material(body.surface, bare_metal(body, name, "fracture", FRACTURE_ALPHA))
    cut = cut_out(Body(body.part, surface), tool, triangles, edge.solid, material)
    if isinstance(cut, str):
        return cut
    opened = cut.surface.material_of_triangle == material
    seen = cut.part.vertices[cut.part.triangles[opened]].reshape(-1, 3)
    centre = seen.mean(axis=0)
    length = float(np.ptp((seen - centre) @ axes[0]))
    depth = float(((seen - points[k]) @ inward).max())
    placed = PlacedDefect(
        instance_id=instance_id,
        defect_id=spec.defect_id,
        kind=spec.kind,
        severity=spec.severity,
        face_ids=edge.faces,
        centre_m=(float(centre[0]), float(centre[1]), float(centre[2])),
        size_m=(length, float(np.ptp((seen - centre) @ axes[2]))),
        depth_m=depth,
        material=name,
    )
    return cut, placed


def _axes(along: Vector, inward: Vector) -> Vector:
    """Rows: along the edge, into the part, across."""
    inward = inward - (inward @ along) * along
    inward /= np.linalg.norm(inward)
    return np.stack([along, inward, np.cross(along, inward)])


def _shell(shape: Shape, at: Vector, axes: Vector, random: np.random.Generator) -> tuple[Vector, Triangles]:
    """A lumpy ellipsoid whose lowest point lies *depth_m* inside the edge, with steps like those of a shell."""
    depth = min(shape.depth_m, 0.6 * shape.length_m)
    unit = _even_points(POINTS)
    lumps = np.ones(len(unit))
    for frequency in np.geomspace(2.0, 30.0, 24):  # ever finer: a fracture is rough at every scale
        direction = random.standard_normal(3)
        wave = np.sin(frequency * (unit @ direction / np.linalg.norm(direction)) + random.uniform(0.0, 2.0 * np.pi))
        lumps += 0.12 / frequency * wave
    theta = np.arccos(np.clip(unit[:, 1], -1.0, 1.0))
    lumps += 0.018 * np.abs(np.sin(11.0 * theta + random.uniform(0.0, 3.0)))  # the steps of a conchoidal fracture
    radii = np.array([0.5 * shape.length_m, 2.0 * depth, 2.2 * depth])
    points = unit * lumps[:, None] * radii
    points[:, 1] += depth - points[:, 1].max()
    return at + points @ axes, _outward(ConvexHull(unit).simplices, unit, axes)


def _even_points(count: int) -> Vector:
    """(count, 3) points spread evenly over the unit sphere: Fibonacci's spiral."""
    k = np.arange(count) + 0.5
    z, turn = 1.0 - 2.0 * k / count, np.pi * (1.0 + np.sqrt(5.0)) * k
    r = np.sqrt(1.0 - z * z)
    return np.stack([r * np.cos(turn), r * np.sin(turn), z], axis=1)


def _outward(triangles: Triangles, unit: Vector, axes: Vector) -> Triangles:
    """*triangles* of points on a ball in a frame with *axes*, turned so that they face outwards."""
    a, b, c = (unit[triangles[:, k]] for k in range(3))
    wrong = ((np.cross(b - a, c - a) * a).sum(axis=1) < 0.0) ^ (float(np.linalg.det(axes)) < 0.0)
    turned = triangles.astype(np.int64)
    turned[wrong] = turned[wrong][:, ::-1]
    return turned
