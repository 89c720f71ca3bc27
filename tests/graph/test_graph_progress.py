"""What a build tells while it runs."""

from __future__ import annotations

import pytest

from pipeline.graph import progress
from pipeline.graph.execute import Failure, Outcome
from pipeline.graph.progress import BarProgress, LineProgress, Tally, count_of, duration, make_progress
from pipeline.graph.schedule import SceneResult
from pipeline.graph.stage import Action

RENDER = Action("render", "k1", "s1", {}, (), "render")
BUILT = Outcome("render", "k1", "s1", "built", 2.0)
FAILURE = Failure("part", "k2", "flange", "InputError", "no solid [in] it")
FAILED = Outcome("part", "k2", "flange", "failed", 0.0, FAILURE)


def scene(number, *failures):
    return SceneResult(f"s{number}", number, {}, {}, {}, failures)


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])

    def move(seconds):
        now[0] += seconds

    return move


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (125, "2 min 5 s"), (3600, "1 h 0 min"), (7384, "2 h 3 min")],
)
def test_durations_in_words(seconds, words):
    assert duration(seconds) == words


def test_counts_in_words():
    assert [count_of(number, "scene") for number in (0, 1, 2)] == ["0 scenes", "1 scene", "2 scenes"]


def test_lines_come_every_few_seconds_and_at_the_end(clock):
    said = []
    lines = LineProgress(4, said.append)
    lines.ended(BUILT)
    for number, seconds in enumerate((6, 1, 1, 1)):
        clock(seconds)
        lines.scene_ended(scene(number))
    assert said == [
        "1/4 scenes, render 1 done, 18 s left",
        "4/4 scenes, render 1 done, 0 s left",
    ]


def test_a_build_that_is_planned_again_counts_from_the_start(clock):
    said = []
    lines = LineProgress(2, said.append)
    clock(6)
    lines.ended(BUILT)
    lines.scene_ended(scene(0))
    lines.planned_again("memory ran out")
    lines.reused(RENDER)
    clock(6)
    lines.scene_ended(scene(0))
    assert said[1:] == ["memory ran out", "1/2 scenes, render 1 cached, 6 s left"]


def test_a_failure_is_said_at_once_with_its_message(clock):
    said = []
    lines = LineProgress(4, said.append)
    lines.ended(FAILED)
    assert said == ["failed: part of flange: no solid [in] it"]


def test_what_was_made_reused_and_failed_is_counted_by_stage():
    tally = Tally(2)
    tally.started(RENDER)
    assert list(tally.running.values()) == ["render s1"]
    tally.ended(BUILT)
    assert tally.running == {}
    tally.reused(Action("part", "k3", "nut", {}, (), "cpu"))
    tally.ended(FAILED)
    tally.scene_ended(scene(1))
    tally.scene_ended(scene(2, FAILURE))
    assert (tally.scenes_done, tally.scenes_failed) == (2, 1)
    assert tally.stage_line() == "render 1 done, part 1 cached 1 failed"


def test_bars_show_scenes_stages_and_what_runs_now(capsys):
    bars = BarProgress(3)
    bars.started(RENDER)
    by_name = {task.description: task for task in bars.bars.tasks}
    assert by_name["scenes"].fields["now"] == "now: render s1"
    bars.ended(BUILT)
    bars.ended(FAILED)
    bars.scene_ended(scene(1))
    by_name = {task.description: task for task in bars.bars.tasks}
    assert (by_name["scenes"].completed, by_name["scenes"].total) == (1, 3)
    assert by_name["render"].completed == 1
    assert by_name["part"].fields["now"] == "1 failed"
    assert "no solid [in] it" in capsys.readouterr().err
    bars.planned_again("memory ran out")
    assert [(task.description, task.completed) for task in bars.bars.tasks] == [("scenes", 0)]
    assert "memory ran out" in capsys.readouterr().err


def test_a_log_gets_lines_a_terminal_bars_and_quiet_nothing(monkeypatch):
    assert type(make_progress(1, quiet=True)[0]) is Tally
    assert type(make_progress(1, quiet=False)[0]) is LineProgress
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert type(make_progress(1, quiet=False)[0]) is BarProgress
