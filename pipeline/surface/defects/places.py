"""Where a drawn defect lies: the face, the point on it, the direction, and the chart that lays the raster down.

Covers: choosing among the faces that can carry a kind, by area, and finding room on one. Does not cover: edges and
holes (`edges`, `holes`), the drawing (`drawings`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.defect_patches import PatchPose, chart
from pipeline.parts.part import Face, Part
from pipeline.surface.defects.kinds import Where
from pipeline.surface.material import FinishedSurface
from pipeline.surface.operations import Operation

Vector = NDArray[np.float64]

CAST: Final = frozenset({"sand_cast", "die_cast", "investment_cast"})
UNCUT: Final = CAST | {
    "forged",
    "hot_rolled",
    "cold_rolled",
    "stainless_2b",
    "stainless_ba",
    "extruded",
    "anodised_matt",
    "printed",
    "laser_cut",
    "flame_cut",
    "eroded",
    "bead_blasted",
    "grit_blasted",
    "shot_peened",
    "tumbled",
    "electropolished",
}
"""Processes without a cutting edge or wheel whose vibration or dwelling could show."""
BROAD_RADIUS_M: Final = 4e-3
"""A finger or a puddle of oil needs a plane or a convex round face of at least this radius."""
TRIES: Final = 32
ENOUGH: Final = 0.85
"""Share of a patch that must lie on the face."""
SHRINK: Final = 0.75
"""A patch that finds no room is made this much smaller, down to the smallest size of its kind."""
FACING: Final = 0.75
"""On a face without a chart of its own: cosine of the largest angle between its normals and the patch's axis."""


@dataclass(frozen=True)
class Place:
    """A patch's place on a part."""

    face_ids: tuple[int, ...]
    centre_m: tuple[float, float, float]
    length_m: float
    pose: PatchPose
    """Its size is that of the room; the raster sets the final one."""


def carriers(part: Part, surface: FinishedSurface, operations: Sequence[Operation], on: Where) -> list[Operation]:
    """The operations that can carry a defect which lies *on* such faces."""
    process = {finish.face_id: finish.process for finish in surface.finishes}
    if on == "cut":
        return [o for o in operations if process[o.faces[0]] not in UNCUT]
    if on == "cast_first":
        return [o for o in operations if process[o.faces[0]] in CAST] or list(operations)
    if on == "broad":
        return [o for o in operations if _is_broad(o.face)]
    return list(operations)


def find_place(
    part: Part,
    surface: FinishedSurface,
    operations: Sequence[Operation],
    *,
    length_m: float,
    least_m: float,
    aspect: float,
    along_lay: bool,
    quantile: float,
    seed: int,
) -> Place | None:
    """A place for a patch of *length_m* and *aspect*, made smaller where needed but not below *least_m*.

    *quantile* chooses the face by area; the next ones are tried when it has no room. None when no face has.
    """
    if not operations:
        return None
    areas = np.array([operation.area_m2 for operation in operations])
    first = int(np.searchsorted(np.cumsum(areas), quantile * areas.sum(), side="right"))
    for k in range(len(operations)):
        operation = operations[(first + k) % len(operations)]
        random = np.random.default_rng(np.random.SeedSequence([seed, 7, operation.faces[0]]))
        length = length_m
        while True:
            place = _on_operation(part, surface, operation, (length, aspect * length), along_lay, random)
            if place is not None:
                return place
            if length <= least_m:
                break
            length = max(SHRINK * length, least_m)
    return None


def _is_broad(face: Face) -> bool:
    if face.kind == "plane":
        return True
    return face.inner is False and (face.radius_m or 0.0) >= BROAD_RADIUS_M


def _on_operation(
    part: Part,
    surface: FinishedSurface,
    operation: Operation,
    size: tuple[float, float],
    along_lay: bool,
    random: np.random.Generator,
) -> Place | None:
    """The roomiest of some random places, if it is roomy enough."""
    if operation.area_m2 < 0.5 * size[0] * size[1]:
        return None
    rows = np.flatnonzero(np.isin(part.face_of_triangle, operation.faces))
    corners = part.vertices[part.triangles[rows]]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    if areas.sum() <= 0.0:
        return None
    best, best_room = None, 0.0
    for _ in range(TRIES):
        k = int(np.searchsorted(np.cumsum(areas), random.random() * areas.sum(), side="right"))
        triangle = part.triangles[rows[min(k, len(rows) - 1)]]
        weights = random.dirichlet((1.0, 1.0, 1.0))
        angle = random.uniform(0.0, 2.0 * math.pi)
        pose = _pose(part, operation.face, triangle, weights, size, angle)
        if along_lay:
            pose = _turned(pose, surface, part, triangle, weights)
        room = _room(pose, corners)
        if room > best_room + 1e-9:
            best, best_room = pose, room
        if best_room > 0.999:
            break
    if best is None or best_room < ENOUGH:
        return None
    centre = np.linalg.inv(np.array(best.patch_from_part).reshape(4, 4))[:3, 3]
    return Place(operation.faces, (float(centre[0]), float(centre[1]), float(centre[2])), size[0], best)


def _pose(
    part: Part, face: Face, triangle: NDArray[np.int32], weights: Vector, size: tuple[float, float], angle: float
) -> PatchPose:
    """The chart at a point of *face*: unrolled on cylinders and cones, flat elsewhere."""
    point = weights @ part.vertices[triangle]
    normal = weights @ part.normals[triangle].astype(np.float64)
    normal /= np.linalg.norm(normal)
    if face.kind in ("cylinder", "cone") and face.axis is not None and face.origin is not None:
        y = np.array(face.axis)
        arm = point - np.array(face.origin)
        arm -= (arm @ y) * y
        radius = float(face.radius_m or 0.0) if face.kind == "cylinder" else float(np.linalg.norm(arm))
        z = arm / np.linalg.norm(arm)
        point = point + (radius - float(np.linalg.norm(arm))) * z
        sign = 1.0 if normal @ z > 0.0 else -1.0
        return PatchPose(_frame(point, y, sign * z), size, sign * radius, angle, 3.0 * radius)
    y = np.eye(3)[int(np.argmin(np.abs(normal)))]
    y = y - (y @ normal) * normal
    reach = 1e-3 if face.kind == "plane" else 0.5 * max(size)
    return PatchPose(_frame(point, y / np.linalg.norm(y), normal), size, 0.0, angle, reach)


def _frame(origin: Vector, y: Vector, z: Vector) -> tuple[float, ...]:
    rotation = np.stack([np.cross(y, z), y, z])
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, -rotation @ origin
    return tuple(float(v) for v in matrix.ravel())


def _turned(
    pose: PatchPose, surface: FinishedSurface, part: Part, triangle: NDArray[np.int32], weights: Vector
) -> PatchPose:
    """*pose* with its x axis along the grooves; as it is where there are none."""
    matrix = np.array(pose.patch_from_part).reshape(4, 4)
    point = weights @ part.vertices[triangle]
    arm = point - surface.lay_origin[triangle[0]]
    groove = surface.lay[triangle[0]] + np.cross(surface.lay_axis[triangle[0]], arm)
    u, v = matrix[0, :3] @ groove, matrix[1, :3] @ groove
    if math.hypot(u, v) < 1e-9:
        return pose
    return PatchPose(pose.patch_from_part, pose.size_m, pose.radius_m, math.atan2(v, u), pose.reach_m)


def _room(pose: PatchPose, corners: Vector) -> float:
    """Share of the patch's rectangle, without its corners, that lies on triangles *corners* (m, 3, 3)."""
    xy, near = chart(pose, corners.reshape(-1, 3))
    xy, near = xy.reshape(-1, 3, 2), near.reshape(-1, 3).all(axis=1)
    half = 0.5 * np.array(pose.size_m)
    near &= ~((xy.min(axis=1) > half).any(axis=1) | (xy.max(axis=1) < -half).any(axis=1))
    if pose.radius_m != 0.0:  # triangles across the cut of the unrolled cylinder
        near &= np.ptp(xy, axis=1).max(axis=1) < math.pi * abs(pose.radius_m)
    else:
        z = np.array(pose.patch_from_part).reshape(4, 4)[2, :3]
        across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        near &= across @ z > FACING * np.linalg.norm(across, axis=1)
    points = _test_points() * half
    return float(_covered(points, xy[near]).mean())


def _test_points() -> Vector:
    """(n, 2) points of the square -1..1 that lie in its inscribed superellipse."""
    axis = np.linspace(-0.97, 0.97, 9)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    result: Vector = points[(points**4).sum(axis=1) < 1.0]
    return result


def _covered(points: Vector, triangles: Vector) -> NDArray[np.bool_]:
    """Which of *points* (n, 2) lie in any of *triangles* (m, 3, 2)."""
    inside = np.zeros(len(points), dtype=bool)
    if len(triangles) == 0:
        return inside
    a, ab, ac = triangles[:, 0], triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    area = np.where(np.abs(area) < 1e-20, np.nan, area)
    for k, point in enumerate(points):
        d = point - a
        s = (d[:, 0] * ac[:, 1] - d[:, 1] * ac[:, 0]) / area
        t = (ab[:, 0] * d[:, 1] - ab[:, 1] * d[:, 0]) / area
        inside[k] = bool(((s >= -1e-6) & (t >= -1e-6) & (s + t <= 1.0 + 1e-6)).any())
    return inside
