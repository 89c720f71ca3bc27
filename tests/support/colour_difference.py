"""A colour chart and the difference between colours that people see.

Covers: the 24 patches of the ColorChecker in sRGB, CIE L*a*b*, CIEDE2000. Does not cover: spectra.
"""

from __future__ import annotations

import numpy as np

CHART_SRGB = (
    (115, 82, 68), (194, 150, 130), (98, 122, 157), (87, 108, 67), (133, 128, 177), (103, 189, 170),
    (214, 126, 44), (80, 91, 166), (193, 90, 99), (94, 60, 108), (157, 188, 64), (224, 163, 46),
    (56, 61, 150), (70, 148, 73), (175, 54, 60), (231, 199, 31), (187, 86, 149), (8, 133, 161),
    (243, 243, 242), (200, 200, 200), (160, 160, 160), (122, 122, 121), (85, 85, 85), (52, 52, 52),
)  # fmt: skip
"""X-Rite's published sRGB values of the ColorChecker Classic, row by row."""

_XYZ_FROM_REC709 = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def linear_from_srgb(codes: np.ndarray) -> np.ndarray:
    """Linear light of sRGB codes 0..255 (IEC 61966-2-1)."""
    share = np.asarray(codes, dtype=np.float64) / 255.0
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def chart(patch: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """Linear Rec.709 of the chart as an image (4 patch, 6 patch, 3) float32, and of its patches (24, 3)."""
    colours = linear_from_srgb(np.array(CHART_SRGB))
    image = np.repeat(np.repeat(colours.reshape(4, 6, 3), patch, axis=0), patch, axis=1)
    return image.astype(np.float32), colours


def patch_means(image: np.ndarray, patch: int = 48) -> np.ndarray:
    """Mean (24, 3) of the inner part of each patch."""
    blocks = image.reshape(4, patch, 6, patch, 3)[:, 8:-8, :, 8:-8]
    return blocks.mean(axis=(1, 3), dtype=np.float64).reshape(24, 3)


def lab(linear: np.ndarray) -> np.ndarray:
    """CIE L*a*b* (n, 3) under D65 of linear Rec.709 (n, 3); CIE 15:2018, section 8.2.1."""
    t = linear @ _XYZ_FROM_REC709.T / _XYZ_FROM_REC709.sum(axis=1)
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def delta_e_2000(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """CIEDE2000 (n,) of two lists of L*a*b* (n, 3): Sharma, Wu, Dalal, Color Research & Application 30 (2005)."""
    (l1, a1, b1), (l2, a2, b2) = np.asarray(first, float).T, np.asarray(second, float).T
    mean_c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - np.sqrt(mean_c7 / (mean_c7 + 25.0**7)))
    c1, c2 = np.hypot((1 + g) * a1, b1), np.hypot((1 + g) * a2, b2)
    h1, h2 = np.arctan2(b1, (1 + g) * a1) % (2 * np.pi), np.arctan2(b2, (1 + g) * a2) % (2 * np.pi)
    grey = c1 * c2 == 0
    turn = np.where(grey, 0.0, (h2 - h1 + np.pi) % (2 * np.pi) - np.pi)
    mean_h = np.where(grey, h1 + h2, h1 + turn / 2) % (2 * np.pi)
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    t = (
        1 - 0.17 * np.cos(mean_h - np.radians(30)) + 0.24 * np.cos(2 * mean_h)
        + 0.32 * np.cos(3 * mean_h + np.radians(6)) - 0.20 * np.cos(4 * mean_h - np.radians(63))
    )  # fmt: skip
    s_l = 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    s_c, s_h = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    tilt = np.radians(30) * np.exp(-(((np.degrees(mean_h) - 275) / 25) ** 2))
    r_t = -2 * np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7)) * np.sin(2 * tilt)
    d_l, d_c, d_h = (l2 - l1) / s_l, (c2 - c1) / s_c, 2 * np.sqrt(c1 * c2) * np.sin(turn / 2) / s_h
    return np.sqrt(d_l**2 + d_c**2 + d_h**2 + r_t * d_c * d_h)
