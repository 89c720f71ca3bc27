"""Each metric against values computed another way: closed forms, known spectra, known noise, known blur."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import linalg

from pipeline.realism import bootstrap, frechet, sliced, two_sample
from pipeline.realism.camera_marks import edge_spread, noise_curve, slope_of, spectrum_slope


def as_photo(grey: np.ndarray) -> np.ndarray:
    return np.repeat(np.clip(np.rint(grey), 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def test_the_frechet_distance_of_one_dimension_is_the_closed_form():
    rng = np.random.default_rng(0)
    first, second = rng.normal(1.0, 2.0, (1, 4000, 1)), rng.normal(-0.5, 0.7, (1, 4000, 1))
    expected = (first.mean() - second.mean()) ** 2 + (first.std(ddof=1) - second.std(ddof=1)) ** 2
    assert frechet.frechet_distance(first, second)[0] == pytest.approx(expected, rel=1e-6)


def test_the_frechet_distance_of_gaussians_agrees_with_the_matrix_root():
    rng = np.random.default_rng(1)
    first = rng.normal(size=(2, 500, 5)) @ rng.normal(size=(5, 5))
    second = rng.normal(size=(2, 400, 5)) @ rng.normal(size=(5, 5)) + 0.3
    for packet, found in enumerate(frechet.frechet_distance(first, second)):
        a, b = np.cov(first[packet].T), np.cov(second[packet].T)
        gap = first[packet].mean(axis=0) - second[packet].mean(axis=0)
        expected = gap @ gap + np.trace(a + b - 2 * linalg.sqrtm(a @ b).real)
        assert found == pytest.approx(expected, rel=1e-5)


def test_identical_sets_are_at_no_distance():
    values = np.random.default_rng(2).normal(size=(3, 100, 4)).astype(np.float32)
    assert frechet.frechet_wavelet_distance(values, values) == pytest.approx((0.0, 0.0), abs=1e-6)


def test_wavelet_packets_keep_the_energy():
    patches = np.random.default_rng(3).integers(0, 256, (5, 64, 64, 3)).astype(np.uint8)
    found = frechet.packets(patches)
    assert found.shape == (192, 20, 16)
    planes = np.stack([cv2.cvtColor(patch, cv2.COLOR_RGB2YCrCb) for patch in patches]).astype(np.float64) / 255
    assert (found.astype(np.float64) ** 2).sum() == pytest.approx((planes**2).sum(), rel=1e-4)
    assert (found[:, :4].astype(np.float64) ** 2).sum() == pytest.approx((planes[0] ** 2).sum(), rel=1e-4)


def test_the_sliced_wasserstein_distance_of_a_shift_is_its_mean_projection():
    rng = np.random.default_rng(4)
    first = rng.normal(size=(1, 5000, 147)).astype(np.float32)
    along = sliced.directions(147, 0)
    found = sliced.sliced_wasserstein(first, first + np.float32(0.5), along)
    assert found == pytest.approx(np.abs(0.5 / first.std() * along.sum(axis=0)).mean(), rel=0.01)


def test_the_pyramid_adds_up_to_the_image():
    image = np.random.default_rng(5).random((64, 64, 3)).astype(np.float32)
    levels = sliced.laplacian(image)
    total = levels[-1]
    for level in reversed(levels[:-1]):
        total = cv2.pyrUp(total, dstsize=(level.shape[1], level.shape[0])) + level
    assert np.abs(total - image).max() < 1e-5


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, 3.0])
def test_the_slope_of_a_made_spectrum_is_found(exponent):
    size = 256
    radius = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None, :])
    radius[0, 0] = 1.0
    found = []
    for seed in range(4):
        white = np.fft.fft2(np.random.default_rng([6, seed]).standard_normal((size, size)))
        image = np.fft.ifft2(white * radius ** (-exponent / 2)).real
        found.append(slope_of((128 + 30 * image / image.std()).astype(np.float32)))
    assert np.mean(found) == pytest.approx(exponent, abs=0.08)


@pytest.mark.parametrize("sigma", [2.0, 5.0, 9.0])
def test_known_noise_is_found_at_its_level(sigma):
    rng = np.random.default_rng(7)
    grey = np.repeat(np.linspace(40, 215, 320)[None], 240, axis=0)
    curve = noise_curve(as_photo(grey + rng.normal(0, sigma, grey.shape)))
    assert curve == pytest.approx(np.hypot(sigma, 1 / np.sqrt(12)), rel=0.06)


def test_noise_that_grows_with_intensity_is_seen_to_grow():
    rng = np.random.default_rng(8)
    grey = np.repeat(np.linspace(10, 245, 480)[None], 320, axis=0)
    curve = noise_curve(as_photo(grey + np.sqrt(grey / 10) * rng.standard_normal(grey.shape)))
    assert curve == pytest.approx(np.sqrt(np.array([32, 96, 160, 224]) / 10), rel=0.15)


def test_noise_is_not_measured_where_nothing_is_flat_enough_to_tell():
    dark = as_photo(np.full((120, 120), 20.0))
    assert np.isnan(noise_curve(dark)[1:]).all()
    assert noise_curve(dark)[0] == 0.0


@pytest.mark.parametrize("sigma", [0.9, 1.5, 2.2])
def test_the_spread_of_a_blurred_edge_is_its_ten_to_ninety_width(sigma):
    big = np.zeros((1280, 1280), dtype=np.float32)
    cv2.rectangle(big, (300, 260), (900, 1000), 1.0, -1)
    turned = cv2.warpAffine(big, cv2.getRotationMatrix2D((640, 640), 17, 1.0), (1280, 1280))
    blurred = cv2.GaussianBlur(turned, (0, 0), 4 * sigma)
    photo = as_photo(50 + 150 * cv2.resize(blurred, (320, 320), interpolation=cv2.INTER_AREA))
    # a pixel's own area adds 1/12 px^2
    assert edge_spread(photo) == pytest.approx(2.563 * np.sqrt(sigma**2 + 1 / 12), rel=0.05)


def test_a_photo_without_edges_has_no_spread():
    assert np.isnan(edge_spread(as_photo(np.full((100, 100), 90.0))))


def test_features_and_slopes_are_finite_on_flat_pictures():
    flat = np.full((2, 64, 64, 3), 255, dtype=np.uint8)
    assert np.isfinite(two_sample.features(flat)).all()
    assert np.isnan(spectrum_slope(flat[0]))


def test_the_classifier_cannot_tell_twins_and_can_tell_strangers():
    rng = np.random.default_rng(9)
    same = [rng.normal(size=(24, 16, 6)) for _ in range(2)]
    twins = two_sample.accuracy(two_sample.hits(*same, 0))
    assert 0.4 < twins < 0.6
    assert two_sample.accuracy(two_sample.hits(same[0], same[1] + 4.0, 0)) > 0.99


def test_the_classifier_reaches_what_bayes_allows():
    """Two unit Gaussians d apart: the best accuracy is Phi(d / 2)."""
    rng = np.random.default_rng(10)
    first, second = rng.normal(0.0, 1.0, (60, 40, 1)), rng.normal(1.0, 1.0, (60, 40, 1))
    assert two_sample.accuracy(two_sample.hits(first, second, 0)) == pytest.approx(0.6915, abs=0.02)


def test_the_interval_of_a_mean_covers_it_as_often_as_it_says():
    rng = np.random.default_rng(11)
    inside = 0
    for trial in range(200):
        found = bootstrap.mean_of(rng.normal(3.0, 1.0, 40), trial)
        inside += found.low <= 3.0 <= found.high
    assert 0.88 <= inside / 200 <= 0.99


def test_too_few_values_give_no_number():
    found = bootstrap.mean_of(np.array([1.0, np.nan, 2.0]), 0)
    assert (found.value, str(found)) == (None, "not measurable")
