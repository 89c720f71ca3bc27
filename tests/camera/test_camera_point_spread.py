"""Point spread against the closed forms of diffraction and the geometry of an iris."""

import math

import numpy as np
import pytest
from scipy.special import j0, j1

from pipeline.camera.point_spread import (
    WAVELENGTH_UM,
    airy_intensity,
    blurred,
    defocus_kernel,
    diffraction_kernel,
    gaussian_kernel,
    lens_kernels,
)


def test_airy_pattern_is_dark_at_1_22_lambda_n_and_holds_84_percent_within() -> None:
    wavelength, f_number = 0.55, 8.0
    r = np.linspace(0.0, 40.0, 400_001)
    intensity = airy_intensity(r, wavelength, f_number)
    zero = r[: np.searchsorted(r, 8.0)][intensity[: np.searchsorted(r, 8.0)].argmin()]
    assert zero == pytest.approx(1.2197 * wavelength * f_number, rel=1e-3)
    encircled = np.cumsum(intensity * 2.0 * np.pi * r) * (r[1] - r[0])
    assert encircled[np.searchsorted(r, zero)] == pytest.approx(0.838, abs=1e-3)
    for at in (2.0, 12.0, 30.0):
        v = np.pi * at / (wavelength * f_number)
        assert encircled[np.searchsorted(r, at)] == pytest.approx(1.0 - j0(v) ** 2 - j1(v) ** 2, abs=1e-3)


def test_diffraction_kernel_holds_what_encircled_energy_says() -> None:
    """At 0.5 um per pixel and f/8 the first dark ring is 10.7 pixels wide, and the kernel reaches 24."""
    pitch, wavelength, f_number = 0.5, 0.55, 8.0
    kernel = diffraction_kernel(wavelength, f_number, pitch)
    reach = kernel.shape[0] // 2
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    r = np.hypot(x, y) * pitch
    fine = np.linspace(0.0, reach * pitch, 4001)
    seen = airy_intensity(fine, wavelength, f_number)
    held = (seen * 2.0 * np.pi * fine).sum() * (fine[1] - fine[0])
    first = 1.2197 * wavelength * f_number
    assert kernel[r <= first].sum() / kernel[r <= reach * pitch].sum() == pytest.approx(0.838 / held, abs=0.01)
    ring = [kernel[(r > a - 0.25) & (r <= a + 0.25)].mean() for a in (0.0, first, 1.635 * wavelength * f_number)]
    assert ring[1] < 0.01 * ring[0]
    assert ring[2] / ring[0] == pytest.approx(0.0175, abs=0.005)  # the first bright ring


def test_diffraction_grows_with_aperture_number_and_wavelength() -> None:
    centre = [diffraction_kernel(0.54, n, 6.0)[...].max() for n in (2.8, 8.0, 16.0, 32.0)]
    assert centre == sorted(centre, reverse=True)
    assert centre[0] > 0.8
    assert centre[3] < 0.3
    red, _, blue = (diffraction_kernel(w, 16.0, 6.0).max() for w in WAVELENGTH_UM)
    assert red < blue


def test_red_is_spread_wider_by_the_ratio_of_wavelengths() -> None:
    """Half of the light that the kernel holds lies where the encircled energy 1 - J0^2 - J1^2 is half of that."""
    v = np.linspace(0.01, 60.0, 60_000)
    encircled = 1.0 - j0(v) ** 2 - j1(v) ** 2
    for wavelength in WAVELENGTH_UM:
        kernel = diffraction_kernel(wavelength, 11.0, 0.4)
        reach = kernel.shape[0] // 2
        y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
        order = np.hypot(x, y).ravel().argsort()
        radius = np.hypot(x, y).ravel()[order] * 0.4
        scale = np.pi / (wavelength * 11.0)
        inside = radius <= reach * 0.4  # whole rings only, not the kernel's corners
        held = encircled[np.searchsorted(v, reach * 0.4 * scale)]
        light = np.cumsum(kernel.ravel()[order])
        half = radius[np.searchsorted(light, 0.5 * light[inside][-1])]
        assert half * scale == pytest.approx(v[np.searchsorted(encircled, 0.5 * held)], rel=0.05)


@pytest.mark.parametrize("blades", [0, 5, 6, 7, 8])
@pytest.mark.parametrize("diameter", [0.0, 0.3, 3.0, 9.5, 30.0])
def test_a_defocused_point_is_an_even_iris_of_the_right_area(blades: int, diameter: float) -> None:
    kernel = defocus_kernel(diameter, blades)
    assert kernel.sum() == pytest.approx(1.0)
    assert kernel.min() >= 0.0
    if diameter > 5.0:
        area = math.pi * (diameter / 2.0) ** 2
        assert kernel.max() == pytest.approx(1.0 / area, rel=0.02)
        assert (kernel > 0.5 * kernel.max()).sum() == pytest.approx(area, rel=0.05)
    if diameter <= 0.3:
        assert kernel.max() == 1.0


def test_moments_of_all_kernels_add_up() -> None:
    """Convolution adds variances: the disc's D^2 / 16 the Gaussian's, and a pixel's 1/12."""
    kernel = lens_kernels(1.4, 1000.0, 12.0, 0, 1.5)[1].astype(float)
    reach = kernel.shape[0] // 2
    x = np.arange(-reach, reach + 1)
    assert kernel.sum() == pytest.approx(1.0, abs=1e-6)
    assert (kernel.sum(axis=0) * x).sum() == pytest.approx(0.0, abs=1e-3)
    assert (kernel.sum(axis=0) * x**2).sum() == pytest.approx(12.0**2 / 16.0 + 1.5**2 + 1.0 / 12.0, rel=0.02)
    assert gaussian_kernel(0.0).tolist() == [[1.0]]


@pytest.mark.parametrize("defocus", [0.0, 5.0, 25.0])
def test_blur_keeps_energy_and_never_goes_below_zero(defocus: float) -> None:
    kernels = lens_kernels(8.0, 4.0, defocus, 7, 0.6)
    image = np.zeros((128, 160, 3), np.float32)
    image[60, 70] = (1e5, 2e5, 3e5)
    image[40:50, 90:110] = 0.01
    spread = blurred(image, kernels)
    assert spread.min() >= 0.0
    np.testing.assert_allclose(spread.sum(axis=(0, 1), dtype=np.float64), image.sum(axis=(0, 1)), rtol=1e-4)
    flat = np.full((64, 64, 3), 0.7, np.float32)
    np.testing.assert_allclose(blurred(flat, kernels), flat, rtol=1e-4)


def test_a_perfect_lens_is_the_identity() -> None:
    image = np.random.default_rng(0).random((20, 30, 3)).astype(np.float32)
    np.testing.assert_allclose(blurred(image, lens_kernels(0.7, 1e5, 0.0, 0, 0.0)), image, atol=1e-3)
