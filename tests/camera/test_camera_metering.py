"""Metering modes: what each of them puts at grey, what may clip, and that the size of the picture does not matter."""

import math

import numpy as np
import pytest

from pipeline.camera.hardware import sensor_named
from pipeline.camera.metering import (
    GREY,
    HEADROOM,
    PROTECTED_SHARE,
    SPOT_SHARE,
    log_average,
    metered_scale,
    sensor_signal,
)
from pipeline.view_light import luminance

COLOUR, MONO = sensor_named("mv_global_shutter_color"), sensor_named("mv_mono")
MODES = ["centre_weighted", "average", "spot", "highlight", "matrix"]
AIM = GREY / HEADROOM


def grey_scene(image: np.ndarray) -> np.ndarray:
    return np.repeat(np.float32(image)[..., None], 3, axis=-1)


def glossy(height: int = 96, width: int = 128) -> np.ndarray:
    """Metal on a dark table: a broad range, a few mirrored lamps."""
    rng = np.random.default_rng(1)
    image = np.exp(rng.normal(-3.0, 0.8, (height, width)))
    image[rng.random((height, width)) < 0.01] = 60.0
    return grey_scene(image)


def saturated(scene: np.ndarray, scale: float, sensor=COLOUR) -> float:
    signal = sensor_signal(scene, scale * np.array(sensor.response), sensor)
    return float((signal > 1.0 + 1e-6).any(axis=-1).mean())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("sensor", [COLOUR, MONO], ids=lambda s: s.name)
def test_every_mode_puts_a_grey_card_at_grey(mode, sensor) -> None:
    card = grey_scene(np.full((50, 70), 0.3))
    assert metered_scale(card, sensor, mode=mode) * 0.3 == pytest.approx(AIM, rel=1e-4)
    assert metered_scale(card, sensor, 0.36, mode) == pytest.approx(
        2 * metered_scale(card, sensor, 0.18, mode), rel=1e-3
    )


@pytest.mark.parametrize("mode", MODES)
def test_twice_the_light_is_half_the_exposure(mode) -> None:
    scene = glossy()
    assert metered_scale(2.0 * scene, COLOUR, mode=mode) == pytest.approx(metered_scale(scene, COLOUR, mode=mode) / 2)


def test_average_settles_where_the_recorded_mean_is_grey() -> None:
    scene = glossy()
    scale = metered_scale(scene, COLOUR, mode="average")
    assert np.minimum(luminance(scene) * scale, 1.0).mean() == pytest.approx(AIM, rel=1e-3)
    brighter_lamps = np.where(scene > 50.0, scene * 100.0, scene)
    assert metered_scale(brighter_lamps, COLOUR, mode="average") == pytest.approx(scale, rel=1e-3)


@pytest.mark.parametrize("mode", MODES)
def test_darkness_has_an_exposure(mode) -> None:
    assert 0.0 < metered_scale(grey_scene(np.zeros((8, 8))), COLOUR, mode=mode) < math.inf


def test_the_spot_sees_its_circle_alone() -> None:
    y, x = np.mgrid[:90, :120] + 0.5
    radius = math.hypot(0, math.sqrt(SPOT_SHARE * 90 * 120 / math.pi))
    inside = np.hypot(x - 60, y - 45) <= radius
    scene = grey_scene(np.where(inside, 0.05, 8.0))
    assert metered_scale(scene, COLOUR, mode="spot") * 0.05 == pytest.approx(AIM, rel=1e-4)
    assert inside.mean() == pytest.approx(SPOT_SHARE, rel=0.05)
    assert metered_scale(scene, COLOUR, mode="average") < 0.1 * metered_scale(scene, COLOUR, mode="spot")


def test_highlight_saves_what_centre_weighted_gives_up() -> None:
    scene = glossy()
    scene[:30, :20] = 0.35
    plain, protecting = (metered_scale(scene, COLOUR, mode=mode) for mode in ("centre_weighted", "highlight"))
    assert saturated(scene, plain) > PROTECTED_SHARE
    assert protecting < plain
    lamps = np.where(scene > 50.0, 1.2, scene)
    assert saturated(lamps, metered_scale(lamps, COLOUR, mode="highlight")) <= PROTECTED_SHARE
    assert protecting >= plain / 2.0**5.0 - 1e-9


def test_matrix_is_moved_less_by_a_window_than_the_plain_mean() -> None:
    room = np.full((100, 140), 0.2)
    window = room.copy()
    window[:, :40] = 0.2 * 2.0**3
    moved = {
        m: metered_scale(grey_scene(room), COLOUR, mode=m) / metered_scale(grey_scene(window), COLOUR, mode=m)
        for m in ("matrix", "average")
    }
    assert 1.0 < moved["matrix"] < 0.6 * moved["average"]


def test_matrix_counts_the_middle_most() -> None:
    middle, edge = (np.full((100, 140), 0.2) for _ in range(2))
    middle[40:60, 60:80] = 1.0
    edge[:20, :20] = 1.0
    assert metered_scale(grey_scene(middle), COLOUR, mode="matrix") < metered_scale(
        grey_scene(edge), COLOUR, mode="matrix"
    )


@pytest.mark.parametrize("mode", MODES)
def test_a_sample_of_the_pixels_is_enough(mode) -> None:
    """The scene at 1536 x 2048 is metered as at 96 x 128: only every n-th pixel is looked at."""
    small = glossy()
    large = np.repeat(np.repeat(small, 16, axis=0), 16, axis=1)
    assert metered_scale(large, COLOUR, mode=mode) == pytest.approx(
        metered_scale(small, COLOUR, mode=mode), rel=0.1 if mode == "spot" else 0.03
    )


def test_the_log_average_is_the_weighted_geometric_mean() -> None:
    image = np.float32(np.random.default_rng(3).uniform(0.5, 2.0, (30, 40)))
    y, x = (np.exp(-0.5 * (((np.arange(n) + 0.5) / n - 0.5) / 0.3) ** 2) for n in image.shape)
    expected = np.prod(np.float64(image) ** (np.outer(y, x) / np.outer(y, x).sum()))
    assert log_average(image) == pytest.approx(expected, rel=1e-5)
