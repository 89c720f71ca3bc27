"""Residual transfer: the photo keeps its pixels and takes only the difference that diffusion made.

    output = photo + w * LP(result - round_trip)

*result* is what the decoder makes of the denoised latents, *round_trip* what it makes of the photo's own: what the VAE
loses is in both, so it cancels. LP is a Gaussian low pass within each region, so that nothing bleeds across a
silhouette; w is 0 near silhouettes and in protected regions. All values are sRGB-encoded. Does not cover: making the
two pictures (`engine`), judging the output (`gate`).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.transfer.settings import ResidualSettings

BACKGROUND = 0
_REACH_SIGMAS = 4.0
"""A Gaussian is cut there: less than 1e-4 of it lies beyond."""


def residual_transfer(
    photo: NDArray[np.uint8],
    result: NDArray[np.float32],
    round_trip: NDArray[np.float32],
    settings: ResidualSettings,
    instances: NDArray[np.uint16] | None = None,
    protected: NDArray[np.bool_] | None = None,
) -> NDArray[np.uint8]:
    """The photo (h, w, 3) with the difference of *result* and *round_trip* (h, w, 3; 0 to 1) put onto it.

    *instances* (h, w) tells the regions apart, 0 = background; without it the picture is one background. Pixels of
    *protected* (h, w) and those near silhouettes keep the photo's bytes.
    """
    regions = np.zeros(photo.shape[:2], np.uint16) if instances is None else instances
    change = low_pass_regions(result - round_trip, regions, settings)
    weight = change_weight(regions, protected, settings)
    changed = np.rint(photo + np.float32(255.0 * settings.gain) * weight[..., None] * change)
    output = np.clip(changed, 0, 255).astype(np.uint8)
    return np.where((weight > 0)[..., None], output, photo)


def plain_transfer(
    photo: NDArray[np.uint8], result: NDArray[np.float32], protected: NDArray[np.bool_] | None, ramp_px: float
) -> NDArray[np.uint8]:
    """The result (h, w, 3; 0 to 1) as bytes, faded into the photo towards protected regions, whose bytes stay."""
    output = np.rint(np.clip(result, 0, 1) * np.float32(255)).astype(np.uint8)
    if protected is None or not protected.any():
        return output
    weight = _rise(_distance_to(protected), 0.0, ramp_px)[..., None]
    faded = np.rint(photo + weight * (output.astype(np.float32) - photo)).astype(np.uint8)
    return np.where(weight > 0, faded, photo)


def low_pass_regions(
    change: NDArray[np.float32], regions: NDArray[np.uint16], settings: ResidualSettings
) -> NDArray[np.float32]:
    """*change* (h, w, 3) blurred within each region of *regions* (h, w) by itself: normalised convolution."""
    output = np.zeros_like(change)
    for region in np.unique(regions):
        inside = regions == region
        sigma = settings.sigma_background_px if region == BACKGROUND else settings.sigma_part_px
        box = _box(inside, round(_REACH_SIGMAS * sigma))
        mask = inside[box]
        output[box][mask] = _blur_inside(change[box], mask, sigma)[mask]
    return output


def change_weight(
    regions: NDArray[np.uint16], protected: NDArray[np.bool_] | None, settings: ResidualSettings
) -> NDArray[np.float32]:
    """Weight (h, w) of the difference: 0 within `silhouette_px` of a border between regions and where protected."""
    border = np.zeros(regions.shape, np.bool_)
    across, down = regions[:, 1:] != regions[:, :-1], regions[1:] != regions[:-1]
    border[:, 1:] |= across
    border[:, :-1] |= across
    border[1:] |= down
    border[:-1] |= down
    weight = _rise(_distance_to(border), settings.silhouette_px, settings.ramp_px)
    if protected is not None:
        weight = np.minimum(weight, _rise(_distance_to(protected), 0.0, settings.ramp_px))
    return weight


def _blur_inside(change: NDArray[np.float32], mask: NDArray[np.bool_], sigma: float) -> NDArray[np.float32]:
    if sigma == 0:
        return change
    weight = mask.astype(np.float32)
    size = 2 * round(_REACH_SIGMAS * sigma) + 1
    border = cv2.BORDER_REFLECT_101 if min(mask.shape) > size else cv2.BORDER_REPLICATE
    blurred = cv2.GaussianBlur(change * weight[..., None], (size, size), sigma, borderType=border)
    share = cv2.GaussianBlur(weight, (size, size), sigma, borderType=border)
    return np.asarray(blurred / np.maximum(share, np.float32(1e-6))[..., None], dtype=np.float32)


def _box(mask: NDArray[np.bool_], margin: int) -> tuple[slice, slice]:
    """Rows and columns of a mask that is not empty, with a margin."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        slice(max(int(rows[0]) - margin, 0), int(rows[-1]) + margin + 1),
        slice(max(int(columns[0]) - margin, 0), int(columns[-1]) + margin + 1),
    )


def _distance_to(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Distance of each pixel to the nearest one of *mask*, pixels; infinite without any."""
    if not mask.any():
        return np.full(mask.shape, np.inf, np.float32)
    inverse = np.logical_not(mask).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(inverse, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), dtype=np.float32)


def _rise(distance: NDArray[np.float32], start: float, ramp: float) -> NDArray[np.float32]:
    """0 up to *start* (and at distance 0), then a smooth step to 1 over *ramp* pixels."""
    if ramp == 0:
        return (distance > start).astype(np.float32)
    t = np.clip((distance - np.float32(start)) / np.float32(ramp), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)
