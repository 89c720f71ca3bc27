"""How far photos are exposed above saturation, against closed forms and against the rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.synthetic_bundle import MadeView, photo, scene_of

from pipeline.bundle import read_rgb
from pipeline.camera.develop import develop_photos
from pipeline.saturation import saturation_columns, stops_above

STOPS = (-5.0, -3.5, -1.0, 3.0)


@pytest.fixture
def bands(tmp_path):
    """White in four bands, a band each of STOPS about 1, and no light beside."""
    radiance = np.repeat(2.0 ** np.float32(STOPS), 24)[None, :, None] * np.ones((48, 1, 3), np.float32)
    return MadeView({"key": radiance.astype(np.float32)}).write(tmp_path / "bundle")


def developed(bundle, out, **changes):
    (result,) = develop_photos(scene_of([photo(stops_above=True, **changes)]), bundle, out)
    return result, read_rgb(out / result.row["stops_above_path"])


@pytest.mark.parametrize("sensor", ["mv_global_shutter_color", "mv_mono", "phone"])
def test_stops_are_those_of_white_light_over_its_saturation(bands, tmp_path, sensor):
    """In the middle of wide bands a sharp lens loses nothing but what it scatters, spreads and shades."""
    result, stops = developed(bands, tmp_path, sensor=sensor, f_number=8.0, exposure_ev=4.0)
    for band, over in enumerate(STOPS):
        expected = over - np.log2(result.saturation_radiance)
        if expected.max() > -0.5 and expected.min() < 0.5:
            continue  # too near to saturation for what the lens does
        found = stops[20:28, 24 * band + 11 : 24 * band + 13].mean(axis=(0, 1))
        assert found == pytest.approx(np.maximum(expected, 0.0), abs=0.3)
    assert expected.min() > 0.5


def test_the_file_is_above_zero_exactly_where_a_channel_is_clipped(bands, tmp_path):
    result, stops = developed(bands, tmp_path, exposure_ev=3.0)
    assert np.array_equal(stops > 0.0, result.clipped)
    assert result.row["clipped_px"] == [int(n) for n in result.clipped.sum(axis=(0, 1))]
    assert result.row["stops_above_max"] == pytest.approx(stops.max(axis=(0, 1)), rel=2**-10)
    assert 0 < stops.any(axis=-1).mean() == pytest.approx(result.row["clipped_fraction"])


def test_one_more_stop_of_exposure_is_one_more_stop_above_saturation(bands, tmp_path):
    _, low = developed(bands, tmp_path / "low", exposure_ev=3.0)
    _, high = developed(bands, tmp_path / "high", exposure_ev=4.0)
    both = (low > 0.0) & (high > 0.0)
    assert both.any()
    assert (high - low)[both] == pytest.approx(1.0, abs=0.01)


def test_without_the_key_no_file_is_written(bands, tmp_path):
    (result,) = develop_photos(scene_of([photo()]), bands, tmp_path)
    assert result.row["stops_above_path"] is None
    assert result.row["clipped_px"]
    assert not list((tmp_path / "photos").glob("*.exr"))


def test_the_least_light_above_saturation_stays_above_it_as_a_half_float():
    least = np.nextafter(np.float32(1.0), np.float32(2.0))
    assert stops_above(least).astype(np.float16) > 0
    assert stops_above(np.float32(1.0)) == stops_above(np.float32(0.0)) == 0.0


def test_a_photo_without_clipped_pixels():
    columns = saturation_columns(np.full((4, 4, 3), 0.9, np.float32))
    assert columns == {"clipped_px": [0, 0, 0], "stops_above_max": [0.0, 0.0, 0.0]}
    one = np.full((4, 4, 3), 0.9, np.float32)
    one[1, 2, 1] = 8.0
    assert saturation_columns(one) == {"clipped_px": [0, 1, 0], "stops_above_max": [0.0, math.log2(8.0), 0.0]}
