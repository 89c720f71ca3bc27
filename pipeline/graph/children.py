"""Processes that stages keep: how they are stopped when work ends or is broken off.

A stage that starts processes of its own registers a function that stops them; it is called in the process that the
stage ran in. Does not cover: children of a process that was killed; those must die with their parent by themselves
(PR_SET_PDEATHSIG on Linux).
"""

from __future__ import annotations

from collections.abc import Callable

_stoppers: list[Callable[[], None]] = []


def on_stop(stop: Callable[[], None]) -> Callable[[], None]:
    """Have *stop* called by `stop_children`; also usable as a decorator. It must not raise, and must return soon."""
    if stop not in _stoppers:
        _stoppers.append(stop)
    return stop


def stop_children() -> None:
    """Stop the processes that stages keep in this process."""
    for stop in _stoppers:
        stop()
