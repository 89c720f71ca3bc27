"""Panes: where the glass before a camera stands, and where the context camera looks.

A pane leans from the camera's axis by its tilt and stands at a distance along that axis, or at a share of the way to
the nearest thing in the frame. It must cover the frame and touch nothing in it: what cannot be is refused before
anything is rendered. Does not cover: what a pane does to light (`pane_optics`), how it is rendered (`render`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.arrange.arrangement import PlacedCamera, PlacedPane, matrix
from pipeline.errors import InputError
from pipeline.spec.scene import GlassSpec

STEEPEST_DEG: Final = 85.0
"""Largest angle between the pane's normal and a ray of the frame; beyond, a pane of any useful size ends within it."""
NEAREST_M: Final = 0.002
"""No pane stands nearer to the pinhole than this."""
FRAME_MARGIN: Final = 1.1
"""A pane reaches this far beyond what the frame needs."""
_RAYS_ACROSS: Final = 48
"""Rays per side of the frame that look for what the pane could touch."""

Mesh = tuple[NDArray[np.float64], NDArray[np.int32]]
"""Vertices (n, 3) in the world, metres, and triangles (m, 3)."""


def place_pane(spec: GlassSpec, camera: PlacedCamera, things: Sequence[Mesh]) -> PlacedPane:
    """The pane *spec* before *camera*, with parts and supports *things* behind it.

    Raises InputError for a thickness or index that no pane has, for a pane behind the lens, for one that does not
    cover the frame, and for one that would stand in a part or its support.
    """
    _check_material(spec)
    where = f"the glass before cameras[{camera.camera_index}]"
    normal = pane_normal(spec)
    rays = _frame_rays(camera)
    cosines = -rays @ normal
    _check_frame(spec, cosines, where)
    free = _free_distance(spec, camera, normal, cosines, things)
    distance = spec.share * free if spec.distance_m is None else spec.distance_m
    if distance < NEAREST_M:
        raise InputError(
            f"expected {where} at least {NEAREST_M:g} m before the lens, found {distance:.4g} m (behind the camera if "
            "negative); raise glass.distance_m, or the distance of the camera"
        )
    if distance >= free:
        raise InputError(
            f"expected {where} nearer than {max(free, 0.0):.4g} m, where it would stand in a part or what carries it, "
            f"found {distance:.4g} m; lower glass.distance_m, glass.tilt_deg or glass.thickness_mm"
        )
    return _placed(spec, camera, normal, distance)


def pane_normal(spec: GlassSpec) -> NDArray[np.float64]:
    """(3,) unit normal of the pane towards the camera's side, in the camera's frame (OpenCV)."""
    lean, azimuth = np.sin(spec.tilt_rad), spec.tilt_azimuth_rad
    return np.array([lean * np.cos(azimuth), lean * np.sin(azimuth), -np.cos(spec.tilt_rad)])


def context_camera(camera: PlacedCamera, normal: NDArray[np.float64]) -> PlacedCamera:
    """The camera at the same place that looks where a pane of unit *normal* (camera's frame) mirrors its axis to.

    A mirror image has the wrong hand; turning the mirrored right-hand axis about makes it a camera again, so the
    context view shows what the pane mirrors as a person in its place would see it.
    """
    mirror = np.eye(3) - 2.0 * np.outer(normal, normal)
    pose = matrix(camera.cam_from_world)
    turned = np.diag([-1.0, 1.0, 1.0]) @ mirror @ pose[:3, :3]
    position = -pose[:3, :3].T @ pose[:3, 3]
    context = np.eye(4)
    context[:3, :3], context[:3, 3] = turned, -turned @ position
    return replace(camera, cam_from_world=_flat(context), cx=camera.width - camera.cx)


def _check_material(spec: GlassSpec) -> None:
    if not spec.thickness_m > 0.0:
        raise InputError(f"expected a pane thicker than 0, found {spec.thickness_m:g} m; raise glass.thickness_mm")
    if not spec.refractive_index >= 1.0:
        raise InputError(
            f"expected a refractive index of at least 1 (vacuum), found {spec.refractive_index:g}; "
            "raise glass.refractive_index (glass has about 1.5)"
        )


def _check_frame(spec: GlassSpec, cosines: NDArray[np.float64], where: str) -> None:
    steepest = float(np.rad2deg(np.arccos(np.minimum(np.min(cosines), 1.0))))
    if steepest > STEEPEST_DEG:
        raise InputError(
            f"expected {where} to cover the whole frame (every ray within {STEEPEST_DEG:g} degrees of its normal), "
            f"found a ray at {steepest:.0f} degrees; lower glass.tilt_deg ({np.rad2deg(spec.tilt_rad):.0f}) or raise "
            "the focal length"
        )


def _frame_rays(camera: PlacedCamera) -> NDArray[np.float64]:
    """(n, 3) unit rays over the whole frame, its edges included, camera's frame."""
    x = (np.linspace(0.0, camera.width, _RAYS_ACROSS) - camera.cx) / camera.fx
    y = (np.linspace(0.0, camera.height, _RAYS_ACROSS) - camera.cy) / camera.fy
    slopes = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    rays = np.column_stack([slopes, np.ones(len(slopes))])
    result: NDArray[np.float64] = rays / np.linalg.norm(rays, axis=1, keepdims=True)
    return result


def _free_distance(
    spec: GlassSpec,
    camera: PlacedCamera,
    normal: NDArray[np.float64],
    cosines: NDArray[np.float64],
    things: Sequence[Mesh],
) -> float:
    """Distance along the axis, metres, at which the pane's back face would first touch one of *things* in the frame.

    Looked for at every vertex that the camera could see and along rays over the frame, which meet what has no vertex
    in it, such as a table's top.
    """
    pose = matrix(camera.cam_from_world)
    points = np.concatenate([vertices for vertices, _ in things]) @ pose[:3, :3].T + pose[:3, 3]
    seen = points[_within_frame(points, camera)]
    heights = [-seen @ normal, _first_hits(camera, things) * cosines]
    nearest = float(np.min(np.concatenate(heights), initial=np.inf))
    return (nearest - spec.thickness_m) / float(np.cos(spec.tilt_rad))


def _within_frame(points: NDArray[np.float64], camera: PlacedCamera) -> NDArray[np.bool_]:
    """Which (n, 3) points of the camera's frame project into the image."""
    x, y, z = points.T
    u, v = camera.fx * x + camera.cx * z, camera.fy * y + camera.cy * z
    inside: NDArray[np.bool_] = (z > 0) & (u >= 0) & (u <= camera.width * z) & (v >= 0) & (v <= camera.height * z)
    return inside


def _first_hits(camera: PlacedCamera, things: Sequence[Mesh]) -> NDArray[np.float64]:
    """(n,) metres along each of `_frame_rays` to the first of *things*; inf where there is none."""
    import trimesh  # imported here: planning a build loads no mesh library

    starts = np.cumsum([0, *(len(vertices) for vertices, _ in things)])
    vertices = np.concatenate([vertices for vertices, _ in things])
    triangles = np.concatenate([faces + start for (_, faces), start in zip(things, starts, strict=False)])
    mesh: Any = trimesh.Trimesh(vertices, triangles, process=False)
    pose = matrix(camera.cam_from_world)
    position, directions = -pose[:3, :3].T @ pose[:3, 3], _frame_rays(camera) @ pose[:3, :3]
    origins = np.broadcast_to(position, directions.shape)
    hit = np.asarray(mesh.ray.intersects_first(origins, directions), dtype=np.int64)
    corners = vertices[triangles[hit]]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    slope = (directions * normals).sum(axis=1)
    away = ((corners[:, 0] - position) * normals).sum(axis=1) / np.where(slope == 0.0, 1.0, slope)
    return np.where((hit >= 0) & (slope != 0.0), away, np.inf)


def _placed(spec: GlassSpec, camera: PlacedCamera, normal: NDArray[np.float64], distance: float) -> PlacedPane:
    """The pane with its normal at *distance* along the axis, as large as the frame needs."""
    right = np.array([1.0, 0.0, 0.0]) - normal[0] * normal
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(normal, right), normal], axis=1)
    centre = np.array([0.0, 0.0, distance])
    rays = _frame_rays(camera)
    met = rays * ((centre @ normal) / (rays @ normal))[:, None] - centre
    half = np.abs(met @ axes[:, :2]).max(axis=0) * FRAME_MARGIN
    cam_from_pane = np.eye(4)
    cam_from_pane[:3, :3], cam_from_pane[:3, 3] = axes, centre
    return PlacedPane(
        kind=spec.kind,
        thickness_m=spec.thickness_m,
        refractive_index=spec.refractive_index,
        world_from_pane=_flat(np.linalg.inv(matrix(camera.cam_from_world)) @ cam_from_pane),
        size_m=(2.0 * float(half[0]), 2.0 * float(half[1])),
        context=context_camera(camera, normal),
    )


def _flat(pose: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(v) for v in pose.ravel())
