"""Noise reduction and sharpening: measured noise, kept edges, the unsharp formula."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from pipeline.camera.detail import denoise, picture_noise, sharpen


def noisy(sigma: float, grey: np.ndarray | float = 120.0, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    base = np.broadcast_to(np.asarray(grey, float)[..., None] if np.ndim(grey) else grey, (120, 160, 3))
    return np.clip(np.rint(base + rng.normal(0, sigma, base.shape)), 0, 255).astype(np.uint8)


def step() -> np.ndarray:
    image = np.full((120, 160), 60.0)
    image[:, 80:] = 180.0
    return image


@pytest.mark.parametrize("sigma", [1.0, 3.0, 8.0])
def test_the_noise_of_a_picture_with_edges_is_measured(sigma) -> None:
    grey = noisy(sigma, step())[..., 0]
    assert picture_noise(grey) == pytest.approx(sigma, rel=0.1, abs=0.15)


def test_noise_falls_with_strength_and_edges_stay() -> None:
    image = noisy(5.0, step())
    flat = (slice(10, 110), slice(10, 60))
    weak, strong = denoise(image, 0.4), denoise(image, 1.0)
    left = [picture[flat].std(axis=(0, 1)).mean() for picture in (image, weak, strong)]
    assert left[0] > 1.2 * left[1] > 1.2 * left[2]
    assert left[2] < 0.5 * left[0]
    rise = strong[:, 80].mean() - strong[:, 79].mean()
    assert rise > 0.9 * 120.0


def test_chroma_is_smoothed_more_than_luma() -> None:
    image = noisy(6.0)
    done = denoise(image, 1.0).astype(float)
    weights = np.array([0.299, 0.587, 0.114])
    luma = done @ weights
    chroma = done[..., 0] - luma
    before = image.astype(float)
    assert chroma.std() / (before[..., 0] - before @ weights).std() < 0.3
    assert luma.std() / (before @ weights).std() > chroma.std() / (before[..., 0] - before @ weights).std()


def test_a_clean_picture_and_strength_0_are_left_alone() -> None:
    clean = np.repeat(step().astype(np.uint8)[..., None], 3, axis=-1)
    clean[..., 2] = 40
    np.testing.assert_array_equal(denoise(clean, 1.0), clean)
    image = noisy(5.0)
    assert denoise(image, 0.0) is image
    assert sharpen(image, 1.0, 0.0) is image


@pytest.mark.parametrize(("radius", "amount"), [(0.8, 0.5), (2.0, 1.5)])
def test_sharpening_is_the_unsharp_mask(radius, amount) -> None:
    grey = np.repeat(np.rint(gaussian_filter(step(), 1.0)).astype(np.uint8)[..., None], 3, axis=-1)
    luma = grey[..., 0].astype(float)
    expected = luma + amount * (luma - gaussian_filter(luma, radius, mode="nearest", truncate=5.0))
    done = sharpen(grey, radius, amount)
    assert np.abs(done[..., 0] - np.clip(expected, 0, 255)).max() <= 1.0
    assert np.diff(done[60, :, 0].astype(int)).max() > 1.1 * np.diff(grey[60, :, 0].astype(int)).max()
    assert (np.ptp(done, axis=-1) == 0).all()
