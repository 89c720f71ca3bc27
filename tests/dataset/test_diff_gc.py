"""Comparing builds, and removing what no kept build needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.dataset.build import BuildInfo, builds, latest_number, write_build
from pipeline.dataset.diff import Changes, diff
from pipeline.dataset.gc import collect, plan_gc
from pipeline.dataset.store import ActionRecord, Store
from pipeline.dataset.verify import verify
from pipeline.errors import DamageFound, InputError

NONE = Changes((), (), ())


def test_two_builds_of_the_same_are_the_same(dataset_root: Path, scene_maker: Any, info: BuildInfo) -> None:
    write_build(dataset_root, [scene_maker(dataset_root, index) for index in range(4)], info)
    found = diff(dataset_root, "0001", "0002")
    assert found.same
    assert (found.scenes, found.photos, found.spec) == (NONE, NONE, ())
    assert found.stages == {"render": 0, "truth": 0, "photos": 0}


def test_added_removed_and_changed_scenes_are_told_apart(dataset_root: Path, scene_maker: Any, info: BuildInfo) -> None:
    scenes = [scene_maker(dataset_root, 1), scene_maker(dataset_root, 2, "again"), scene_maker(dataset_root, 6)]
    write_build(dataset_root, scenes, replace(info, spec_text='name = "tiny"\nscenes = 3\n'))
    found = diff(dataset_root, "0001", "0002")
    assert found.scenes == Changes(("tiny-000006",), ("tiny-000000", "tiny-000003"), ("tiny-000002",))
    # Scene 2 was made again with the same pixels: its keys are others, its photos are not.
    assert found.photos.changed == ()
    assert len(found.photos.added) == 2
    assert len(found.photos.removed) == 4
    assert found.stages == {"render": 1, "truth": 1, "photos": 1}
    assert [line for line in found.spec if line.startswith("+")] == ["+scenes = 3"]


def test_a_scene_that_changed_its_split_has_changed(dataset_root: Path, scene_maker: Any, info: BuildInfo) -> None:
    scenes = [replace(scene_maker(dataset_root, index), columns={"split": "val"}) for index in range(4)]
    write_build(dataset_root, scenes, info)
    assert diff(dataset_root, "0001", "0002").scenes.changed == ("tiny-000000", "tiny-000001", "tiny-000002")
    assert verify(dataset_root).ok, "photos must follow their scene's split"


def test_unknown_builds_are_refused(dataset_root: Path) -> None:
    with pytest.raises(InputError, match="0009"):
        diff(dataset_root, "0001", "0009")


@pytest.fixture
def two_builds(dataset_root: Path, scene_maker: Any, info: BuildInfo) -> Path:
    """Build 0001 has scenes 0 to 3; build 0002 has scenes 2 and 5."""
    write_build(dataset_root, [scene_maker(dataset_root, index) for index in (2, 5)], info)
    return dataset_root


def test_what_a_kept_build_needs_stays(two_builds: Path) -> None:
    plan = plan_gc(two_builds, keep_builds=1, spare_s=0.0)
    assert plan.builds == ("0001",)
    assert plan.kept_builds == ("0002",)
    assert sorted(stage for stage, _ in plan.outputs) == ["photos"] * 3 + ["render"] * 3 + ["truth"] * 3
    assert plan.kept_outputs == 7, "two scenes of three outputs, and the part that they were rendered from"
    assert plan.bytes > 0
    collect(two_builds, plan)
    assert builds(two_builds) == ("0002",)
    assert len(list(Store(two_builds).outputs())) == 7
    report = verify(two_builds)
    assert report.problems == ()
    assert report.checked["views"] == 2


def test_planning_removes_nothing(two_builds: Path) -> None:
    before = sorted(two_builds.rglob("*"))
    plan_gc(two_builds, keep_builds=1, spare_s=0.0)
    assert sorted(two_builds.rglob("*")) == before


def test_nothing_to_do_when_all_builds_are_kept(two_builds: Path) -> None:
    plan = plan_gc(two_builds, keep_builds=5, spare_s=0.0)
    assert (plan.builds, plan.outputs, plan.bytes) == ((), (), 0)


def test_young_outputs_are_spared(two_builds: Path) -> None:
    plan = plan_gc(two_builds, keep_builds=1)
    assert plan.builds == ("0001",)
    assert plan.outputs == ()


def test_the_newest_build_is_kept_even_if_it_is_not_the_last(two_builds: Path) -> None:
    (two_builds / "LATEST").write_text("0001\n")
    plan = plan_gc(two_builds, keep_builds=1, spare_s=0.0)
    assert plan.kept_builds == ("0001", "0002")
    (two_builds / "LATEST").write_text("0002\n")
    stale = plan_gc(two_builds, keep_builds=1, spare_s=0.0)
    (two_builds / "LATEST").write_text("0001\n")
    with pytest.raises(InputError, match="newest build"):
        collect(two_builds, stale)
    assert builds(two_builds) == ("0001", "0002")


def test_no_collection_while_something_is_being_made(two_builds: Path) -> None:
    plan = plan_gc(two_builds, keep_builds=1, spare_s=0.0)
    store = Store(two_builds)
    at_work = store.stage_output(ActionRecord("render", 1, "ee" * 32, "s", {}))
    with at_work, pytest.raises(InputError, match="found one at work"):
        collect(two_builds, plan)
    assert builds(two_builds) == ("0001", "0002")


def test_a_damaged_kept_build_stops_the_plan(two_builds: Path) -> None:
    store = Store(two_builds)
    stage, key = next(entry for entry in store.outputs() if entry[0] == "truth")
    store.remove(stage, key)
    with pytest.raises(DamageFound, match=f"truth/{key}"):
        plan_gc(two_builds, keep_builds=2)


def test_at_least_one_build_is_kept(two_builds: Path) -> None:
    with pytest.raises(InputError, match="at least 1"):
        plan_gc(two_builds, keep_builds=0)
    assert latest_number(two_builds) == "0002"
