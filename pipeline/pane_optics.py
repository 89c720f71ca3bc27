"""What a pane of glass does to light on its way to a camera: Fresnel, and the double image of its two faces.

Both faces are plane, parallel, smooth and uncoated, and the glass absorbs nothing, so what is not transmitted is
reflected. Light is taken as unpolarised; each polarisation keeps to itself at every face, so the pane's transmittance
is the mean of both polarisations' own, T = (1 - F) / (1 + F) and R = 2 F / (1 + F) each with its own F (Born and Wolf,
Principles of Optics, 7th ed., 1.5.2 and 7.6, without interference: a pane is much thicker than the coherence length of
lamps). Putting the mean F into the same formula would be wrong by 3 % of R at 45 degrees. Does not cover: where panes
stand (`arrange.panes`), reading bundles (`view_light`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.arrange.arrangement import PlacedCamera, PlacedPane, matrix

GHOSTS: Final = 2
"""Images behind the front face's own. The second is F^2 of the first (0.2 % at normal incidence, 15 % at 80 degrees)
and carries the light of all later ones."""
_STEPS: Final = 3
"""Repetitions of looking up how far away the thing is that a ghost shows."""

Image = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class PaneGeometry:
    """The rays of a camera's pixels, and how they meet the pane before it."""

    camera: PlacedCamera
    pane: PlacedPane
    rays: NDArray[np.float64]
    """(h, w, 3) unit, through the pixel centres, camera's frame."""
    normal: NDArray[np.float64]
    """(3,) unit, towards the camera's side, camera's frame."""
    cosine: NDArray[np.float64]
    """(h, w) of the angle of incidence."""
    to_pane: NDArray[np.float64]
    """(h, w) metres along each ray to the front face."""

    @property
    def camera_from_pane(self) -> NDArray[np.float64]:
        """(4, 4) pose of the pane in the camera's frame, metres."""
        return matrix(self.camera.cam_from_world) @ matrix(self.pane.world_from_pane)

    @property
    def incidence_rad(self) -> NDArray[np.float64]:
        """(h, w) angle of incidence, radians."""
        return np.arccos(np.minimum(self.cosine, 1.0))


def pane_geometry(camera: PlacedCamera, pane: PlacedPane) -> PaneGeometry:
    """How every pixel of *camera* looks at *pane*. Raises ValueError when a ray does not meet it from the front."""
    columns = (np.arange(camera.width) + 0.5 - camera.cx) / camera.fx
    rows = (np.arange(camera.height) + 0.5 - camera.cy) / camera.fy
    rays = np.stack([*np.meshgrid(columns, rows), np.ones((camera.height, camera.width))], axis=-1)
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    cam_from_pane = matrix(camera.cam_from_world) @ matrix(pane.world_from_pane)
    normal, centre = cam_from_pane[:3, 2], cam_from_pane[:3, 3]
    cosine = -rays @ normal
    to_pane = float(-centre @ normal) / np.where(cosine == 0.0, 1e-12, cosine)
    if np.min(cosine) <= 0.0 or np.min(to_pane) <= 0.0:
        raise ValueError(f"expected a pane before camera {camera.camera_index} that every pixel sees from the front")
    return PaneGeometry(camera, pane, rays, normal, cosine, to_pane)


def fresnel(cosine: NDArray[np.float64], refractive_index: float) -> NDArray[np.float64]:
    """(2, ...) reflectance of one face for light polarised across (s) and along (p) the plane of incidence.

    *cosine* of the angle of incidence in air, *refractive_index* of the glass, 1 or more. The same from inside.
    """
    inner = _inner_cosine(cosine, refractive_index)
    across = (cosine - refractive_index * inner) / (cosine + refractive_index * inner)
    along = (refractive_index * cosine - inner) / (refractive_index * cosine + inner)
    return np.stack([across**2, along**2])


def transmittance(cosine: NDArray[np.float64], refractive_index: float) -> NDArray[np.float64]:
    """Share of unpolarised light that passes the whole pane, every inter-reflection counted."""
    face = fresnel(cosine, refractive_index)
    result: NDArray[np.float64] = ((1.0 - face) / (1.0 + face)).mean(axis=0)
    return result


def reflectances(cosine: NDArray[np.float64], refractive_index: float) -> NDArray[np.float64]:
    """(1 + GHOSTS, ...) shares of unpolarised light in the images of the front face, the back face, and beyond.

    Image 0 has F, image k has (1 - F)^2 F^(2k - 1); the last one carries the rest of the series, so that all together
    are 1 - `transmittance`.
    """
    face = fresnel(cosine, refractive_index)
    images = [face, *((1.0 - face) ** 2 * face ** (2 * k - 1) for k in range(1, GHOSTS))]
    images.append(2.0 * face / (1.0 + face) - sum(images))
    return np.stack(images).mean(axis=1)


def displacement(geometry: PaneGeometry) -> NDArray[np.float64]:
    """(h, w, 3) metres within the front face between where a ray enters the pane and where it leaves it again.

    2 t tan(theta_t) along the ray's own direction in the face; across the ray that is the well-known distance
    2 t tan(theta_t) cos(theta_i) of the two reflected rays.
    """
    pane, cosine = geometry.pane, geometry.cosine[..., None]
    within = geometry.rays + cosine * geometry.normal
    inner = _inner_cosine(cosine, pane.refractive_index)
    result: NDArray[np.float64] = 2.0 * pane.thickness_m * within / (pane.refractive_index * inner)
    return result


def ghost_map(
    geometry: PaneGeometry, distance: NDArray[np.floating], order: int = 1
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where in the front face's image the *order*-th ghost of each pixel lies: x and y (h, w), pixel centres at +0.5.

    A ray that leaves the pane displaced by delta runs parallel to the front face's own reflection. So after a path of
    D metres it meets what the front face shows in direction D u + order * delta. *distance* (h, w): metres from the
    pane to what each pixel mirrors, 0 for what is infinitely far, which has no double image. D is that of the thing
    that the ghost shows, found by repetition.
    """
    camera, delta = geometry.camera, order * displacement(geometry)
    path = np.where(distance > 0.0, geometry.to_pane + distance, np.inf)
    along = (geometry.rays * delta).sum(axis=-1)
    across_squared = (delta**2).sum(axis=-1) - along**2

    def look_up(seen: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where a ghost lies whose thing the front face's mirror image has at distances *seen* = |D u + delta|."""
        travelled = np.sqrt(np.maximum(seen**2 - across_squared, 1e-12)) - along
        return _project(geometry.rays + delta / travelled[..., None], camera)

    x, y = look_up(path)
    for _ in range(_STEPS):
        columns = np.clip(np.floor(x), 0, camera.width - 1).astype(np.int64)
        rows = np.clip(np.floor(y), 0, camera.height - 1).astype(np.int64)
        x, y = look_up(path[rows, columns])
    return x.astype(np.float32), y.astype(np.float32)


def _project(directions: NDArray[np.float64], camera: PlacedCamera) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x and y (h, w) in the image of directions (h, w, 3) in the camera's frame."""
    x = camera.cx + camera.fx * directions[..., 0] / directions[..., 2]
    y = camera.cy + camera.fy * directions[..., 1] / directions[..., 2]
    return x, y


def transmitted(image: Image, geometry: PaneGeometry) -> Image:
    """What the pane lets through of *image* (h, w, 3) or (h, w), seen without it.

    The picture keeps its place: a pane moves it as if the camera had been moved sideways by less than the thickness,
    which the calibration of a real camera contains.
    """
    share = transmittance(geometry.cosine, geometry.pane.refractive_index).astype(np.float32)
    return np.asarray(image * (share if image.ndim == 2 else share[..., None]), dtype=np.float32)


def reflected(mirror: Image, geometry: PaneGeometry, distance: NDArray[np.floating]) -> Image:
    """What the pane adds by reflection: the image of its front face and its ghosts.

    *mirror* (h, w, 3): what a perfect mirror in place of the front face shows; *distance* as in `ghost_map`.
    """
    shares = reflectances(geometry.cosine, geometry.pane.refractive_index).astype(np.float32)
    total = mirror * shares[0][..., None]
    for order in range(1, GHOSTS + 1):
        x, y = ghost_map(geometry, distance, order)
        # cv2.remap counts pixel centres from 0.
        ghost = cv2.remap(mirror, x - 0.5, y - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        total += ghost * shares[order][..., None]
    return np.asarray(total, dtype=np.float32)


def _inner_cosine(cosine: NDArray[np.float64], refractive_index: float) -> NDArray[np.float64]:
    """Cosine of the angle inside the glass, by Snell's law."""
    return np.sqrt(1.0 - (1.0 - cosine**2) / refractive_index**2)
