"""One engine for several scenes: photos that wait at the same time share network calls.

Covers: who waits for what, full batches first, incomplete ones when everybody waits. Does not cover: computing
(`engine`). A photo's result does not depend on its neighbours, so which photos meet in a call changes nothing but time.

Each scene is a *member* in a thread of its own. While some members measure or read files, others may fill a batch; an
incomplete batch runs only when no member is left that could add to it. There is no timer and no thread of its own: the
member that finds work to do does it for all.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Kind = TypeVar("Kind")
Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(eq=False)
class _Ticket(Generic[Kind, Item, Answer]):
    """One item on its way."""

    kind: Kind
    item: Item
    asker: object
    answer: list[Answer] = field(default_factory=list)
    error: BaseException | None = None

    @property
    def done(self) -> bool:
        return bool(self.answer) or self.error is not None


class Batcher(Generic[Kind, Item, Answer]):
    """Gathers items of one kind into calls of *compute*(kind, items), which answers each in order.

    *compute* is called by one thread at a time, with at most *size* items. What it raises reaches every member whose
    item was in that call.
    """

    def __init__(self, compute: Callable[[Kind, list[Item]], Sequence[Answer]], size: int) -> None:
        if size < 1:
            raise ValueError(f"expected a batch of at least 1, found {size}")
        self._compute = compute
        self._size = size
        self._changed = threading.Condition()
        self._waiting: dict[Kind, list[_Ticket[Kind, Item, Answer]]] = {}
        self._members = 0
        self._open: dict[object, int] = {}
        """Asker -> its items without an answer: who waits, and can add nothing."""
        self._busy = False

    @contextmanager
    def member(self) -> Iterator[None]:
        """Take part: as long as a member is away from `ask`, incomplete batches wait for it."""
        with self._changed:
            self._members += 1
        try:
            yield
        finally:
            with self._changed:
                self._members -= 1
                self._changed.notify_all()

    def ask(self, kind: Kind, items: Sequence[Item]) -> list[Answer]:
        """The answers to *items*, in their order; only for members."""
        if not items:
            return []
        asker = object()
        tickets = [_Ticket[Kind, Item, Answer](kind, item, asker) for item in items]
        with self._changed:
            self._waiting.setdefault(kind, []).extend(tickets)
            self._open[asker] = len(tickets)
            self._changed.notify_all()
            while not all(ticket.done for ticket in tickets):
                batch = None if self._busy else self._next_batch()
                if batch:
                    self._run(batch)
                else:
                    self._changed.wait()
        error = next((ticket.error for ticket in tickets if ticket.error is not None), None)
        if error is not None:
            raise error
        return [ticket.answer[0] for ticket in tickets]

    def _next_batch(self) -> list[_Ticket[Kind, Item, Answer]]:
        """Items to compute now: a full batch, or the largest of the incomplete ones when every member waits."""
        kind = max(self._waiting, key=lambda one: len(self._waiting[one]), default=None)
        if kind is None:
            return []
        queue = self._waiting[kind]
        if len(queue) < self._size and len(self._open) < self._members:
            return []
        batch, rest = queue[: self._size], queue[self._size :]
        if rest:
            self._waiting[kind] = rest
        else:
            del self._waiting[kind]
        return batch

    def _run(self, batch: list[_Ticket[Kind, Item, Answer]]) -> None:
        """Compute *batch* with the lock given back meanwhile."""
        self._busy = True
        self._changed.release()
        try:
            answers = self._compute(batch[0].kind, [ticket.item for ticket in batch])
            for ticket, answer in zip(batch, answers, strict=True):
                ticket.answer.append(answer)
        except BaseException as error:
            for ticket in batch:
                ticket.error = error
            if not isinstance(error, Exception):  # an interrupt is for everybody
                raise
        finally:
            self._changed.acquire()
            self._busy = False
            for ticket in batch:
                self._open[ticket.asker] -= 1
                if not self._open[ticket.asker]:
                    del self._open[ticket.asker]
            self._changed.notify_all()
