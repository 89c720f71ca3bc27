"""The whole lens: additivity of light, energy, glare from unclipped radiance, vignetting, dirt."""

from dataclasses import replace

import numpy as np
import pytest
from support.synthetic_bundle import camera, photo

from pipeline.bundle import BundleView
from pipeline.camera.dirt import COVER_DISTANCE_UM, dirt, overlap_of_discs
from pipeline.camera.distortion import photo_geometry
from pipeline.camera.flicker import Exposing, gains_during
from pipeline.camera.glare import scattered
from pipeline.camera.hardware import lens_named
from pipeline.camera.mix import group_gains, mix
from pipeline.camera.optics import LensSetting, pixel_pitch_um, through_lens, vignetting
from pipeline.spec.photo_state import CLEAN_LENS, LampDrive, LensState

DIRTY = LensState(defocus_px=2.5, dirt_seed=5, dust_spots=12, smear=0.1)


def setting(lens, width: int, height: int, f_number: float = 5.6, state: LensState = CLEAN_LENS) -> LensSetting:
    view = BundleView("made-000000-v0", 0, camera(width, height), "any", 0, ("key",))
    return LensSetting(f_number, 6.0, photo_geometry(lens, state.distortion_scale, view), state)


@pytest.mark.parametrize("name", ["macro_100mm", "c_mount_25mm", "kit_zoom"])
def test_photos_of_single_lamps_add_up_to_the_photo_of_all(name: str) -> None:
    """Through mix, flicker of a rolling shutter, point spread, glare, distortion, lateral colour, vignetting, dirt."""
    rng = np.random.default_rng(3)
    lens = lens_named(name)
    groups = {group: rng.gamma(0.2, 8.0, (120, 160, 3)).astype(np.float32) for group in ("key", "fill", "world")}
    groups["key"][50:54, 60:64] = 4000.0  # a lamp in a mirror, far beyond white
    drives = {
        "fill": LampDrive("led_ripple", "mains", "led", frequency_hz=100.0, modulation=0.5),
        "world": LampDrive("led_pwm", "pwm", "led", frequency_hz=400.0, duty=0.3, phase=0.2),
    }
    spec = photo(light_weights={"key": 1.7, "fill": 0.3}, light_cct_k={"key": 3000.0, "world": 9000.0}, drives=drives)
    gains = gains_during(group_gains(spec, tuple(groups)), drives, Exposing(0.003, 0.02, 120))
    lens_setting = setting(lens, 160, 120, state=DIRTY)
    rows = lens_setting.geometry.photo_rows()
    alone = [
        through_lens(mix(groups, {g: gain * (g == name) for g, gain in gains.items()}, rows), lens, lens_setting)
        for name in groups
    ]
    together = through_lens(mix(groups, gains, rows), lens, lens_setting)
    np.testing.assert_allclose(np.sum(alone, axis=0, dtype=np.float64), together, rtol=1e-4)


def test_lens_spreads_light_without_losing_or_moving_it() -> None:
    lens = lens_named("macro_100mm")
    image = np.zeros((161, 161, 3), np.float32)
    image[80, 80] = 100.0
    seen = through_lens(image, lens, setting(lens, 161, 161))[..., 1] / vignetting(lens, 161, 161)
    x = np.arange(161)
    core = seen[70:91, 70:91] - seen[60, 60]
    assert seen.sum(dtype=np.float64) == pytest.approx(100.0, rel=0.002)
    assert (core * x[70:91]).sum() / core.sum() == pytest.approx(80.0, abs=0.02)
    assert seen[80, 80] < 100.0 * (1.0 - lens.glare - lens.bloom)


def test_a_flat_field_keeps_its_value_in_the_middle_of_a_clean_lens() -> None:
    for name in ("macro_100mm", "c_mount_25mm", "kit_zoom"):
        lens = lens_named(name)
        flat = np.full((97, 129, 3), 0.42, np.float32)
        for f_number in (lens.f_min, lens.f_max):
            seen = through_lens(flat, lens, setting(lens, 129, 97, f_number))
            np.testing.assert_allclose(seen[48, 64], 0.42, rtol=1e-4)
            np.testing.assert_allclose(seen[..., 1], 0.42 * vignetting(lens, 129, 97), rtol=1e-4)


@pytest.mark.parametrize("size", [(384, 512), (383, 509)])
def test_scatter_keeps_energy_and_its_place(size: tuple[int, int]) -> None:
    """A source away from the border: shares and second moments of both Gaussians, 1 % and 4 % of the width."""
    image = np.zeros((*size, 3), np.float32)
    image[190:194, 254:258] = 1e4
    halo = scattered(image, 0.02, 0.01, 0.0, 0.04)[..., 1].astype(float)
    veil = scattered(image, 0.0, 0.01, 0.03, 0.04)[..., 1].astype(float)
    total = image[..., 1].sum(dtype=float)
    x = np.arange(size[1]) + 0.5
    for light, share, sigma in ((halo, 0.02, 0.01), (veil, 0.03, 0.04)):
        line = light.sum(axis=0)
        assert line.sum() == pytest.approx(share * total, rel=0.01)
        middle = (line * x).sum() / line.sum()
        assert middle == pytest.approx(256.0, abs=0.3)
        spread = np.sqrt((line * (x - middle) ** 2).sum() / line.sum())
        assert spread == pytest.approx(sigma * size[1], rel=0.1)
    both = scattered(image, 0.02, 0.01, 0.03, 0.04)[..., 1]
    np.testing.assert_allclose(both, halo + veil, rtol=1e-3, atol=1e-4)


def test_glare_follows_the_true_radiance_of_a_lamp_not_its_clipped_picture() -> None:
    lens = lens_named("kit_zoom")
    near_lamp = []
    for radiance in (2.0, 2000.0):
        image = np.full((240, 320, 3), 0.05, np.float32)
        image[116:124, 156:164] = radiance
        near_lamp.append(through_lens(image, lens, setting(lens, 320, 240))[120, 190, 1] - 0.05)
    assert near_lamp[1] > 0.1
    assert near_lamp[1] > 300.0 * abs(near_lamp[0])


def test_vignetting_is_one_in_the_centre_and_even_about_it() -> None:
    lens = lens_named("kit_zoom")
    fall = vignetting(lens, 101, 75)
    assert fall[37, 50] == pytest.approx(1.0)
    assert fall[0, 0] == pytest.approx(1.0 / 1.3**2, abs=0.01)
    np.testing.assert_allclose(fall, fall[::-1, ::-1], rtol=1e-6)


def test_defocus_widens_an_edge_and_stopping_down_diffracts() -> None:
    lens = replace(lens_named("macro_100mm"), glare=0.0, bloom=0.0, vignetting=0.0)
    edge = np.zeros((64, 96, 3), np.float32)
    edge[:, 48:] = 1.0

    def width(f_number: float, state: LensState) -> float:
        line = through_lens(edge, lens, setting(lens, 96, 64, f_number, state))[32, :, 1]
        return float(np.interp(0.9, line, np.arange(96)) - np.interp(0.1, line, np.arange(96)))

    sharp = width(4.0, CLEAN_LENS)
    assert width(4.0, LensState(defocus_px=8.0)) > sharp + 3.0
    assert width(32.0, CLEAN_LENS) > sharp + 1.0  # 1.22 x 0.54 um x 32 is 3.5 pixels of 6 um
    assert pixel_pitch_um(13.1, 1024) == pytest.approx(12.79, abs=0.01)


def test_a_clean_lens_has_no_dirt_and_a_seed_keeps_its_places() -> None:
    assert dirt(1, 0, 0.0, 8.0, 10.0, (60, 80)) is None
    dirt.cache_clear()
    first = dirt(1, 9, 0.1, 8.0, 10.0, (60, 80))
    dirt.cache_clear()
    again, other = dirt(1, 9, 0.1, 8.0, 10.0, (60, 80)), dirt(2, 9, 0.1, 8.0, 10.0, (60, 80))
    assert first is not None
    np.testing.assert_array_equal(first.transmission, again.transmission)
    assert np.abs(first.transmission - other.transmission).max() > 0.02
    assert first.transmission.min() >= 0.0
    assert first.transmission.max() <= 1.0


def test_smears_scatter_what_they_take_away() -> None:
    spots = dirt(3, 0, 0.2, 8.0, 10.0, (90, 120))
    assert spots is not None
    assert 1.0 - spots.transmission.min() == pytest.approx(0.2, abs=1e-3)
    assert spots.scattered == pytest.approx(1.0 - spots.transmission.mean(), rel=1e-4)
    lens = lens_named("macro_100mm")
    flat = np.full((90, 120, 3), 1.0, np.float32)
    state = LensState(dirt_seed=3, smear=0.2)
    seen = through_lens(flat, lens, setting(lens, 120, 90, state=state)) / vignetting(lens, 120, 90)[..., None]
    assert seen.mean() == pytest.approx(1.0, abs=0.02)
    assert np.ptp(seen) > 0.1


def test_dust_is_dark_when_stopped_down_and_takes_the_same_light_at_any_aperture() -> None:
    shades = {}
    for f_number in (2.8, 8.0, 22.0):
        spots = dirt(11, 1, 0.0, f_number, 4.0, (400, 400))
        assert spots is not None
        shades[f_number] = 1.0 - spots.transmission
    assert shades[22.0].max() > 1.5 * shades[8.0].max() > 4.5 * shades[2.8].max()
    assert shades[22.0].sum() == pytest.approx(shades[2.8].sum(), rel=0.05)
    for f_number in (2.8, 8.0):  # the penumbra is the cone of light at the cover glass
        across = (shades[f_number] > 0.5 * shades[f_number].max()).any(axis=0).sum()
        assert across == pytest.approx(COVER_DISTANCE_UM / f_number / 4.0, rel=0.3)


def test_overlap_of_discs_against_counting() -> None:
    y, x = np.mgrid[-400:400, -400:400] / 100.0 + 0.005
    for distance, a, b in ((0.0, 1.0, 2.0), (1.2, 1.0, 2.0), (2.5, 1.0, 2.0), (3.2, 1.0, 2.0), (0.7, 1.5, 1.5)):
        counted = ((np.hypot(x, y) < a) & (np.hypot(x - distance, y) < b)).sum() / 1e4
        assert overlap_of_discs(np.array([distance]), a, b)[0] == pytest.approx(counted, abs=0.01)
