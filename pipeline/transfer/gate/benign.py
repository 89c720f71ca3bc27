"""Changes after which every label still holds: what thresholds are calibrated on, and what must not raise an alarm.

Covers: sensor noise, JPEG, exposure, and a stand-in for the round trip through the autoencoder of Stable Diffusion
where there are no weights. Does not cover: the real round trip (whoever has the weights hands its pictures to
`limits.calibrate`). All functions take and give (h, w, 3) uint8 sRGB; the same generator gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Photo = NDArray[np.uint8]
Change = Callable[[Photo, np.random.Generator], Photo]

NOISE_CODES: Final = (1.0, 4.0)
"""Standard deviation of the added noise in 8-bit codes, drawn on a log scale: base gain to about ISO 1600."""
JPEG_QUALITY: Final = 85
HALF_STOP: Final = 0.5
VAE_PSNR_DB: Final = 24.0
"""Round trip of the autoencoder: 23.4 dB (kl-f8), 24.5 dB (ft-MSE) on COCO 2017 at 256 px. Source: model card
stabilityai/sd-vae-ft-mse."""
_CELL_PX: Final = 8
"""Pixels of a photo per pixel of its latent image."""
_MOST_REPLACED: Final = 0.25
"""Share of the fine detail that the stand-in replaces at most, however smooth the photo is. An estimate."""

_LEAST_DETAIL: Final = 4.0
"""Rms of the fine detail in codes that the stand-in assumes where a photo has less. An estimate."""


def sensor_noise(photo: Photo, rng: np.random.Generator) -> Photo:
    """Signal-dependent Gaussian noise: variance grows from a quarter at black to all at white."""
    low, high = np.log(NOISE_CODES)
    sigma = np.exp(rng.uniform(low, high)) * np.sqrt(0.25 + 0.75 * photo.astype(np.float32) / 255.0)
    return to_codes(photo + sigma * rng.standard_normal(photo.shape, dtype=np.float32))


def jpeg(photo: Photo, rng: np.random.Generator) -> Photo:
    """Through a JPEG file of quality 85, chroma at half resolution (OpenCV's default). Draws nothing from *rng*."""
    done, data = cv2.imencode(".jpg", photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise OSError("OpenCV could not encode a JPEG")
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)[..., ::-1])


def exposure(photo: Photo, rng: np.random.Generator) -> Photo:
    """Half a stop more or less light, in linear light; what exceeds white clips."""
    gain = 2.0 ** (HALF_STOP if rng.random() < 0.5 else -HALF_STOP)
    return to_codes(255.0 * to_display(gain * to_linear(photo)))


def vae_round_trip(photo: Photo, rng: np.random.Generator) -> Photo:
    """A stand-in for decode(encode(photo)) of the SD1.5 autoencoder, made of its published loss. Not the model.

    An 8 x 8 cell becomes four numbers, so detail finer than a cell is invented anew by the decoder, with about the
    energy that it had; colour keeps one value per cell; edges ring a little. Here: chroma is averaged over cells and
    interpolated; of the luma's detail (what a Gaussian of a quarter cell, 2 px, removes) a share is replaced by noise
    of the same band and local energy (at least _LEAST_DETAIL codes: flat areas get grain), of strong edges less of
    it, so that nowhere more than the published error is replaced. The share is chosen so that the PSNR is
    VAE_PSNR_DB, but not above _MOST_REPLACED: smooth renders lose less than photographs do, in the model too.
    """
    luma, chroma = _split(photo)
    coarse = cv2.GaussianBlur(luma, (0, 0), _CELL_PX / 4)
    detail = luma - coarse
    local = np.sqrt(cv2.GaussianBlur(detail**2, (0, 0), _CELL_PX / 2))
    weak = np.minimum(1.0, 255.0 * 10.0 ** (-VAE_PSNR_DB / 20.0) / np.maximum(local, 1e-3))
    fresh = _fresh_detail(np.clip(local, _LEAST_DETAIL, None), rng)
    ringing = 0.06 * (luma - cv2.GaussianBlur(luma, (0, 0), _CELL_PX / 2))
    colour = _by_cells(chroma)
    low, high = 0.0, _MOST_REPLACED
    result = photo
    for _ in range(6):  # bisection: PSNR falls with the share that is replaced
        share = 0.5 * (low + high) * weak
        result = _join(coarse + (1.0 - share) * detail + np.sqrt(share * (2.0 - share)) * fresh + ringing, colour)
        if psnr_db(photo, result) < VAE_PSNR_DB:
            high = 0.5 * (low + high)
        else:
            low = 0.5 * (low + high)
    return result


BENIGN: Final[dict[str, Change]] = {
    "sensor noise": sensor_noise,
    "JPEG 85": jpeg,
    "exposure of half a stop": exposure,
    "VAE round trip (stand-in)": vae_round_trip,
}
"""The changes that may raise at most 2 % false alarms each."""


def psnr_db(first: Photo, second: Photo) -> float:
    """Peak signal-to-noise ratio of two photos (h, w, 3) uint8, decibels; infinite when they are equal."""
    error = float(np.mean((first.astype(np.float32) - second) ** 2))
    return float("inf") if error == 0.0 else float(10.0 * np.log10(255.0**2 / error))


def to_linear(photo: Photo) -> NDArray[np.float32]:
    """sRGB codes to linear light 0..1 (IEC 61966-2-1)."""
    return _LINEAR[photo]


def to_display(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear light to sRGB 0..1 (IEC 61966-2-1); clips below 0 and above 1."""
    value = np.clip(linear, 0.0, 1.0)
    return np.asarray(np.where(value <= 0.0031308, 12.92 * value, 1.055 * value ** (1 / 2.4) - 0.055), np.float32)


def to_codes(values: NDArray[np.float32]) -> Photo:
    """Numbers on the scale of 0..255 to the nearest codes."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


_CODES: Final = np.arange(256, dtype=np.float64) / 255.0
_LINEAR: Final = np.where(_CODES <= 0.04045, _CODES / 12.92, ((_CODES + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _split(photo: Photo) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Luma (h, w) and chroma (h, w, 2) of BT.601, codes."""
    mixed = cv2.cvtColor(photo.astype(np.float32), cv2.COLOR_RGB2YCrCb)
    return np.ascontiguousarray(mixed[..., 0]), np.ascontiguousarray(mixed[..., 1:])


def _join(luma: NDArray[np.float32], chroma: NDArray[np.float32]) -> Photo:
    mixed = np.dstack([luma.astype(np.float32), chroma])
    return to_codes(cv2.cvtColor(mixed, cv2.COLOR_YCrCb2RGB))


def _by_cells(chroma: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w, 2): one value per 8 x 8 cell, linear between their centres."""
    height, width = chroma.shape[:2]
    cells = (max(1, round(width / _CELL_PX)), max(1, round(height / _CELL_PX)))
    small = cv2.resize(chroma, cells, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def _fresh_detail(local: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """(h, w) noise of the band of fine detail, of the standard deviation *local* (h, w)."""
    noise = rng.standard_normal(local.shape, dtype=np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 0.8)
    noise -= cv2.GaussianBlur(noise, (0, 0), _CELL_PX / 4)
    return np.asarray(noise * local / noise.std(), dtype=np.float32)
