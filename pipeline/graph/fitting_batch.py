"""One batch for all photos of a build: the one that was asked for, or the largest half of it that fits into memory.

Bytes depend on the batch, so it is in the key of every transferred photo, and what was made with another lies under
another key. When memory runs out, everything is therefore planned again. Does not cover: finding out (`transfer`),
stopping the work (`driver`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pipeline.errors import BatchTooLarge
from pipeline.graph.transfer_plan import TransferPlan

Made = TypeVar("Made")


def with_fitting_batch(
    transfer: TransferPlan, make: Callable[[TransferPlan], Made], tell: Callable[[str], None]
) -> tuple[Made, TransferPlan]:
    """What *make* makes with the batch of *transfer*, or with half of it as often as memory runs out; and the plan it
    was made with. *tell* hears a line each time. Raises as *make* does."""
    while True:
        try:
            return make(transfer), transfer
        except BatchTooLarge as problem:
            found = transfer.identity
            if found is None or not 0 < problem.smaller < found.batch:
                raise
            tell(f"memory ran out with {found.batch} photos a call; going on with {problem.smaller}")
            transfer = transfer.with_batch(problem.smaller)
