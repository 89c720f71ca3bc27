"""Demosaicking against the paper's formulas written out, on fields that every method must keep, and by quality."""

import numpy as np
import pytest

from pipeline.camera.demosaic import demosaic

METHODS = ["bilinear", "edge_aware", "malvar"]
CHANNEL = [[0, 1], [1, 2]]


def mosaic_of(rgb: np.ndarray) -> np.ndarray:
    mosaic = np.empty(rgb.shape[:2], np.float32)
    for row in (0, 1):
        for column in (0, 1):
            mosaic[row::2, column::2] = rgb[row::2, column::2, CHANNEL[row][column]]
    return mosaic


def rings(size: int = 128) -> np.ndarray:
    """A grey zone plate, a little tinted: fine detail in every direction."""
    y, x = np.mgrid[:size, :size] - size / 2
    grey = 0.5 + 0.3 * np.cos((x * x + y * y) / (1.6 * size))
    return np.float32(grey[..., None] * np.array([1.0, 0.95, 0.9]))


@pytest.mark.parametrize("method", METHODS)
def test_a_flat_colour_stays(method) -> None:
    flat = np.broadcast_to(np.float32([0.7, 0.4, 0.15]), (20, 24, 3))
    np.testing.assert_allclose(demosaic(mosaic_of(flat), method), flat, atol=2e-5)


@pytest.mark.parametrize("method", METHODS)
def test_a_slope_stays_and_so_does_noise_below_black(method) -> None:
    y, x = np.mgrid[:40, :48]
    slope = np.float32(0.004 * x + 0.006 * y - 0.02)[..., None] * np.ones(3, np.float32)
    found = demosaic(mosaic_of(slope), method)
    np.testing.assert_allclose(found[4:-4, 4:-4], slope[4:-4, 4:-4], atol=4e-5)
    assert found[5, 5].max() < 0.05


@pytest.mark.parametrize("method", METHODS)
def test_what_was_measured_is_not_changed(method) -> None:
    mosaic = np.random.default_rng(3).random((32, 32)).astype(np.float32)
    found = demosaic(mosaic, method)
    for row in (0, 1):
        for column in (0, 1):
            kept = found[row::2, column::2, CHANNEL[row][column]][1:-1, 1:-1]
            np.testing.assert_allclose(kept, mosaic[row::2, column::2][1:-1, 1:-1], atol=2e-5)


def test_malvar_follows_the_paper_s_equations() -> None:
    """Equations 2 to 5: bilinear plus alpha, beta, gamma = 1/2, 5/8, 3/4 of the Laplacian of the pixel's channel."""
    m = np.random.default_rng(4).random((40, 40))
    found = demosaic(np.float32(m), "malvar")
    near = (-1, 1)
    for i, j in ((10, 10), (11, 11), (16, 20), (21, 17)):  # red and blue pixels
        laplacian = m[i, j] - (m[i - 2, j] + m[i + 2, j] + m[i, j - 2] + m[i, j + 2]) / 4
        green = sum(m[i + d, j] + m[i, j + d] for d in near) / 4
        other = sum(m[i + a, j + b] for a in near for b in near) / 4
        assert found[i, j, 1] == pytest.approx(green + laplacian / 2, abs=1e-5)
        assert found[i, j, 2 if i % 2 == 0 else 0] == pytest.approx(other + 0.75 * laplacian, abs=1e-5)
    for i, j in ((10, 11), (20, 23)):  # green pixels of the red rows
        diagonal = sum(m[i + a, j + b] for a in near for b in near)
        along = m[i, j - 2] + m[i, j + 2]
        across = m[i - 2, j] + m[i + 2, j]
        red = (m[i, j - 1] + m[i, j + 1]) / 2 + 5 / 8 * (m[i, j] - (along + diagonal - across / 2) / 5)
        assert found[i, j, 0] == pytest.approx(red, abs=1e-5)


def test_the_better_the_method_the_smaller_the_error() -> None:
    image = rings()
    error = {m: np.square(demosaic(mosaic_of(image), m) - image)[8:-8, 8:-8].mean() for m in METHODS}
    assert error["malvar"] < 0.6 * error["bilinear"]
    assert error["edge_aware"] < error["bilinear"]
