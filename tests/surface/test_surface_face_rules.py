"""Processes that a part declares for its faces: which faces a rule means, and what is refused before rendering."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.errors import InputError
from pipeline.spec.scene import FaceRule
from pipeline.surface.face_rules import check_face_rules
from pipeline.surface.finishes import finish_part
from pipeline.tables import names, table

KINDS = {"plane", "cylinder", "cone", "sphere", "torus", "freeform"}
STEEL, BRASS = (0.56, 0.57, 0.58), (0.75, 0.58, 0.3)


def rule(process, ra_um=None, **conditions):
    return FaceRule(
        process=process,
        ra_um=ra_um,
        **{**dict.fromkeys(("kind", "radius_mm", "inner", "name", "color")), **conditions},
    )


@pytest.fixture
def finished(make_item):
    """Processes of the faces of a part, by face_id, with *rules*."""

    def finish(part, *rules):
        return [f.process for f in finish_part(part, replace(make_item("machined"), face_rules=rules)).finishes]

    return finish


@pytest.fixture
def refusal(make_item):
    """What is said when *rules* cannot be followed on a part."""

    def refuse(part, *rules):
        item = replace(make_item("machined"), face_rules=rules)
        with pytest.raises(InputError) as checked:
            check_face_rules(part, item)
        with pytest.raises(InputError) as finishing:
            finish_part(part, item)
        assert str(finishing.value) == str(checked.value)
        return str(checked.value)

    return refuse


def with_faces(part, solid_color=None, solid_name="made", **fields):
    """*part* with the fields {face_id: value} of its faces and of its solid."""
    faces = [
        replace(face, **{key: values[face.face_id] for key, values in fields.items() if face.face_id in values})
        for face in part.info.faces
    ]
    solids = (replace(part.info.solids[0], color=solid_color, name=solid_name),)
    return replace(part, info=replace(part.info, faces=tuple(faces), solids=solids))


def test_a_rule_takes_faces_by_kind_and_side_and_leaves_the_rest_to_the_scheme(make_bush, finished):
    assert finished(make_bush(), rule("honed", kind="cylinder", inner=True)) == [
        *("turned", "honed", "honed"),
        *("faced", "faced"),
    ]
    assert finished(make_bush(), rule("lapped", kind="plane"))[3:] == ["lapped", "lapped"]


def test_the_first_rule_whose_every_condition_holds_wins(make_bush, finished):
    first, second = rule("cylindrical_ground", kind="cylinder", inner=False), rule("polished")
    assert finished(make_bush(), first, second) == ["cylindrical_ground", *["polished"] * 4]
    assert finished(make_bush(), second, first) == ["polished"] * 5


def test_a_rule_takes_faces_by_radius_with_the_kernels_last_digits_to_spare(make_bush, finished):
    part = make_bush(outer=0.02, bore=0.00599999998)
    assert finished(part, rule("reamed", radius_mm=(6.0, 6.0))) == ["turned", "reamed", "reamed", "faced", "faced"]
    assert finished(part, rule("tumbled", radius_mm=(10.0, 30.0)))[:2] == ["tumbled", "drilled"]


def test_a_rule_takes_faces_by_the_pattern_of_their_name_or_their_solids(make_bush, finished):
    part = with_faces(make_bush(), name={1: "bore_H7", 2: "bore_H7", 0: "seat"})
    assert finished(part, rule("reamed", name="bore*")) == ["turned", "reamed", "reamed", "faced", "faced"]
    assert finished(with_faces(make_bush(), solid_name="sleeve"), rule("tumbled", name="sl?eve")) == ["tumbled"] * 5


def test_a_rule_takes_faces_by_srgb_colour_whatever_the_kernel_rounded(make_bush, finished):
    part = with_faces(make_bush(), color={0: STEEL, 1: BRASS, 2: tuple(c + 1e-3 for c in BRASS)})
    brass = "#e1c895"  # IEC 61966-2-1 of BRASS
    assert finished(part, rule("reamed", color=brass)) == ["turned", "reamed", "reamed", "faced", "faced"]
    assert finished(part, rule("reamed", color=brass.upper()))[1] == "reamed"


def test_a_solids_colour_counts_for_faces_without_their_own(make_bush, finished):
    part = with_faces(make_bush(), solid_color=BRASS, color={0: STEEL})
    assert finished(part, rule("tumbled", color="#e1c895")) == ["turned", *["tumbled"] * 4]


def test_halves_of_one_hole_may_be_declared_differently(make_bush, finished):
    part = with_faces(make_bush(), name={2: "honed half"})
    assert finished(part, rule("honed", name="honed*"))[1:3] == ["drilled", "honed"]


def test_a_declared_ra_is_kept_exactly(make_bush, make_item):
    item = replace(make_item(), face_rules=(rule("turned", 0.63, kind="cylinder", inner=False),))
    surface = finish_part(make_bush(), item)
    assert surface.finishes[0].ra_um == 0.63
    assert surface.materials[surface.material_of_triangle[0]].ra_um == 0.63


def test_turning_a_freeform_face_is_refused_with_the_face_and_what_turning_makes(make_ball, refusal):
    said = refusal(make_ball(), rule("turned"))
    assert "face 0 (freeform)" in said
    assert "turned" in said
    assert "cylinder, cone, sphere and torus" in said


@pytest.mark.parametrize("process", ["drilled", "turned", "honed"])
def test_round_processes_are_refused_on_planes(process, make_block, refusal):
    said = refusal(make_block(), rule(process, kind="plane"))
    assert "face 0 (plane)" in said
    assert "this one is plane" in said


def test_a_rule_without_a_kind_names_the_first_face_that_it_must_not_take(make_bush, refusal):
    assert "face 3 (plane)" in refusal(make_bush(), rule("turned"))


def test_drilling_the_outside_of_a_bar_is_refused(make_bush, refusal):
    said = refusal(make_bush(), rule("drilled", kind="cylinder"))
    assert "face 0 (cylinder, convex, radius 20 mm)" in said
    assert "hollow" in said


def test_ra_outside_the_range_of_the_process_is_refused_with_the_range(make_bush, refusal):
    said = refusal(make_bush(), rule("lapped", 3.2, kind="plane"))
    assert "0.025 to 0.4" in said
    assert "found 3.2" in said


def test_a_rule_that_fits_no_face_is_refused_with_the_faces_there_are(make_bush, refusal):
    said = refusal(make_bush(), rule("reamed", radius_mm=(1.0, 2.0)))
    assert "radius_mm = (1.0, 2.0)" in said
    assert "made.step" in said
    assert "2 x cylinder, hollow, radius 6 mm" in said
    assert "1 x cylinder, convex, radius 20 mm" in said
    assert "2 x plane" in said


def test_colours_are_named_when_a_colour_fits_nothing(make_bush, refusal):
    part = with_faces(make_bush(), color={0: BRASS})
    assert "colour #e1c895" in refusal(part, rule("tumbled", color="#ff0000"))


def test_unknown_processes_are_refused_with_the_known_ones(make_bush, refusal):
    said = refusal(make_bush(), rule("chewed"))
    assert "'chewed'" in said
    assert "face_milled" in said


@pytest.mark.parametrize("name", names("processes"))
def test_every_process_says_which_faces_it_makes(name):
    fits = table("processes")[name]["fits"]
    assert fits
    assert set(fits) <= KINDS
