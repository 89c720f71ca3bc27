"""Groove coordinates by finite differences: one metre of u per metre across the lay, none along it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from pipeline.spec.scene import FaceRule
from pipeline.surface.finishes import PHASE_M, finish_part
from pipeline.surface.material import ARC_PASS


def made_by(make_item, process, **conditions):
    fields = dict.fromkeys(("kind", "radius_mm", "inner", "name", "color", "ra_um"))
    return replace(make_item(), face_rules=(FaceRule(process=process, **{**fields, **conditions}),))


def gradients(part, values, face_id):
    """(t, 3) gradient of a value at the vertices within each triangle of a face."""
    triangles = part.triangles[part.face_of_triangle == face_id]
    a, b, c = (part.vertices[triangles[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    system = np.stack([b - a, c - a, normal], axis=1)
    wanted = np.stack([values[triangles[:, 1]] - values[triangles[:, 0]],
                       values[triangles[:, 2]] - values[triangles[:, 0]], np.zeros(len(a))], axis=1)  # fmt: skip
    return np.linalg.solve(system, wanted[..., None])[..., 0]


def along_and_across(part, surface, face_id):
    """(t, 3) each: unit directions at the middle of the triangles, as the shader has them."""
    triangles = part.triangles[part.face_of_triangle == face_id]
    middle = part.vertices[triangles].mean(axis=1)
    normal = part.normals[triangles].astype(float).mean(axis=1)
    axis, origin = surface.lay_axis[triangles[:, 0]].astype(float), surface.lay_origin[triangles[:, 0]].astype(float)
    along = np.cross(axis, middle - origin) + surface.lay[triangles].astype(float).mean(axis=1)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    across = np.cross(normal, along)
    return along, across / np.linalg.norm(across, axis=1, keepdims=True)


def assert_unit_across(part, surface, face_id, tolerance=0.01):
    along, across = along_and_across(part, surface, face_id)
    slope = gradients(part, surface.groove[:, 0].astype(float), face_id)
    np.testing.assert_allclose((slope * across).sum(axis=1), 1.0, atol=tolerance)
    np.testing.assert_allclose((slope * along).sum(axis=1), 0.0, atol=tolerance)
    return along


def cone(hole, start=0.0, sweep=2 * math.pi, tip=0.004, inner=False):
    """A frustum 20 mm high: 10 mm radius below, *tip* above."""
    vertices, normals, triangles, face = hole(0.01, 0.0, 0.02, inner=inner, start=start, sweep=sweep, segments=96)
    upper = vertices[:, 2] > 0.01
    vertices[upper, :2] *= tip / 0.01
    slant = np.array([0.02, 0.01 - tip]) / math.hypot(0.02, 0.01 - tip)
    normals = normals * slant[0] + np.array([0.0, 0.0, -slant[1] if inner else slant[1]])
    return vertices, normals, triangles, {**face, "kind": "cone", "radius_m": (0.01 + tip) / 2}


@pytest.mark.parametrize("process", ["brushed", "surface_ground", "stainless_2b", "extruded"])
def test_on_planes_u_and_v_are_lengths_across_and_along(process, make_block, make_item, tilted):
    part = make_block(rotation=tilted)
    surface = finish_part(part, made_by(make_item, process, kind="plane"))
    for face_id in range(6):
        along = assert_unit_across(part, surface, face_id, 1e-4)
        slope = gradients(part, surface.groove[:, 1].astype(float), face_id)
        np.testing.assert_allclose(slope, along, atol=1e-4)


@pytest.mark.parametrize("inner", [False, True])
@pytest.mark.parametrize("process", ["turned", "brushed", "thread_cut"])
def test_round_faces_have_u_along_the_generatrix(process, inner, hole, assemble_parts, make_item, tilted):
    part = assemble_parts([hole(0.008, 0.0, 0.03, inner=inner), cone(hole, inner=inner)], tilted, (0.1, 0.2, -0.1))
    surface = finish_part(part, made_by(make_item, process))
    for face_id in (0, 1):
        assert np.linalg.norm(surface.lay_axis[part.triangles[part.face_of_triangle == face_id]]) > 0
        assert_unit_across(part, surface, face_id)
        members = np.unique(part.triangles[part.face_of_triangle == face_id])
        assert not surface.groove[members, 1].any()


def test_countersinks_at_both_ends_of_a_hole_slant_opposite_ways(hole, assemble_parts, make_item):
    vertices, normals, triangles, face = cone(hole, inner=True)
    turned_over = (vertices * [1, -1, -1] + [0, 0, 0.06], normals * [1, -1, -1], triangles, face)
    part = assemble_parts([(vertices, normals, triangles, face), turned_over])
    surface = finish_part(part, made_by(make_item, "drilled"))
    for face_id in (0, 1):
        assert_unit_across(part, surface, face_id)


@pytest.mark.parametrize("inner", [False, True])
def test_straight_grooves_on_round_faces_have_u_around_them_and_no_seam(inner, hole, assemble_parts, make_item, tilted):
    tube = hole(0.008, 0.0, 0.03, inner=inner, segments=96)
    part = assemble_parts([tube, cone(hole, inner=inner)], tilted, (0.1, 0.2, -0.1))
    surface = finish_part(part, made_by(make_item, "end_milled"))
    assert not surface.lay_axis.any()
    assert_unit_across(part, surface, 0)  # also in the triangles at the seam
    for face_id, radius in ((0, 0.008), (1, 0.007)):  # the lines of the cone converge: the arc at its mean radius
        members = np.unique(part.triangles[part.face_of_triangle == face_id])
        assert np.ptp(surface.groove[members, 0]) == pytest.approx(2 * math.pi * radius, rel=1e-3)
        _, across = along_and_across(part, surface, face_id)
        slope = gradients(part, surface.groove[:, 0].astype(float), face_id)
        assert ((slope * across).sum(axis=1) > 0.5).all()


def test_loose_pieces_of_a_face_are_measured_too(hole, assemble_parts, make_item):
    vertices, normals, triangles, face = hole(0.008, 0.0, 0.01, sweep=1.0)
    twice = (
        np.concatenate([vertices, vertices + np.array([0, 0, 0.02])]),
        np.concatenate([normals, normals]),
        np.concatenate([triangles, triangles + len(vertices)]),
        face,
    )
    part = assemble_parts([twice])
    surface = finish_part(part, made_by(make_item, "end_milled"))
    assert_unit_across(part, surface, 0)


def test_faced_planes_leave_it_to_the_shader_and_say_so(make_bush, make_item):
    part = make_bush()
    surface = finish_part(part, make_item("machined"))
    coordinate = {m.process: m.coordinate for m in surface.materials}
    assert coordinate["faced"] == "rings"
    assert coordinate["turned"] == "vertex"
    for face_id in (3, 4):
        members = np.unique(part.triangles[part.face_of_triangle == face_id])
        assert not surface.groove[members].any()


def test_face_mills_travel_along_u_and_their_pass_is_centred_on_the_face(make_block, make_item):
    part = make_block()
    surface = finish_part(part, make_item("machined"))
    members = np.unique(part.triangles[part.face_of_triangle == 0])
    u, v = surface.groove[members, 0], surface.groove[members, 1]
    assert np.ptp(u) == pytest.approx(0.08, rel=1e-4)
    assert (v.min(), v.max()) == pytest.approx((-0.02, 0.02), abs=1e-6)
    arc = next(r for m in surface.materials if m.process == "face_milled" for r in m.relief if r.kind == "arc")
    assert ARC_PASS * arc.path_radius_m > 0.04  # one pass covers the block


def test_layers_are_level_whatever_the_slope(hole, assemble_parts, make_item):
    part = assemble_parts([hole(0.008, 0.0, 0.03), cone(hole)])
    surface = finish_part(part, make_item("additive"))
    np.testing.assert_allclose(surface.groove[:, 0], part.vertices[:, 2], atol=1e-8)
    np.testing.assert_allclose(surface.lay[:, 2], 0.0, atol=1e-6)


def test_level_planes_of_a_print_show_tracks_not_layers(make_block, make_item):
    surface = finish_part(make_block(), make_item("additive"))
    assert [finish.process for finish in surface.finishes] == ["printed_top"] * 2 + ["printed"] * 4


def test_parting_line_runs_midway_up_the_outline_and_nowhere_else(make_block, make_item, hole):
    pocket = hole(0.004, 0.0, 0.01, inner=True, sweep=3.0, centre=(0.04, 0.02))
    part = make_block([pocket])
    surface = finish_part(part, make_item("die_cast"))
    for face_id in (2, 3, 4, 5):
        members = np.unique(part.triangles[part.face_of_triangle == face_id])
        np.testing.assert_allclose(surface.groove[members, 0], part.vertices[members, 2] - 0.005, atol=1e-7)
        np.testing.assert_allclose(surface.lay[members, 2], 0.0, atol=1e-6)
    ridge = next(r for m in surface.materials for r in m.relief if r.kind == "ridge")
    for face_id in (0, 1, 6):
        members = np.unique(part.triangles[part.face_of_triangle == face_id])
        assert (surface.groove[members, 0] > 100 * ridge.wavelength_m).all()


def test_passes_over_a_freeform_face_lie_in_parallel_planes(make_ball, make_item):
    part = make_ball()
    surface = finish_part(part, made_by(make_item, "ball_milled"))
    u = surface.groove[:, 0].astype(float)
    step = np.linalg.lstsq(np.column_stack([part.vertices, np.ones(len(u))]), u, rcond=None)[0][:3]
    assert np.linalg.norm(step) == pytest.approx(1.0, abs=1e-4)
    np.testing.assert_allclose(surface.lay @ step, 0.0, atol=1e-5)


def test_cuts_of_one_part_and_parts_of_one_scene_start_at_different_phases(make_block, make_item):
    part = make_block()

    def starts(instance_id):
        surface = finish_part(part, replace(make_item("brushed"), instance_id=instance_id))
        return {float(np.round(surface.groove[part.triangles[2 * face, 0], 0], 7)) for face in range(6)}

    assert len(starts(1)) == 6
    assert not starts(1) & starts(2)
    assert all(abs(start) < PHASE_M + 0.1 for start in starts(1))


def test_same_item_gives_the_same_bytes(make_bush, make_item):
    one, same = (finish_part(make_bush(), make_item()) for _ in range(2))
    assert one.groove.tobytes() == same.groove.tobytes()
    assert one.materials == same.materials
