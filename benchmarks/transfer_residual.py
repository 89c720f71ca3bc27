"""Plain against residual transfer on a photo, with a stand-in for the networks whose loss and change are known.

The stand-in's round trip is a Gaussian blur chosen so that its PSNR is that of SD1.5's VAE on photographs (23.4 to 24.5
dB, sd-vae model card), its result the same blur of the photo with a warm tint of 8/255 and fresh grain. So it measures
what the two ways of composing do to a photo, not what a checkpoint does. Usage: python benchmarks/transfer_residual.py
[PHOTO.png [INSTANCES.png]]
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from pipeline.transfer.residual import plain_transfer, residual_transfer
from pipeline.transfer.settings import ResidualSettings

VAE_PSNR_DB = 24.0
TINT = np.array([8.0, 0.0, -8.0], np.float32) / 255
GRAIN = 4.0 / 255
SIDE = 512


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal to noise ratio of two pictures of 0 to 1, dB."""
    return float(-10 * np.log10(np.mean((a - b) ** 2) + 1e-12))


def round_trip(photo: np.ndarray) -> np.ndarray:
    """*photo* blurred until its PSNR is the VAE's."""
    low, high = 0.2, 20.0
    for _ in range(30):
        sigma = np.sqrt(low * high)
        low, high = (sigma, high) if psnr(photo, cv2.GaussianBlur(photo, (0, 0), sigma)) > VAE_PSNR_DB else (low, sigma)
    return cv2.GaussianBlur(photo, (0, 0), low)


def sharpness(photo: np.ndarray) -> float:
    """Energy of the Laplacian: what is left of edges and grain."""
    return float((cv2.Laplacian(photo.mean(axis=-1), cv2.CV_32F) ** 2).mean())


def test_scene() -> tuple[np.ndarray, np.ndarray]:
    """A brushed disc with a scratch on a table, and its instance."""
    rng = np.random.default_rng(1)
    ids = np.zeros((SIDE, SIDE), np.uint16)
    cv2.circle(ids, (256, 256), 150, 1, -1)
    lay = cv2.GaussianBlur(rng.normal(0, 60, (SIDE, SIDE)).astype(np.float32), (0, 0), sigmaX=12, sigmaY=0.7)
    grey = np.where(ids > 0, 150 + 8 * lay, 70).astype(np.float32)
    cv2.line(grey, (200, 220), (300, 260), 235.0, 2, cv2.LINE_AA)
    noisy = cv2.GaussianBlur(grey, (0, 0), 0.6)[..., None] + rng.normal(0, 3, (SIDE, SIDE, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8), ids


def main() -> None:
    """Measure and print."""
    names = [Path(name) for name in sys.argv[1:]]
    photo, ids = test_scene()
    if names:
        photo = cv2.imread(str(names[0]))[..., ::-1].copy()
        ids = np.zeros(photo.shape[:2], np.uint16)
    if len(names) > 1:
        ids = cv2.imread(str(names[1]), cv2.IMREAD_UNCHANGED)
    real = photo.astype(np.float32) / 255
    trip = round_trip(real)
    grain = np.random.default_rng(2).normal(0, GRAIN, real.shape).astype(np.float32)
    result = np.clip(trip + TINT + grain, 0, 1)
    sys.stdout.write(f"{'':<38}{'plain':>10}{'residual':>10}\n")
    for what, changed in (("networks change nothing", trip), ("networks add a tint and grain", result)):
        plain = plain_transfer(photo, changed, None, 3.0).astype(np.float32) / 255
        residual = residual_transfer(photo, changed, trip, ResidualSettings(), ids).astype(np.float32) / 255
        sys.stdout.write(f"{what}\n")
        rows = {
            "PSNR to the photo, dB": [psnr(real, one) for one in (plain, residual)],
            "sharpness kept": [sharpness(one) / sharpness(real) for one in (plain, residual)],
            "tint that arrives, of 1": [
                float((one - real).mean(axis=(0, 1)) @ TINT / (TINT @ TINT)) for one in (plain, residual)
            ],
        }
        for name, (first, second) in rows.items():
            sys.stdout.write(f"  {name:<36}{first:10.2f}{second:10.2f}\n")


if __name__ == "__main__":
    main()
