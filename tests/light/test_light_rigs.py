"""The table of rigs and the geometry of each: angles, sizes, places before cameras, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.light.bands import band_rgb
from pipeline.light.glow import glow_factor, patches
from pipeline.light.illuminate import illuminate
from pipeline.light.photometry import form_factor, irradiance
from pipeline.light.rigs import build_rig, rig_groups
from pipeline.light.shapes import Mesh
from pipeline.light.sight import views_of
from pipeline.spec.scene import RigSpec
from pipeline.tables import names, table

ROWS = table("rigs")
SECTORS = ("ring", "dark_field_ring", "photometric_4", "photometric_8", "photometric_16")
FACING = tuple(name for name, row in ROWS.items() if row["kind"] == "facing")


def declared_ids(row):
    """Light ids of a row, as far as the table writes them."""
    ids = [lamp["id"] for lamp in row.get("lamps", [])] + row.get("ids", []) + ([row["id"]] if "id" in row else [])
    return ids + (row["groups"] if row["kind"] == "ring" else [])


def test_light_ids_are_unique_over_the_whole_table():
    ids = [light_id for row in ROWS.values() for light_id in declared_ids(row)]
    assert len(ids) > 30
    assert len(set(ids)) == len(ids)


def test_a_rig_has_at_most_four_groups_unless_it_has_that_many_sectors():
    for name, row in ROWS.items():
        assert len(set(row["groups"])) == len(row["groups"])
        assert len(row["groups"]) <= (16 if name.startswith("photometric") else 4), name


def test_every_rig_says_what_colour_its_lamps_have_and_what_it_is():
    for name, row in ROWS.items():
        assert ("cct_k" in row) != ("band_nm" in row), name
        assert len(row["desc"]) > 20


def elevations(lamps, centre):
    """Elevation in degrees of every corner of *lamps* above the horizontal through *centre*."""
    points = np.concatenate([lamp.vertices for lamp in lamps]) - np.array(centre)
    return np.degrees(np.arctan2(points[:, 2], np.hypot(points[:, 0], points[:, 1])))


@pytest.mark.parametrize("radius", [0.05, 0.3])
@pytest.mark.parametrize("name", ["dark_field_ring", "dark_field_bars"])
def test_low_angle_dark_field_stays_between_5_and_30_degrees_however_large_it_grows(name, radius, make_arrangement):
    arrangement = make_arrangement(radius)
    angles = elevations(build_rig(RigSpec(name, 0.2, 1.0), arrangement).lamps, arrangement.centre)
    assert angles.min() > 5.0
    assert angles.max() < 30.0


@pytest.mark.parametrize("name", ["vision_bars", "bar", "ring", "photometric_8"])
def test_bright_field_lamps_stand_above_45_degrees(name, make_arrangement):
    arrangement = make_arrangement()
    for lamp in build_rig(RigSpec(name, 0.0, 1.0), arrangement).lamps:
        middle = lamp.vertices.mean(axis=0) - np.array(arrangement.centre)
        assert math.degrees(math.asin(middle[2] / np.linalg.norm(middle))) > 44.0, lamp.light_id


def test_rigs_have_their_declared_millimetres_where_the_parts_are_small(make_arrangement):
    arrangement = make_arrangement(0.02)
    rig = build_rig(RigSpec("product_two_softboxes", 0.0, 1.0), arrangement)
    a, b, c, _ = rig.lamps[0].vertices
    assert rig.scale == 1.0
    assert sorted([np.linalg.norm(b - a), np.linalg.norm(c - b)]) == pytest.approx([0.6, 0.9])
    assert np.linalg.norm(rig.lamps[0].vertices.mean(axis=0) - np.array(arrangement.centre)) == pytest.approx(0.9)


def test_a_rig_grows_as_a_whole_and_says_by_how_much(make_scene, make_arrangement):
    small, large = (build_rig(RigSpec("vision_bars", 0.3, 1.0), make_arrangement(radius)) for radius in (0.05, 0.3))
    assert (small.scale, large.scale) == (1.0, pytest.approx(2.0))  # 3 radii of 300 mm over 450 mm
    for one, other in zip(small.lamps, large.lamps, strict=True):
        spans = [lamp.vertices - lamp.vertices.mean(axis=0) for lamp in (one, other)]
        assert spans[1] == pytest.approx(2.0 * spans[0])
    assert illuminate(make_scene(rig="vision_bars"), make_arrangement(0.3)).scales == (pytest.approx(2.0),)


@pytest.mark.parametrize("scale", [0.1, 1.0])
def test_parts_too_large_for_a_rig_are_refused_with_millimetres_and_a_remedy(scale, make_arrangement):
    spec = RigSpec("dome", 0.0, scale)
    limit = 6 * scale * 0.4 / 3.0
    build_rig(spec, make_arrangement(0.98 * limit))
    with pytest.raises(InputError, match=r"rig dome is too near.*expected .* mm.*found .* mm") as caught:
        build_rig(spec, make_arrangement(1.5 * limit))
    least = float(str(caught.value).split("set rigs.scale to ")[1].split(" ")[0])
    build_rig(replace(spec, scale=least + 0.01), make_arrangement(1.5 * limit))


def test_rigs_beside_the_parts_keep_clear_of_a_bin_s_walls(make_arrangement):
    arrangement = make_arrangement(0.05)
    wall = replace(arrangement.supports[0], vertices=arrangement.supports[0].vertices * 0.5 + [0.0, 0.0, 0.15])
    walled = replace(arrangement, supports=(*arrangement.supports, wall))
    reach = np.hypot(*(wall.vertices[:, :2] - np.array(arrangement.centre[:2])).T).max()
    lamps = build_rig(RigSpec("dark_field_ring", 0.0, 1.0), walled).lamps
    points = np.concatenate([lamp.vertices for lamp in lamps])[:, :2] - np.array(arrangement.centre[:2])
    assert np.hypot(*points.T).min() > reach


@pytest.mark.parametrize("name", SECTORS)
def test_sectors_add_up_to_the_whole_ring(name, make_arrangement):
    row, arrangement = ROWS[name], make_arrangement(0.03)
    lamps = build_rig(RigSpec(name, 0.5, 1.0), arrangement).lamps
    assert [lamp.group for lamp in lamps] == row["groups"]
    centre, up = arrangement.centre, (0.0, 0.0, 1.0)
    shares = [irradiance([lamp], centre, up) for lamp in lamps]
    assert shares == pytest.approx([np.mean(shares)] * len(lamps), rel=1e-6)
    elevation, half = math.radians(row["elevation_deg"]), math.atan(row["width_mm"] / row["distance_mm"] / 2)
    whole = math.pi * (math.cos(elevation - half) ** 2 - math.cos(elevation + half) ** 2)  # a full, even ring
    gaps = 1.0 - row["gap_deg"] * len(lamps) / 360.0
    leds = 0.72**2 if "leds" in row else 1.0
    assert sum(shares) == pytest.approx(whole * gaps * leds, rel=0.02)


def test_coaxial_light_is_a_square_on_each_camera_s_axis_before_its_lens(make_arrangement):
    arrangement = make_arrangement(0.05, ((0.0, 80.0, 0.7), (90.0, 60.0, 0.9)))
    lamps = build_rig(RigSpec("coaxial", 0.0, 1.0), arrangement).lamps
    assert [lamp.camera for lamp in lamps] == [view.camera_index for view in views_of(arrangement)]
    for lamp, view in zip(lamps, views_of(arrangement), strict=True):
        middle = (lamp.vertices.mean(axis=0) - view.position) @ view.axes.T
        depth = float((np.array(arrangement.centre) - view.position) @ view.axes[2])
        assert middle[:2] == pytest.approx([0.0, 0.0], abs=1e-9)
        assert 0.03 < middle[2] < depth - 0.1
        field = depth * (view.slopes[1] - view.slopes[0])
        sides = np.linalg.norm(np.diff(lamp.vertices, axis=0), axis=1)
        assert sides == pytest.approx([1.5 * field] * 3)


def test_a_lens_nearer_than_the_coaxial_light_is_refused(make_arrangement):
    with pytest.raises(InputError, match=r"rig coaxial: .*at least 130 mm.*found 110 mm.*raise cameras.distance_m"):
        build_rig(RigSpec("coaxial", 0.0, 1.0), make_arrangement(0.03, ((0.0, 80.0, 0.11),)))


@pytest.mark.parametrize("name", ["coaxial", "ring_flash", "bright_field", "stripes_x0"])
def test_lamps_of_a_camera_are_calibrated_for_that_camera_alone(name, make_scene, make_arrangement):
    arrangement = make_arrangement(0.05, ((0.0, 80.0, 0.7), (90.0, 45.0, 0.9)))
    spec = RigSpec(name, 0.0, 1.0)
    lamps = [lamp for lamp in illuminate(make_scene(rig=name), arrangement).lamps if lamp.rig == 0]
    for receiver in build_rig(spec, arrangement).receivers:
        own = [lamp for lamp in lamps if lamp.camera == receiver.camera]
        assert irradiance(own, receiver.point, receiver.normal) == pytest.approx(math.pi)


def test_ring_flash_surrounds_the_lens_and_hides_nothing(make_scene, make_arrangement):
    arrangement = make_arrangement(0.05, ((0.0, 70.0, 0.7),))
    view = views_of(arrangement)[0]
    light = illuminate(make_scene(rig="ring_flash"), arrangement)
    for lamp in (lamp for lamp in light.lamps if lamp.rig == 0):
        x, y, z = ((lamp.vertices - view.position) @ view.axes.T).T
        assert np.hypot(x, y).min() == pytest.approx(0.042)
        assert np.hypot(x, y).max() == pytest.approx(0.072)
        assert z.max() < 0.0
        assert lamp.camera_visible


@pytest.mark.parametrize("name", FACING)
def test_panels_and_screens_stand_where_a_flat_mirror_shows_them(name, make_arrangement):
    arrangement = make_arrangement(0.05, ((25.0, 50.0, 0.7),))
    lamp = build_rig(RigSpec(name, 0.0, 1.0), arrangement).lamps[0]
    aim, view = np.array(arrangement.centre), views_of(arrangement)[0]
    looking = (aim - view.position) / np.linalg.norm(aim - view.position)
    mirrored = looking * [1.0, 1.0, -1.0]
    a, b, c = lamp.vertices[:3]
    normal = np.cross(b - a, c - a) / np.linalg.norm(np.cross(b - a, c - a))
    assert normal == pytest.approx(-mirrored)
    way = aim + mirrored * ((a - aim) @ normal) / (mirrored @ normal) - a
    shares = [way @ (b - a) / ((b - a) @ (b - a)), way @ (c - b) / ((c - b) @ (c - b))]
    assert shares[0] == pytest.approx(0.5)
    assert 0.2 < shares[1] < 0.8  # its foot may be cut off at the table


def test_back_light_is_a_panel_under_the_parts_instead_of_the_table(make_scene, make_arrangement):
    for radius in (0.05, 0.3):
        arrangement = make_arrangement(radius)
        light = illuminate(make_scene(rig="back_light"), arrangement)
        panel = next(lamp for lamp in light.lamps if lamp.rig == 0)
        assert light.without_support == (True,)
        assert panel.camera_visible
        assert panel.vertices[:, 2] == pytest.approx(0.0, abs=0.001)
        width = np.linalg.norm(panel.vertices[1] - panel.vertices[0])
        assert width >= 1.2 * 2 * radius
        assert width == pytest.approx(max(0.3, 1.5 * 2 * radius))


@pytest.mark.parametrize("kind", ["bin", "pocket_tray", "vice"])
def test_a_back_light_under_parts_that_something_holds_is_refused(kind, make_arrangement):
    with pytest.raises(InputError, match=rf"rig back_light: .*found a {kind}.*use arrangement.kinds table"):
        build_rig(RigSpec("back_light", 0.0, 1.0), make_arrangement(), kind)


def test_dome_lights_every_side_of_a_part_nearly_alike(make_scene, make_arrangement):
    lamps = [lamp for lamp in illuminate(make_scene(rig="dome"), make_arrangement(0.03)).lamps if lamp.rig == 0]
    sides = [(math.cos(a), math.sin(a), 0.0) for a in np.arange(0.0, 6.28, 0.5)]
    around = [irradiance(lamps, (0.0, 0.0, 0.03), side) for side in sides]
    assert min(around) / max(around) > 0.9  # shadowless: no side is darker than another
    above = irradiance(lamps, (0.0, 0.0, 0.03), (0.0, 0.0, 1.0))
    assert 0.35 < min(around) / above < 0.55  # half of an even sky stands before a wall


def test_phases_of_the_stripes_are_a_quarter_period_apart_and_equally_bright(make_scene, make_arrangement):
    arrangement = make_arrangement(0.05, ((0.0, 60.0, 0.7),))
    factors = []
    for phase in (0, 90, 180, 270):
        light = illuminate(make_scene(rig=f"stripes_x{phase}"), arrangement)
        screen = next(lamp for lamp in light.lamps if lamp.rig == 0)
        points = patches(Mesh(screen.vertices, screen.triangles), 0.02).vertices
        factors.append(screen.material.radiance[0] * glow_factor(screen.material, points))
    assert factors[0] + factors[2] == pytest.approx(factors[1] + factors[3])
    assert np.ptp(factors[0]) > 0.9 * factors[0].max()
    assert screen.material.stripes.period_m == pytest.approx(0.02)


def test_softboxes_are_brighter_in_the_middle_and_bordered_by_seams(make_scene, make_arrangement):
    key = illuminate(make_scene(rig="studio_softboxes"), make_arrangement()).lamps[0]
    a, _, c, d = key.vertices
    points = np.array([(a + c) / 2, 0.5 * (a + c) / 2 + 0.5 * (a + d) / 2, 0.85 * a + 0.15 * c, a])
    middle, side, corner, hem = glow_factor(key.material, points)
    assert middle == pytest.approx(1.0)
    assert middle > side > corner > hem
    assert hem < 0.4 * corner


def test_glow_is_part_of_the_calibration(make_arrangement):
    lamp = build_rig(RigSpec("studio_softboxes", 0.0, 1.0), make_arrangement()).lamps[0]
    plain = form_factor(lamp.vertices, lamp.triangles, (0.0, 0.0, 0.0), (0.0, 0.0, 1.0)) * lamp.material.radiance[0]
    assert 0.6 * plain < irradiance([lamp], (0.0, 0.0, 0.0), (0.0, 0.0, 1.0)) < 0.9 * plain


@pytest.mark.parametrize(
    ("peak", "xy"), [(465.0, (0.1355, 0.0399)), (525.0, (0.1142, 0.8262)), (625.0, (0.7006, 0.2993))]
)
def test_bands_have_the_hue_of_their_wavelength(peak, xy):
    """Chromaticities of the spectral locus: CIE 1931 tables."""
    to_rgb = np.linalg.inv(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    pure = to_rgb @ [xy[0] / xy[1], 1.0, (1 - xy[0] - xy[1]) / xy[1]]
    found = np.array(band_rgb(peak))
    assert found.argmax() == pure.argmax()
    assert found @ [0.2126, 0.7152, 0.0722] == pytest.approx(1.0)
    assert (found[np.argsort(found)[:2]] < 0.05 * found.max()).all()


def test_bands_outside_the_visible_are_refused():
    with pytest.raises(InputError, match=r"expected a lamp of 400 to 700 nm, found 850 nm"):
        band_rgb(850.0)


@pytest.mark.parametrize("name", names("rigs"))
def test_groups_of_a_rig_all_have_lamps(name, make_arrangement):
    arrangement = make_arrangement(0.05, ((0.0, 80.0, 0.7),))
    assert {lamp.group for lamp in build_rig(RigSpec(name, 0.0, 1.0), arrangement).lamps} == set(rig_groups(name))
