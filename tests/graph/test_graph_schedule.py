"""The schedule, played through without files, clock or Dask."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pipeline.graph.execute import Failure, Outcome
from pipeline.graph.plan import ScenePlan
from pipeline.graph.schedule import ATTEMPTS, Schedule
from pipeline.graph.stage import Action, Input

SLOTS = {"render": 1, "cpu": 1}


@dataclass
class Scene:
    """As much of a SceneSpec as the schedule looks at."""

    index: int


def action(stage, label, *inputs, resource="cpu"):
    return Action(stage, f"{stage}/{label}", label, {}, tuple(Input(i, i.split("/")[0], i) for i in inputs), resource)


def scene_plan(index, parts):
    name = f"s{index}"
    part_actions = tuple(action("part", part) for part in parts)
    part_keys = [part.key for part in part_actions]
    render = action("render", name, *part_keys, resource="render")
    truth = action("truth", name, render.key, *part_keys)
    photos = action("photos", name, render.key)
    return ScenePlan(name, Scene(index), (*part_actions, render, truth, photos))


def plans(count, parts=lambda index: ["p"]):
    return (scene_plan(index, parts(index)) for index in range(count))


def schedule(scenes, present=frozenset(), slots=SLOTS, **options):
    return Schedule(iter(scenes), slots, lambda action: action.key in present, **options)


def good(action):
    return Outcome(action.stage, action.key, action.label, "built", 1.0)


def bad(action):
    failure = Failure(action.stage, action.key, action.label, "InputError", "no solid")
    return Outcome(action.stage, action.key, action.label, "failed", 0.0, failure)


def play(state, fails=frozenset(), kills=frozenset(), watch=lambda flying: None):
    """Run to the end, first in first out; returns (keys in the order they started, closed scenes)."""
    started, flying, closed = [], [], []
    while not state.finished:
        new = state.next_actions()
        started += [action.key for action in new]
        flying += new
        watch(flying)
        closed += state.take_closed()
        if flying:
            current = flying.pop(0)
            if current.key in kills:
                state.lost(current.key)
            else:
                state.resolved(bad(current) if current.key in fails else good(current))
            closed += state.take_closed()
    return started, closed


def test_every_action_runs_once_and_after_its_inputs():
    scenes = list(plans(6, lambda index: ["p", f"q{index % 2}"]))
    started, closed = play(schedule(scenes))
    assert sorted(started) == sorted({action.key for plan in scenes for action in plan.actions})
    place = {key: number for number, key in enumerate(started)}
    for plan in scenes:
        for act in plan.actions:
            assert all(place[entry.key] < place[act.key] for entry in act.inputs)
    assert [result.scene_id for result in closed] == [plan.scene_id for plan in scenes]
    assert all(not result.failures for result in closed)


def test_results_carry_the_keys_of_the_scene():
    _, closed = play(schedule(plans(1)))
    assert closed[0].keys == {"render": "render/s0", "truth": "truth/s0", "photos": "photos/s0"}
    assert closed[0].parts == {"p": "part/p"}
    assert closed[0].index == 0


@pytest.mark.parametrize(("render", "cpu"), [(1, 1), (2, 1), (4, 8)])
def test_no_more_than_twice_the_slots_are_in_flight(render, cpu):
    peaks = {"render": 0, "cpu": 0}

    def watch(flying):
        for resource, peak in peaks.items():
            peaks[resource] = max(peak, sum(a.resource == resource for a in flying))

    slots = {"render": render, "cpu": cpu}
    play(schedule(plans(40, lambda index: [f"p{index}"]), slots=slots), watch=watch)
    assert peaks["render"] <= 2 * render
    assert peaks["cpu"] <= 2 * cpu


def test_every_render_slot_has_a_second_action_waiting():
    state = schedule(plans(40), slots={"render": 3, "cpu": 1})
    (part,) = state.next_actions()
    state.resolved(good(part))
    assert [action.key for action in state.next_actions()] == [f"render/s{index}" for index in range(6)]


def test_scenes_are_taken_from_the_plan_only_as_they_are_needed():
    taken = []

    def counting():
        for plan in plans(10_000):
            taken.append(plan.scene_id)
            yield plan

    state = schedule(counting())
    state.next_actions()
    assert len(taken) <= 8


def test_photos_of_one_scene_are_given_out_while_the_next_render_is_in_flight():
    state = schedule(plans(3))
    (part,) = state.next_actions()
    state.resolved(good(part))
    first, second = state.next_actions()
    assert (first.key, second.key) == ("render/s0", "render/s1")
    state.resolved(good(first))
    assert {"truth/s0", "photos/s0"} <= {action.key for action in state.next_actions()}
    assert state.in_flight == 4


def test_what_is_in_the_store_is_not_given_out():
    present = {"part/p", "render/s0", "truth/s0", "photos/s0", "render/s1"}
    started, closed = play(schedule(plans(2), present))
    assert started == ["truth/s1", "photos/s1"]
    assert len(closed) == 2


def test_a_long_run_of_finished_scenes_needs_nothing_in_flight():
    present = {action.key for plan in plans(500) for action in plan.actions}
    started, closed = play(schedule(plans(500), present))
    assert started == []
    assert len(closed) == 500


def test_one_bad_part_fails_its_scenes_and_no_other():
    parts = {0: ["p"], 1: ["bad"], 2: ["p", "bad"], 3: ["p"]}
    started, closed = play(schedule(plans(4, parts.__getitem__)), fails={"part/bad"})
    failed = {result.scene_id: [failure.label for failure in result.failures] for result in closed if result.failures}
    assert failed == {"s1": ["bad"], "s2": ["bad"]}
    assert not {"render/s1", "render/s2", "photos/s1"} & set(started)
    assert {"photos/s0", "photos/s3"} <= set(started)


def test_scenes_that_come_after_the_failure_learn_of_it():
    _, closed = play(schedule(plans(50, lambda index: ["bad"])), fails={"part/bad"})
    assert len(closed) == 50
    assert all([failure.key for failure in result.failures] == ["part/bad"] for result in closed)


def test_a_scene_with_two_bad_parts_names_both():
    _, closed = play(schedule(plans(1, lambda index: ["x", "y"])), fails={"part/x", "part/y"})
    assert {failure.label for failure in closed[0].failures} == {"x", "y"}


def test_failed_photos_leave_the_truth_of_the_scene_to_be_made():
    started, closed = play(schedule(plans(2)), fails={"photos/s0"})
    assert "truth/s0" in started
    assert [bool(result.failures) for result in sorted(closed, key=lambda r: r.index)] == [True, False]


def test_stop_after_gives_nothing_out_any_more():
    started, closed = play(schedule(plans(1000, lambda index: [f"bad{index}"]), stop_after=3), fails=BadParts())
    in_flight = 4
    assert 3 <= sum(bool(result.failures) for result in closed) <= 3 + in_flight
    assert len(started) <= 3 + in_flight


class BadParts:
    """Contains every part."""

    def __contains__(self, key):
        return key.startswith("part/")


def test_an_action_whose_worker_dies_runs_again_and_other_scenes_are_built():
    started, closed = play(schedule(plans(4)), kills={"render/s1"})
    assert started.count("render/s1") == ATTEMPTS
    failed = [result for result in closed if result.failures]
    assert [result.scene_id for result in failed] == ["s1"]
    assert failed[0].failures[0].error == "WorkerLost"
    assert len(closed) == 4


def test_the_last_attempt_runs_alone_so_that_a_neighbour_cannot_take_the_blame():
    """A worker dies whenever render/s1 runs, and takes along everything that is in flight with it."""
    state = schedule(plans(6), slots={"render": 2, "cpu": 2})
    flying, closed = [], []
    while not state.finished:
        flying += state.next_actions()
        if any(action.key == "render/s1" for action in flying):
            for action in flying:
                state.lost(action.key)
            flying = []
        elif flying:
            state.resolved(good(flying.pop(0)))
        closed += state.take_closed()
    assert [result.scene_id for result in closed if result.failures] == ["s1"]
    assert len(closed) == 6
