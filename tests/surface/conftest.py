"""Parts made by hand for the surface tests: exact meshes and faces without a CAD kernel."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pipeline.parts.part import Face, Part, PartInfo, Solid, Symmetries
from pipeline.spec.scene import ItemSpec

Patch = tuple[np.ndarray, np.ndarray, np.ndarray, dict]
"""Vertices, normals, triangles and the fields of a Face."""


def cylinder_patch(
    radius, z0, z1, *, inner=False, start=0.0, sweep=2 * math.pi, centre=(0.0, 0.0), segments=24
) -> Patch:
    angles = start + np.linspace(0.0, sweep, segments + 1)
    ring = np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], axis=1)
    middle = np.array([*centre, 0.0])
    vertices = np.concatenate([middle + radius * ring + [0, 0, z] for z in (z0, z1)])
    normals = np.concatenate([ring, ring]) * (-1.0 if inner else 1.0)
    low = np.arange(segments)
    high = low + segments + 1
    triangles = np.concatenate([np.stack([low, low + 1, high + 1], axis=1), np.stack([low, high + 1, high], axis=1)])
    face = {
        "kind": "cylinder",
        "area_m2": radius * sweep * (z1 - z0),
        "origin": (*centre, z0),
        "axis": (0.0, 0.0, 1.0),
        "radius_m": radius,
        "inner": inner,
    }
    return vertices, normals, triangles[:, ::-1] if inner else triangles, face


def annulus_patch(r0, r1, z, up, segments=24) -> Patch:
    angles = np.linspace(0.0, 2 * math.pi, segments + 1)
    ring = np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], axis=1)
    vertices = np.concatenate([r * ring + [0, 0, z] for r in (r0, r1)])
    low = np.arange(segments)
    high = low + segments + 1
    triangles = np.concatenate([np.stack([low, high, high + 1], axis=1), np.stack([low, high + 1, low + 1], axis=1)])
    normal = (0.0, 0.0, 1.0 if up else -1.0)
    area = math.pi * (r1 * r1 - r0 * r0)
    face = {"kind": "plane", "area_m2": area, "origin": (0.0, 0.0, z), "axis": normal}
    return vertices, np.tile(normal, (len(vertices), 1)), triangles if up else triangles[:, ::-1], face


def rectangle_patch(corner, along, across) -> Patch:
    corner, along, across = (np.array(v, dtype=float) for v in (corner, along, across))
    vertices = np.array([corner, corner + along, corner + along + across, corner + across])
    cross = np.cross(along, across)
    area = float(np.linalg.norm(cross))
    face = {"kind": "plane", "area_m2": area, "origin": tuple(corner), "axis": tuple(cross / area)}
    return vertices, np.tile(cross / area, (4, 1)), np.array([[0, 1, 2], [0, 2, 3]]), face


def block_patches(length, width, height) -> list[Patch]:
    x, y, z = (length, 0, 0), (0, width, 0), (0, 0, height)
    return [
        rectangle_patch((0, 0, height), x, y),
        rectangle_patch((0, 0, 0), y, x),
        rectangle_patch((0, 0, 0), x, z),
        rectangle_patch((length, width, 0), (-length, 0, 0), z),
        rectangle_patch((length, 0, 0), y, z),
        rectangle_patch((0, width, 0), (0, -width, 0), z),
    ]


def assemble(patches: list[Patch], rotation: np.ndarray | None = None, offset=(0.0, 0.0, 0.0)) -> Part:
    turn, shift = np.eye(3) if rotation is None else rotation, np.array(offset)
    vertices, normals, triangles, face_ids, faces, count = [], [], [], [], [], 0
    for face_id, (v, n, t, fields) in enumerate(patches):
        vertices.append(v @ turn.T + shift)
        normals.append(n @ turn.T)
        triangles.append(t + count)
        face_ids.append(np.full(len(t), face_id))
        count += len(v)
        empty = {"origin": None, "axis": None, "radius_m": None, "minor_radius_m": None, "inner": None}
        face = Face(face_id=face_id, solid_id=0, name=None, color=None, **{**empty, **fields})
        if face.origin is not None:
            face = replace(face, origin=tuple(float(x) for x in turn @ np.array(face.origin) + shift))
        if face.axis is not None:
            face = replace(face, axis=tuple(float(x) for x in turn @ np.array(face.axis)))
        faces.append(face)
    points = np.concatenate(vertices)
    low, high = points.min(axis=0), points.max(axis=0)
    area = sum(face.area_m2 for face in faces)
    info = PartInfo(
        name="made",
        source_file="made.step",
        source_sha256="0" * 64,
        file_format="step",
        units="m",
        units_source="file",
        solids=(Solid(0, "made", None, True, 1e-6),),
        faces=tuple(faces),
        bounds_m=(tuple(map(float, low)), tuple(map(float, high))),
        diameter_m=float(np.linalg.norm(high - low)),
        volume_m3=1e-6,
        area_m2=area,
        watertight=True,
        tolerance_m=1e-5,
        exact_normals=True,
        skipped=(),
        resting_poses=(),
        symmetries=Symmetries((), ()),
    )
    of_triangle = np.concatenate(face_ids).astype(np.int32)
    return Part(
        info,
        points,
        np.concatenate(normals).astype(np.float32),
        np.concatenate(triangles).astype(np.int32),
        of_triangle,
        np.zeros_like(of_triangle),
    )


@pytest.fixture
def tilted() -> np.ndarray:
    """A rotation about no world axis."""
    from scipy.spatial.transform import Rotation

    return Rotation.from_rotvec([0.7, -1.1, 0.4]).as_matrix()


@pytest.fixture
def make_bush() -> Callable[..., Part]:
    """A tube: 0 outer wall, 1 and 2 the halves of the bore, 3 and 4 its ends."""

    def make(outer=0.02, bore=0.006, length=0.03, rotation=None, offset=(0.0, 0.0, 0.0)) -> Part:
        half = math.pi
        patches = [
            cylinder_patch(outer, 0, length),
            cylinder_patch(bore, 0, length, inner=True, sweep=half),
            cylinder_patch(bore, 0, length, inner=True, start=half, sweep=half),
            annulus_patch(bore, outer, length, True),
            annulus_patch(bore, outer, 0.0, False),
        ]
        return assemble(patches, rotation, offset)

    return make


@pytest.fixture
def make_block() -> Callable[..., Part]:
    """A block 80 x 40 x 10 mm: 0 top, 1 bottom, 2 and 3 long sides, 4 and 5 short sides, then *extra* patches."""

    def make(extra=(), rotation=None) -> Part:
        return assemble([*block_patches(0.08, 0.04, 0.01), *extra], rotation)

    return make


@pytest.fixture
def hole() -> Callable[..., Patch]:
    return cylinder_patch


@pytest.fixture
def assemble_parts() -> Callable[..., Part]:
    """A part of any patches."""
    return assemble


@pytest.fixture
def make_ball() -> Callable[..., Part]:
    """A ball of 10 mm radius that is one freeform face, as read from a mesh."""

    def make() -> Part:
        import trimesh

        ball = trimesh.creation.icosphere(3, 0.01)
        face = {"kind": "freeform", "area_m2": float(ball.area)}
        return assemble([(ball.vertices, ball.vertices / 0.01, ball.faces, face)])

    return make


@pytest.fixture
def make_item() -> Callable[..., ItemSpec]:
    def make(finish="machined", quantile=0.5, alpha_scale=1.0, instance_id=1, metal="steel_carbon") -> ItemSpec:
        return ItemSpec(
            instance_id=instance_id,
            part_id="made",
            part_file="assets:parts/made.step",
            part_units=None,
            category="made",
            metal=metal,
            finish=finish,
            ra_quantile=quantile,
            alpha_scale=alpha_scale,
            pose_quantile=0.0,
            yaw_rad=0.0,
        )

    return make
