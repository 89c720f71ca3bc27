"""Plans: which actions a scene has, how they hang together, what their keys depend on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.fake_builds import FAKE_STAGES, spec_scenes, write_spec

from pipeline.errors import InputError
from pipeline.graph.plan import catalog_of, plan_build, plan_scene, scene_count
from pipeline.spec.load import load_spec


@pytest.fixture
def catalog(spec):
    return catalog_of(load_spec(spec), FAKE_STAGES)


@pytest.fixture
def scene(spec):
    return spec_scenes(spec, 1)[0]


def test_every_action_comes_after_its_inputs(catalog, scene):
    plan = plan_scene(scene, catalog)
    assert [action.stage for action in plan.actions[-3:]] == ["render", "truth", "photos"]
    seen = set()
    for action in plan.actions:
        assert {entry.key for entry in action.inputs} <= seen
        seen.add(action.key)


def test_actions_have_the_inputs_that_the_design_names(catalog, scene):
    plan = plan_scene(scene, catalog)
    part_id = scene.items[0].part_id
    by_stage = {action.stage: {entry.role for entry in action.inputs} for action in plan.actions}
    assert by_stage == {
        "part": set(),
        "render": {f"part:{part_id}"},
        "truth": {"render", f"part:{part_id}"},
        "photos": {"render"},
    }
    assert set(plan.keys) == {"render", "truth", "photos"}
    assert set(plan.parts) == {part_id}


def test_scenes_share_the_actions_of_their_parts(spec, catalog):
    plans = list(plan_build(load_spec(spec), catalog))
    parts = [action for plan in plans for action in plan.actions if action.stage == "part"]
    assert len(parts) > len({action.key for action in parts}) == 2


def test_an_exposure_changes_the_photos_alone_and_a_sample_count_all_after_the_part(tmp_path, spec):
    def keys(path):
        loaded = load_spec(path)
        plan = next(plan_build(loaded, catalog_of(loaded, FAKE_STAGES)))
        return {**plan.keys, **plan.parts}

    before = keys(spec)
    exposed = keys(write_spec(spec.parent, exposure=0.75))
    assert {name for name in before if before[name] != exposed[name]} == {"photos"}
    sampled = keys(write_spec(spec.parent, samples=9))
    assert {name for name in before if before[name] != sampled[name]} == {"render", "truth", "photos"}


def test_a_part_is_known_by_its_content_and_its_name_not_by_its_folder(tmp_path):
    def part_keys(folder):
        loaded = load_spec(write_spec(tmp_path / folder))
        return {k: v for plan in plan_build(loaded, catalog_of(loaded, FAKE_STAGES)) for k, v in plan.parts.items()}

    here, there = part_keys("here"), part_keys("there")
    assert here == there
    (tmp_path / "there" / "one.stl").write_text("solid other\n")
    changed = part_keys("there")
    assert changed["one"] != here["one"]
    assert changed["two"] == here["two"]


def test_the_path_of_a_cad_file_is_no_part_of_the_fields(catalog, scene):
    action = plan_scene(scene, catalog).actions[0]
    assert action.files["cad"].endswith(".stl")
    assert not any("/" in str(value) for value in action.fields.values())


def test_the_split_changes_the_photos_but_not_the_render(catalog, scene):
    one, other = (plan_scene(replace(scene, split=split), catalog).keys for split in ("train", "test"))
    assert {stage for stage in one if one[stage] != other[stage]} == {"photos"}


def test_plans_are_made_one_at_a_time(spec, catalog):
    plans = plan_build(load_spec(write_spec(spec.parent, scenes=100_000)), catalog)
    assert [next(plans).scene.index for _ in range(3)] == [0, 1, 2]


def test_limit_takes_the_first_scenes(spec, catalog):
    loaded = load_spec(spec)
    assert [plan.scene.index for plan in plan_build(loaded, catalog, limit=2)] == [0, 1]
    assert scene_count(loaded, 2) == 2
    assert scene_count(loaded, 99) == 5


def test_a_part_file_that_vanished_is_an_input_error(spec, scene):
    catalog = catalog_of(load_spec(spec), FAKE_STAGES)
    for path in spec.parent.glob("*.stl"):
        path.unlink()
    with pytest.raises(InputError, match="part file"):
        plan_scene(scene, catalog)
