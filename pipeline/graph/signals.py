"""Ctrl-C and SIGTERM: the first stops in order, the second at once.

Does not cover: what stopping means (`executor`), what the user is told (`pipeline.cli`).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType
from typing import Final

from pipeline.errors import EXIT_INTERRUPTED

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

Handler = Callable[[int, FrameType | None], None]


@contextmanager
def stopped_by_signals(kill: Callable[[], None]) -> Iterator[None]:
    """Within the block the first signal raises KeyboardInterrupt, the second calls *kill* and ends the process.

    Does nothing outside the main thread, which alone receives signals.
    """
    received = 0

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal received
        received += 1
        if received > 1:
            kill()
            os._exit(EXIT_INTERRUPTED)
        raise KeyboardInterrupt

    with _handled_by(interrupt):
        yield


@contextmanager
def delayed_signals() -> Iterator[None]:
    """A signal within the block is answered at its end, for code that may not be interrupted half-way.

    Processes started in the block, and by threads started in it, do not receive Ctrl-C from the terminal.
    """
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        if len(received) > 1:
            os._exit(EXIT_INTERRUPTED)

    if current_thread() is not main_thread():
        yield
        return
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with _handled_by(note):
            try:
                yield
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    finally:
        if received:
            signal.raise_signal(received[0])


@contextmanager
def _handled_by(handler: Handler) -> Iterator[None]:
    if current_thread() is not main_thread():
        yield
        return
    old = {number: signal.signal(number, handler) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, previous in old.items():
            signal.signal(number, previous)
