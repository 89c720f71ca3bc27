"""Which process makes which face, and which way its grooves run, on parts made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.surface.finishes import RA_LEVELS, finish_part
from pipeline.surface.lay import tangent_to
from pipeline.surface.processes import process
from pipeline.tables import names, table

SCHEMES = names("finishes")
PLANE_ROLES = {f"plane_{role}" for role in ("faced", "at_hole", "level", "end", "large", "floor", "wall", "small")}
ROLES = {"hole_small", "hole_large", "turned", "edge", "freeform"} | PLANE_ROLES
KINDS = {"plane", "cylinder", "cone", "sphere", "torus", "freeform"}


def processes_of(surface):
    return [finish.process for finish in surface.finishes]


def vertices_of(part, face_id):
    return np.unique(part.triangles[part.face_of_triangle == face_id])


def grooves(surface, part):
    """Groove directions as the shader evaluates them, and which vertices have any."""
    rings = np.cross(surface.lay_axis.astype(float), part.vertices - surface.lay_origin)
    lengths = np.linalg.norm(rings, axis=1)
    round_ones = np.linalg.norm(surface.lay_axis, axis=1) > 0
    directions = surface.lay.astype(float)
    directions[round_ones] = rings[round_ones] / lengths[round_ones, None]
    return directions


def test_schemes_name_known_roles_and_processes():
    assert len(SCHEMES) >= 8
    for scheme in SCHEMES:
        row = dict(table("finishes")[scheme])
        assert row.pop("desc")
        assert set(row) - {"rest"} <= ROLES
        assert set(row.values()) <= set(table("processes"))
        assert set(process(row["rest"]).fits) == KINDS
        assert not process(row["rest"]).inside
        for role in set(row) & (PLANE_ROLES | {"freeform"}):
            assert role.partition("_")[0] in process(row[role]).fits
        assert all(process(row[role]).fits != ("plane",) for role in set(row) - PLANE_ROLES - {"freeform"})


def test_bush_is_turned_faced_and_drilled(make_bush, make_item):
    surface = finish_part(make_bush(), make_item("machined"))
    assert processes_of(surface) == ["turned", "drilled", "drilled", "faced", "faced"]


def test_wide_holes_are_bored_and_narrow_ones_drilled(make_bush, make_item):
    wide = finish_part(make_bush(outer=0.03, bore=0.0081), make_item())
    narrow = finish_part(make_bush(outer=0.03, bore=0.0079), make_item())
    assert processes_of(wide)[1] == "bored"
    assert processes_of(narrow)[1] == "drilled"


def test_block_is_milled_and_only_what_wraps_around_is_a_hole(make_block, make_item, hole):
    quarter = hole(0.004, 0.0, 0.01, inner=True, sweep=math.pi / 2)
    full = hole(0.004, 0.0, 0.01, inner=True, centre=(0.04, 0.02))
    surface = finish_part(make_block([quarter, full]), make_item())
    assert processes_of(surface) == ["face_milled"] * 2 + ["end_milled"] * 4 + ["end_milled", "drilled"]


def test_casting_is_machined_at_its_holes_only(make_bush, make_block, make_item, hole):
    bush = finish_part(make_bush(bore=0.009), make_item("sand_cast_machined"))
    assert processes_of(bush) == ["sand_cast", "bored", "bored", "face_milled", "face_milled"]
    far_hole = hole(0.002, 0.0, 0.01, inner=True, centre=(0.5, 0.5))  # its rim touches no plane of the block
    block = finish_part(make_block([far_hole]), make_item("sand_cast_machined"))
    assert processes_of(block) == ["sand_cast"] * 6 + ["drilled"]


def test_planes_wider_than_the_turned_surfaces_are_not_faced(make_block, make_item, hole):
    boss = hole(0.018, 0.01, 0.09, centre=(0.04, 0.02))  # a turned boss on a block that no chuck would hold
    surface = finish_part(make_block([boss]), make_item("machined"))
    assert processes_of(surface) == ["face_milled"] * 2 + ["end_milled"] * 4 + ["turned"]


def test_bush_grooves_run_around_its_true_axis(make_bush, make_item, tilted):
    part = make_bush(rotation=tilted, offset=(0.3, -0.2, 0.1))
    surface = finish_part(part, make_item("machined"))
    directions = grooves(surface, part)
    axis, origin = tilted[:, 2], np.array([0.3, -0.2, 0.1])
    outward = part.vertices - origin
    outward -= np.outer(outward @ axis, axis)
    outward /= np.linalg.norm(outward, axis=1)[:, None]
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose((directions * outward).sum(axis=1), 0.0, atol=1e-5)
    np.testing.assert_allclose(directions @ axis, 0.0, atol=1e-5)
    np.testing.assert_allclose((directions * part.normals).sum(axis=1), 0.0, atol=1e-5)
    assert not surface.lay.any()


def test_face_mills_travel_along_the_longer_side_and_end_mills_mark_walls_along_their_axis(
    make_block, make_item, tilted
):
    part = make_block(rotation=tilted)
    surface = finish_part(part, make_item("machined"))
    assert not surface.lay_axis.any()
    for face_id, side in ((0, 1), (1, 1), (2, 2), (3, 2), (4, 2), (5, 2)):
        lay = surface.lay[vertices_of(part, face_id)]
        np.testing.assert_allclose(np.abs(lay @ tilted[:, side]), 1.0, atol=1e-5)


def test_laser_cut_edges_have_striae_through_the_sheet(make_block, make_item, tilted):
    part = make_block(rotation=tilted)
    surface = finish_part(part, make_item("cold_rolled_sheet"))
    assert processes_of(surface) == ["cold_rolled"] * 2 + ["laser_cut"] * 4
    for face_id in (2, 3, 4, 5):
        np.testing.assert_allclose(np.abs(surface.lay[vertices_of(part, face_id)] @ tilted[:, 2]), 1.0, atol=1e-5)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_lay_is_either_straight_or_round_or_absent_as_the_process_says(scheme, make_bush, make_block, make_item, hole):
    fillet = hole(0.002, 0.0, 0.01, inner=True, sweep=math.pi / 2)
    for part in (make_bush(), make_block([fillet])):
        surface = finish_part(part, make_item(scheme))
        straight = np.linalg.norm(surface.lay, axis=1)
        around = np.linalg.norm(surface.lay_axis, axis=1)
        for finish in surface.finishes:
            members = vertices_of(part, finish.face_id)
            wanted = 0.0 if process(finish.process).lay_kind == "none" else 1.0  # a mould's parting line has a lay
            np.testing.assert_allclose(np.maximum(straight, around)[members], wanted, atol=1e-6)
        np.testing.assert_allclose(straight * around, 0.0, atol=1e-6)
        np.testing.assert_allclose((surface.lay * part.normals).sum(axis=1), 0.0, atol=1e-6)


def test_directions_stay_tangent_on_faces_almost_square_to_them():
    rng = np.random.default_rng(6)
    normals = rng.normal(size=(1000, 3)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=1)[:, None]
    angles = 10.0 ** rng.uniform(-6, 0, size=(1000, 1))
    directions = normals + angles * rng.normal(size=(1000, 3))
    lay = tangent_to(normals.astype(np.float64), directions)
    np.testing.assert_allclose(np.linalg.norm(lay, axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose((lay * normals).sum(axis=1), 0.0, atol=1e-7)


def test_materials_follow_the_triangles(make_bush, make_item):
    part = make_bush()
    surface = finish_part(part, make_item("machined", metal="copper"))
    assert surface.material_of_triangle.shape == part.face_of_triangle.shape
    for triangle, face_id in zip(surface.material_of_triangle, part.face_of_triangle, strict=True):
        material, finish = surface.materials[triangle], surface.finishes[face_id]
        assert material.metal == "copper"
        assert (material.process, material.ra_um) == (finish.process, finish.ra_um)
        assert (material.alpha_across, material.alpha_along) == (finish.alpha_across, finish.alpha_along)
    assert len({material.name for material in surface.materials}) == len(surface.materials)


def test_both_halves_of_a_hole_are_the_same_cut(make_bush, make_item):
    for instance_id in range(1, 20):
        surface = finish_part(make_bush(), make_item(instance_id=instance_id))
        assert surface.finishes[1].ra_um == surface.finishes[2].ra_um


def test_ra_grows_with_the_quantile_within_the_process_and_takes_few_values(make_bush, make_item):
    low, _, high = process("turned").ra_um
    values = [finish_part(make_bush(), make_item(quantile=q)).finishes[0].ra_um for q in np.linspace(0, 0.999, 60)]
    assert values == sorted(values)
    assert low < values[0] < values[-1] < high
    assert len(set(values)) <= RA_LEVELS


def test_alpha_scale_multiplies_alpha(make_bush, make_item):
    plain, scaled = (finish_part(make_bush(), make_item(alpha_scale=s)).finishes[0] for s in (1.0, 1.3))
    assert scaled.alpha_across / plain.alpha_across == pytest.approx(1.3)
    assert scaled.ra_um == plain.ra_um


def test_same_item_same_bytes_and_other_instances_differ(make_bush, make_item):
    one, same = (finish_part(make_bush(), make_item()) for _ in range(2))
    assert one.finishes == same.finishes
    assert one.lay_axis.tobytes() == same.lay_axis.tobytes()
    drawn = {tuple(f.ra_um for f in finish_part(make_bush(), make_item(instance_id=i)).finishes) for i in range(1, 9)}
    assert len(drawn) > 1


def test_unknown_scheme_is_refused_with_the_known_ones(make_bush, make_item):
    with pytest.raises(InputError, match=r"'chewed'.*machined"):
        finish_part(make_bush(), make_item("chewed"))
