"""Cameras: PlacedCamera from CameraSpec, in OpenCV's convention.

A camera looks at the middle of the arrangement plus its jitter, from spherical coordinates. When what it asks for
would see nothing (below the support, inside a part, behind the wall of a bin) it is raised degree by degree, and
moved away where raising does not help. Does not cover: lenses (`camera`), lamps and room walls in the way (`light`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.arrange.arrangement import PlacedCamera
from pipeline.arrange.supports import Enclosure
from pipeline.errors import InputError
from pipeline.spec.scene import CameraSpec

LOWEST_M: Final = 0.02
"""A camera stands at least this high above the support."""
CLEARANCE_M: Final = 0.02
"""And this far outside the bounding box of every part."""
SEEN_SHARE: Final = 0.6
"""Share of each part's extreme points that must be seen over rims and walls."""

_STEEPEST_RAD: Final = np.deg2rad(89.0)
_RAISE_RAD: Final = np.deg2rad(1.0)
_AWAY: Final = 1.1
_AWAY_STEPS: Final = 60


@dataclass(frozen=True, eq=False)
class Subject:
    """What the cameras look at, world frame, metres."""

    centre: NDArray[np.float64]
    """(3,) centre of the bounding sphere."""
    radius: float
    clouds: Sequence[NDArray[np.float64]]
    """Extreme points of each part, (k, 3)."""
    enclosure: Enclosure | None
    heaped: bool = False
    """The parts hide one another anyway: the wall may hide SEEN_SHARE of all of them, not of each."""


def place_camera(spec: CameraSpec, subject: Subject) -> PlacedCamera:
    """Place one camera. Raises InputError when no elevation and distance shows the parts."""
    target = subject.centre + subject.radius * np.array(spec.look_at_jitter)
    for distance, elevation in attempts(spec, subject.radius):
        camera, position = placed_at(spec, distance, elevation, target)
        if sees(position, subject):
            return camera
    raise InputError(
        f"expected cameras[{spec.camera_index}] to see the parts, found every place from elevation "
        f"{np.rad2deg(spec.elevation_rad):.0f} degrees upward blocked; raise its elevation or distance"
    )


def placed_at(
    spec: CameraSpec, distance: float, elevation: float, target: NDArray[np.float64]
) -> tuple[PlacedCamera, NDArray[np.float64]]:
    """The camera that looks at *target* (3,) from *distance* metres and *elevation* radians, and its position (3,)."""
    position = target + distance * direction(spec.azimuth_rad, elevation)
    return _camera(spec, look_rotation(spec.azimuth_rad, elevation, spec.roll_rad), position), position


def fill_distance(spec: CameraSpec, radius: float) -> float:
    """Distance at which a sphere of *radius* at the image centre covers `fill` of the frame's short side, metres.

    The cone from the lens that touches the sphere has half-angle asin(radius / distance), and its rim is imaged
    fx * tan(half-angle) pixels from the principal point.
    """
    if spec.fill is None:
        raise ValueError("fill_distance needs a camera with fill")
    half_angle = np.arctan(spec.fill * min(spec.width, spec.height) / 2.0 / focal_px(spec))
    return float(radius / np.sin(half_angle))


def focal_px(spec: CameraSpec) -> float:
    """Focal length in pixels; pixels are square and the sensor's width is the image's width."""
    return spec.focal_mm / spec.sensor_width_mm * spec.width


def direction(azimuth: float, elevation: float) -> NDArray[np.float64]:
    """(3,) unit vector from the look-at point to the camera; azimuth from +x towards +y, radians."""
    flat = np.cos(elevation)
    return np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)])


def look_rotation(azimuth: float, elevation: float, roll: float) -> NDArray[np.float64]:
    """(3, 3) rotation cam_from_world: rows are the camera's right, down and forward.

    Written out from the angles rather than by cross products with "up", so that it holds straight above as well. A
    positive roll turns the camera clockwise as seen from behind it, so its picture turns counter-clockwise.
    """
    forward = -direction(azimuth, elevation)
    right = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    down = np.cross(forward, right)
    cos, sin = np.cos(roll), np.sin(roll)
    return np.stack([cos * right + sin * down, cos * down - sin * right, forward])


def _camera(spec: CameraSpec, rotation: NDArray[np.float64], position: NDArray[np.float64]) -> PlacedCamera:
    pose = np.eye(4)
    pose[:3, :3] = rotation
    pose[:3, 3] = -rotation @ position
    focal = focal_px(spec)
    return PlacedCamera(
        camera_index=spec.camera_index,
        cam_from_world=tuple(float(v) for v in pose.ravel()),
        fx=focal,
        fy=focal,
        cx=spec.width / 2.0,
        cy=spec.height / 2.0,
        width=spec.width,
        height=spec.height,
    )


def attempts(spec: CameraSpec, radius: float) -> Iterator[tuple[float, float]]:
    """(distance, elevation) to try: as asked, then steeper, then the same from farther away."""
    asked = fill_distance(spec, radius) if spec.distance_m is None else spec.distance_m
    steeper = np.arange(spec.elevation_rad + _RAISE_RAD, _STEEPEST_RAD, _RAISE_RAD)
    elevations = [spec.elevation_rad, *(float(e) for e in steeper)]
    for step in range(_AWAY_STEPS):
        for elevation in elevations:
            yield asked * _AWAY**step, elevation


def sees(position: NDArray[np.float64], subject: Subject) -> bool:
    """True when a camera at *position* stands free and no rim or wall hides a part from it."""
    if position[2] <= LOWEST_M:
        return False
    for cloud in subject.clouds:
        low, high = cloud.min(axis=0) - CLEARANCE_M, cloud.max(axis=0) + CLEARANCE_M
        if np.all(position > low) and np.all(position < high):
            return False
    if subject.enclosure is None:
        return True
    enclosure = subject.enclosure
    shares = [float(np.mean(clears(position, cloud, enclosure))) for cloud in subject.clouds]
    return (float(np.mean(shares)) if subject.heaped else min(shares)) >= SEEN_SHARE


def clears(position: NDArray[np.float64], points: NDArray[np.float64], enclosure: Enclosure) -> NDArray[np.bool_]:
    """(n,) whether the line from (n, 3) *points* inside *enclosure* to *position* passes above its upper edge."""
    ray = position - points
    half = np.array([enclosure.half_x, enclosure.half_y])
    with np.errstate(divide="ignore", invalid="ignore"):
        to_edge = np.where(ray[:, :2] >= 0.0, half - points[:, :2], -half - points[:, :2]) / ray[:, :2]
    # A ray that runs parallel to an edge never meets it.
    share = np.min(np.where(ray[:, :2] == 0.0, np.inf, to_edge), axis=1)
    height = points[:, 2] + np.minimum(share, 1.0) * ray[:, 2]
    return np.asarray(height >= enclosure.height)
