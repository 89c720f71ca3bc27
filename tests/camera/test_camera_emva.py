"""The sensor measured as EMVA 1288 release 4.0 measures a camera: flat fields in, the configured numbers out."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from pipeline.camera.expose import Exposure, expose
from pipeline.camera.fixed_pattern import fixed_pattern
from pipeline.camera.hardware import PHOTONS_PER_LX_S_M2, lens_named, sensor_named
from pipeline.camera.sensor import capture
from pipeline.errors import InputError
from pipeline.spec.scene import BodySpec

SENSORS = [sensor_named(name) for name in ("dslr_fullframe", "mv_global_shutter_color", "mv_mono", "phone")]
MONO = sensor_named("mv_mono")
EVERY = pytest.mark.parametrize("sensor", SENSORS, ids=lambda s: s.name)


def _codes(sensor, level, *, gain=1.0, shutter_s=0.001, seed=1, body=None, size=480) -> np.ndarray:
    """Codes of the green (mono: all) pixels for a white flat field that fills *level* of the range."""
    response = np.array(sensor.response)
    exposure = Exposure(shutter_s, gain, 4.0, response, 1.0 / response)
    codes = capture(np.full((size, size, 3), level, np.float32), exposure, sensor, seed, body).codes.astype(np.float64)
    return codes if sensor.colour == "mono" else codes[0::2, 1::2]


def _mean_and_variance(sensor, level, **kwargs) -> tuple[float, float]:
    """Mean above black and temporal variance out of two frames: their difference cancels the fixed pattern."""
    first, second = (_codes(sensor, level, seed=seed, **kwargs) for seed in (1, 2))
    return (first.mean() + second.mean()) / 2.0 - sensor.black_level_dn, (first - second).var() / 2.0


def _measured_gain(sensor, gain) -> float:
    """DN per electron: slope of the photon transfer curve between 5 and 70 % of the range."""
    points = [_mean_and_variance(sensor, level, gain=gain) for level in (0.05, 0.2, 0.35, 0.5, 0.6, 0.7)]
    return float(np.polyfit(*zip(*points, strict=True), 1)[0])


@EVERY
@pytest.mark.parametrize("gain", [1.0, 6.0])
def test_photon_transfer_gives_gain_and_full_well_within_two_percent(sensor, gain) -> None:
    per_electron = _measured_gain(sensor, gain)
    assert per_electron == pytest.approx(gain / sensor.electrons_per_dn, rel=0.02)
    saturated = _codes(sensor, 1.9, gain=gain).mean() - sensor.black_level_dn
    assert saturated / per_electron == pytest.approx(sensor.full_well_e / gain, rel=0.02)


def test_temporal_noise_is_largest_where_the_well_is_full() -> None:
    """EMVA 1288's saturation point: the variance rises with the signal and collapses at the full well.

    With a small well the spread of the pixels rounds the knee off, so a large one is measured.
    """
    sensor = SENSORS[0]
    points = [_mean_and_variance(sensor, level, size=400) for level in np.arange(0.90, 1.04, 0.005)]
    peak = max(points, key=lambda point: point[1])
    assert peak[0] * sensor.electrons_per_dn == pytest.approx(sensor.full_well_e, rel=0.02)
    assert points[-1][1] < 0.02 * peak[1]


@EVERY
@pytest.mark.parametrize("gain", [1.0, 8.0, 16.0])
def test_read_noise_within_five_percent(sensor, gain) -> None:
    _, variance = _mean_and_variance(sensor, 0.0, gain=gain)
    dark_e = sensor.dark_e_per_s * 0.001
    measured = math.sqrt((variance - 1.0 / 12.0) * (sensor.electrons_per_dn / gain) ** 2 - dark_e)
    expected = sensor.read_noise_at(gain)
    assert measured == pytest.approx(expected, rel=0.05)
    assert sensor.read_noise_high_gain_e <= expected <= sensor.read_noise_e


@EVERY
def test_spatial_non_uniformities_within_ten_percent(sensor) -> None:
    """EMVA 1288, section 8.2: spatial variances at half of saturation and in the dark, temporal noise taken off."""
    n, per_electron = 60, 1.0 / sensor.electrons_per_dn
    spatial = {}
    for level in (0.0, 0.5):
        frames = np.stack([_codes(sensor, level, seed=seed, size=256) for seed in range(n)])
        mean = frames.mean(axis=0)
        spatial[level] = (mean.mean(), mean.var() - frames.var(axis=0, ddof=1).mean() / n)
    dsnu_e = math.sqrt(spatial[0.0][1]) / per_electron
    prnu = math.sqrt(spatial[0.5][1] - spatial[0.0][1]) / (spatial[0.5][0] - spatial[0.0][0])
    assert dsnu_e == pytest.approx(sensor.dsnu_e, rel=0.1)
    assert prnu == pytest.approx(sensor.prnu, rel=0.1)


def test_the_pattern_belongs_to_the_serial_number() -> None:
    """The mean of many frames keeps the pattern of one camera, and shares nothing with that of another."""

    def mean_of_many(serial):
        body = BodySpec(serial)
        return np.mean([_codes(MONO, 0.6, seed=seed, body=body, size=80) for seed in range(60)], axis=0).ravel()

    first, again, other = mean_of_many("0001"), fixed_pattern(MONO, "0001", 80, 80).gain.ravel(), mean_of_many("0002")
    assert np.corrcoef(first, again)[0, 1] > 0.9
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.1


def test_dark_current_doubles_with_the_doubling_temperature() -> None:
    def dark_e(temperature_c, shutter_s):
        codes = _codes(MONO, 0.0, gain=8.0, shutter_s=shutter_s, body=BodySpec("7", temperature_c), size=600)
        return stats.trim_mean(codes.ravel(), 0.001) * MONO.electrons_per_dn / 8.0  # without the hot pixels

    short = dark_e(25.0, 0.001)
    at_25, warmer = (dark_e(t, 10.0) - short for t in (25.0, 25.0 + MONO.dark_doubling_k))
    assert at_25 == pytest.approx(10.0 * MONO.dark_e_per_s, rel=0.03)
    assert warmer == pytest.approx(2.0 * at_25, rel=0.03)


def test_hot_pixels_stay_in_place_and_grow_with_time_and_warmth() -> None:
    def dark(shutter_s, temperature_c=45.0, serial="0003", seed=1):
        body = BodySpec(serial, temperature_c)
        return _codes(MONO, 0.0, shutter_s=shutter_s, body=body, seed=seed, size=800) * MONO.electrons_per_dn

    def hot(image):
        return image > np.median(image) + 12.0 * stats.median_abs_deviation(image.ravel())

    first, second, other = dark(2.0), dark(2.0, seed=2), dark(2.0, serial="0004")
    places = hot(first) & hot(second)
    assert places.mean() == pytest.approx(MONO.hot_share, rel=0.35)
    assert not (hot(other) & places).any()
    excess = [dark(t)[places].mean() - np.median(dark(t)) for t in (0.5, 1.0)]
    assert excess[1] == pytest.approx(2.0 * excess[0], rel=0.1)
    assert hot(dark(2.0, temperature_c=10.0)).sum() < 0.5 * places.sum()
    assert not hot(dark(0.001)).any()


def test_faint_light_is_poisson() -> None:
    """A noiseless sensor of one electron per code shows the distribution itself."""
    counter = replace(
        MONO, full_well_e=4031.0, read_noise_e=0.0, read_noise_high_gain_e=0.0, prnu=0.0, dsnu_e=0.0, dark_e_per_s=0.0
    )
    for mean in (0.7, 4.0, 30.0, 49.0):
        counts = _codes(counter, mean / 4031.0).ravel() - counter.black_level_dn
        values = np.arange(int(stats.poisson.ppf(1e-3, mean)), int(stats.poisson.ppf(0.999, mean)) + 1)
        found = np.array([(counts == value).mean() for value in values])
        np.testing.assert_allclose(found, stats.poisson.pmf(values, mean), atol=0.004)


def test_the_gaussian_takes_over_without_a_step() -> None:
    counter = replace(MONO, read_noise_e=0.0, read_noise_high_gain_e=0.0, prnu=0.0, dsnu_e=0.0, dark_e_per_s=0.0)
    per_electron = 16.0 / counter.electrons_per_dn
    for electrons in (49.9, 50.1):
        mean, variance = _mean_and_variance(counter, electrons / counter.full_well_e * 16.0, gain=16.0)
        assert mean / per_electron == pytest.approx(electrons, rel=0.002)
        assert (variance - 1.0 / 12.0) / per_electron**2 == pytest.approx(electrons, rel=0.02)


def test_quantum_efficiency_shortens_the_exposure() -> None:
    card, lens = np.full((8, 8, 3), 0.5, np.float32), lens_named("c_mount_25mm")
    better = replace(MONO, quantum_efficiency=2.0 * MONO.quantum_efficiency / 3.0)
    shutters = [expose(card, sensor, lens, 4.0, 0.0).shutter_s for sensor in (MONO, better)]
    assert shutters[1] / shutters[0] == pytest.approx(1.5)


def test_photons_of_a_lux_second_follow_from_planck_and_the_eye() -> None:
    """683 lm/W times V(lambda), here Wyman, Sloan and Shirley's fit (2013) of the luminous efficiency."""
    nm = np.arange(380.0, 781.0)
    h, c, k = 6.62607015e-34, 2.99792458e8, 1.380649e-23
    metres = nm * 1e-9
    power = metres**-5.0 / np.expm1(h * c / (metres * k * 6504.0))

    def lobe(peak, below, above):
        return np.exp(-0.5 * ((nm - peak) * np.where(nm < peak, below, above)) ** 2)

    eye = 0.821 * lobe(568.8, 0.0213, 0.0247) + 0.286 * lobe(530.9, 0.0613, 0.0322)
    seen = (nm >= 400) & (nm <= 700)
    photons = (power * metres / (h * c))[seen].sum() / (683.0 * (power * eye).sum())
    assert photons == pytest.approx(PHOTONS_PER_LX_S_M2, rel=0.02)


@EVERY
def test_base_speeds_are_those_of_such_cameras(sensor) -> None:
    """Machine-vision sensors of 3.45 um lie near ISO 200 in colour and at twice that without filters."""
    ranges = {
        "dslr_fullframe": (80, 125),
        "mv_global_shutter_color": (150, 250),
        "mv_mono": (350, 600),
        "phone": (40, 100),
    }
    low, high = ranges[sensor.name]
    assert low < sensor.base_iso < high


@pytest.mark.parametrize(
    ("shutter_s", "gain", "message"),
    [
        (60.0, 1.0, r"mv_mono: expected a shutter of 1e-05 to 10 s, found 60 s"),
        (1e-6, 1.0, r"expected a shutter .* found 1e-06 s"),
        (0.01, 40.0, r"expected a gain of 1 to 16, found 40"),
        (0.01, 0.5, r"expected a gain of 1 to 16, found 0.5"),
        (math.nan, 1.0, r"expected a shutter .* found nan s"),
    ],
)
def test_settings_that_the_camera_lacks_are_named(shutter_s, gain, message) -> None:
    with pytest.raises(InputError, match=message):
        _codes(MONO, 0.1, gain=gain, shutter_s=shutter_s, size=8)
