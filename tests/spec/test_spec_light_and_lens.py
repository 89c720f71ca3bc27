"""Drawing how lamps are driven and the state of lenses."""

from __future__ import annotations

from collections import Counter

from pipeline.spec.draw import draw_scene
from pipeline.spec.photo_state import CLEAN_LENS

SCENES = 60


def _photos(load, **sections):
    spec = load("photos.per_view", 4)
    spec = spec.model_copy(update=sections)
    return [photo for index in range(SCENES) for photo in draw_scene(spec, index).photos]


def test_photo_0_is_taken_in_steady_light_with_a_clean_lens(load) -> None:
    for photo in _photos(load):
        if photo.photo_index == 0:
            assert photo.drives == {}
            assert photo.lens_state == CLEAN_LENS
        else:
            assert set(photo.drives) == set(photo.light_weights)


def test_rigs_are_driven_alike_and_the_sky_not_at_all(load) -> None:
    drawn: Counter[str] = Counter()
    for photo in _photos(load):
        for group, drive in photo.drives.items():
            if group in ("key", "fill", "rim", "dome"):
                assert (drive.driver, drive.wave) == ("dc", "steady")
            elif group in ("windows", "world"):
                assert drive.driver == "daylight"
            else:
                drawn[drive.driver] += 1
                assert drive.frequency_hz in (100.0, 120.0)
                assert 0.1 <= drive.modulation <= 0.5
                assert 0.0 <= drive.phase < 1.0
    assert len(drawn) == 5
    assert drawn["led_electronic"] / drawn.total() > 0.3


def test_strobes_are_for_global_shutters(load) -> None:
    spec = load("flicker", {"rig_drivers": {"strobe": 1.0}, "strobe_s": 0.001})
    rolling = load("flicker", {"rig_drivers": {"strobe": 1.0}})
    rolling = rolling.model_copy(update={"photos": rolling.photos.model_copy(update={"sensors": {"large": 1.0}})})
    for chosen, expected in ((spec, {"strobe"}), (rolling, {"dc"})):
        photos = [photo for index in range(20) for photo in draw_scene(chosen, index).photos if photo.drives]
        rig = {d.driver for p in photos for g, d in p.drives.items() if g in ("key", "fill", "rim", "dome")}
        assert rig == expected
    photo = next(p for p in draw_scene(spec, 0).photos if p.drives)
    assert any(drive.pulse_s == 0.001 and drive.level == 5.0 for drive in photo.drives.values())


def test_dirt_belongs_to_a_camera_and_comes_with_its_probability(load) -> None:
    spec = load("optics", {"dirt_probability": 0.5, "dust_spots": [1, 9]})
    states: dict[tuple[int, str, str], set[tuple[int, int, float]]] = {}
    for index in range(SCENES):
        for photo in draw_scene(spec, index).photos:
            if photo.photo_index:
                lens = photo.lens_state
                key = (index, photo.sensor, photo.body.serial)
                states.setdefault(key, set()).add((lens.dirt_seed, lens.dust_spots, lens.smear))
    assert all(len(state) == 1 for state in states.values())
    dirty = [spots for state in states.values() for _, spots, _ in state if spots]
    assert 0.3 < len(dirty) / len(states) < 0.7
    assert set(dirty) <= set(range(1, 10))
    assert len({seed for state in states.values() for seed, spots, _ in state if spots}) == len(dirty)
