"""Chips: a piece that broke out of an edge and left a rough, shell-shaped fracture."""

from __future__ import annotations

from typing import Final

import numpy as np

from pipeline.bundle import PlacedDefect
from pipeline.spec.scene import DefectSpec
from pipeline.surface.defects.body import Body, bare_metal, with_material
from pipeline.surface.defects.cutting import Triangles, Vector, cut_out
from pipeline.surface.defects.edges import choose, convex_edges, stretch
from pipeline.surface.defects.kinds import shape_of
from pipeline.surface.defects.shape import Shape
from pipeline.surface.roles import Workpiece

FRACTURE_ALPHA: Final = 0.4
RINGS, SECTORS = 20, 40
"""Facets of the fracture from pole to pole and around."""


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
    polar = np.linspace(0.0, np.pi, RINGS + 1)[1:-1]
    turn = np.arange(SECTORS) * (2.0 * np.pi / SECTORS)
    theta, phi = np.meshgrid(polar, turn, indexing="ij")
    unit = np.stack([np.sin(theta) * np.cos(phi), np.cos(theta), np.sin(theta) * np.sin(phi)], axis=-1)
    lumps = np.ones(theta.shape)
    for _ in range(14):
        direction = random.standard_normal(3)
        lumps += 0.035 * np.sin(unit @ direction * random.uniform(2.0, 9.0) + random.uniform(0.0, 6.28))
    shells = 0.025 * np.abs(np.sin(9.0 * theta + random.uniform(0.0, 3.0)))
    lumps += shells + 0.02 * random.standard_normal(theta.shape)
    radii = np.array([0.5 * shape.length_m, 2.0 * depth, 2.2 * depth])
    ball = unit * lumps[..., None]
    # The pole theta = 0 points inwards: move the ball out until it reaches just `depth` below the edge.
    points = np.concatenate([[[0.0, 1.0, 0.0]], ball.reshape(-1, 3), [[0.0, -1.0, 0.0]]]) * radii
    points[:, 1] += depth - points[:, 1].max()
    return at + points @ axes, _sphere_triangles(len(polar), axes)


def _sphere_triangles(rows: int, axes: Vector) -> Triangles:
    """Triangles of a ball: pole, *rows* rings of SECTORS points, pole; they face outwards."""
    k = np.arange(SECTORS)
    after = (k + 1) % SECTORS
    triangles = [np.stack([np.zeros(SECTORS, dtype=np.int64), 1 + after, 1 + k], axis=1)]
    for row in range(rows - 1):
        a, b = 1 + row * SECTORS, 1 + (row + 1) * SECTORS
        triangles += [np.stack([a + k, a + after, b + k], axis=1), np.stack([a + after, b + after, b + k], axis=1)]
    last, pole = 1 + (rows - 1) * SECTORS, 1 + rows * SECTORS
    triangles.append(np.stack([last + k, last + after, np.full(SECTORS, pole)], axis=1))
    result = np.concatenate(triangles).astype(np.int64)
    return result if np.linalg.det(axes) > 0.0 else result[:, ::-1]
