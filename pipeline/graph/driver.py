"""The driver: hands actions from the schedule to an executor until a build is done.

Covers: the loop. Does not cover: signals (`signals`), what may run (`schedule`), where it runs (`executor`), what a
build is made of (`build`).
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.errors import EXIT_BAD_ENVIRONMENT, BatchTooLarge, EnvironmentProblem
from pipeline.graph.execute import Failure, Outcome
from pipeline.graph.executor import Executor
from pipeline.graph.progress import Progress
from pipeline.graph.schedule import SceneResult, Schedule


def drive(schedule: Schedule, executor: Executor, progress: Progress) -> Iterator[SceneResult]:
    """Run everything in *schedule*, yielding each scene as it ends (not always in order).

    Raises EnvironmentProblem as soon as an action fails because of the machine: every other action would fail too.
    Where only a smaller batch is needed, gives nothing out any more, waits for what runs and raises BatchTooLarge.
    """
    too_large: Failure | None = None
    while not schedule.finished:
        for action in schedule.next_actions():
            executor.submit(action)
            progress.started(action)
        if schedule.in_flight:
            for action, outcome in executor.wait():
                _take_account(schedule, progress, outcome or schedule.lost(action.key), lost=outcome is None)
                if outcome is not None and _asks_for_less(outcome):
                    too_large = outcome.failure
                    schedule.stop()
        for result in schedule.take_closed() if too_large is None else ():
            progress.scene_ended(result)
            yield result
    if too_large is not None and too_large.smaller_batch is not None:
        raise BatchTooLarge(_words(too_large), too_large.smaller_batch)


def _take_account(schedule: Schedule, progress: Progress, outcome: Outcome | None, lost: bool) -> None:
    if outcome is None:  # lost, and will run again
        return
    if not lost:
        schedule.resolved(outcome)
    if _asks_for_less(outcome):  # no failure: it will be planned again
        return
    progress.ended(outcome)
    failure = outcome.failure
    if failure is not None and failure.exit_code == EXIT_BAD_ENVIRONMENT:
        raise EnvironmentProblem(_words(failure))


def _asks_for_less(outcome: Outcome) -> bool:
    return outcome.failure is not None and outcome.failure.smaller_batch is not None


def _words(failure: Failure) -> str:
    return f"{failure.stage} of {failure.label}: {failure.message}"
