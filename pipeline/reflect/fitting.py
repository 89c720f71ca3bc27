"""Iterative proportional fitting: a table that has given sums of rows and columns and stays close to a given one.

W. E. Deming, F. F. Stephan: On a Least Squares Adjustment of a Sampled Frequency Table When the Expected Marginal
Totals are Known, Ann. Math. Statist. 11 (1940). Among the tables with these sums, its limit is the one of least
relative entropy to the start (I. Csiszar, Ann. Probab. 3, 1975).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

ROUNDS: Final = 12
"""Rounds of both scalings. The sums of rows hold exactly after the last; those of columns to about a per mille."""
_FLOOR: Final = 1e-4
"""Share of what independence of rows and columns would give that is added to the start, so that a start of zero, which
noise may have caused, does not forbid a value."""


def fitted(rows: NDArray[np.float32], columns: NDArray[np.float32], start: NDArray[np.float32]) -> NDArray[np.float32]:
    """Tables (r, c, n) near *start* (r, c, n) with the sums *rows* (r, n) and *columns* (c, n), none negative.

    Where the sums of rows and columns differ in total, those of the rows hold. A row whose start is 0 throughout is
    shared out as the columns are; where the columns are all 0 as well, it goes to the first of them.
    """
    whole = columns.sum(axis=0)
    share = np.divide(columns, whole, out=np.zeros_like(columns), where=whole > 0)
    share[0, whole <= 0] = 1.0
    table = start + _FLOOR * rows[:, None] * share
    for _ in range(ROUNDS):
        table *= _scale(columns, table.sum(axis=0))[None]
        table *= _scale(rows, table.sum(axis=1))[:, None]
    return _closed(table, rows, share)


def _scale(wanted: NDArray[np.float32], found: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.divide(wanted, found, out=np.zeros_like(wanted), where=found > 0)


def _closed(table: NDArray[np.float32], rows: NDArray[np.float32], share: NDArray[np.float32]) -> NDArray[np.float32]:
    """*table* with rows that the columns left empty filled by *share*."""
    empty = (table.sum(axis=1) <= 0) & (rows > 0)
    if empty.any():
        table += np.where(empty, rows, 0)[:, None] * share
    return table
