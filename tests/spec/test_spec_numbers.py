"""Distributions: the four ways to write one, and the values that come out."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from pydantic import ValidationError

from pipeline.spec.numbers import Counts, Numbers, between, constant, pick, pick_name

GRID = [i / 1000 for i in range(1000)] + [math.nextafter(1.0, 0.0)]
"""Uniform numbers from 0 to just below 1."""


def test_short_forms_mean_the_long_ones() -> None:
    assert Numbers.model_validate(0.7) == Numbers(choices=(0.7,)) == constant(0.7)
    assert Numbers.model_validate((1, 2)) == Numbers(min=1.0, max=2.0) == between(1, 2)


def test_a_range_is_uniform() -> None:
    drawn = [between(-2, 6).value(u) for u in GRID]
    assert drawn[0] == -2
    assert drawn[500] == pytest.approx(2.0)
    assert -2 <= min(drawn) <= max(drawn) <= 6
    assert {round(b - a, 6) for a, b in pairwise(drawn[:1000])} == {0.008}


def test_a_log_range_is_uniform_in_ratio() -> None:
    drawn = [Numbers(min=0.01, max=100.0, scale="log").value(u) for u in GRID]
    assert drawn[500] == pytest.approx(1.0)  # the geometric mean
    assert {round(b / a, 6) for a, b in pairwise(drawn[:1000])} == {round(10 ** (4 / 1000), 6)}
    assert max(drawn) <= 100.0


def test_choices_come_by_their_weights() -> None:
    drawn = [Numbers(choices=(1.0, 2.0, 3.0), weights=(0.2, 0.0, 0.8)).value(u) for u in GRID[:1000]]
    assert (drawn.count(1.0), drawn.count(2.0), drawn.count(3.0)) == (200, 0, 800)
    even = [Numbers(choices=(1.0, 2.0)).value(u) for u in GRID[:1000]]
    assert even.count(1.0) == even.count(2.0) == 500


def test_counts_include_both_ends() -> None:
    drawn = [Counts(min=2, max=5).count(u) for u in GRID]
    assert [drawn.count(n) for n in (2, 3, 4, 5)] == [250, 250, 250, 251]
    assert Counts(min=3, max=3).count(0.999) == 3


def test_the_ends_are_known() -> None:
    assert (between(1, 4).lowest, between(1, 4).highest) == (1, 4)
    several = Numbers(choices=(50.0, 16.0, 25.0))
    assert (several.lowest, several.highest) == (16, 50)


def test_a_weight_of_zero_is_never_drawn() -> None:
    assert {pick([0.0, 0.3, 0.0, 0.7, 0.0], u) for u in GRID} == {1, 3}


def test_the_order_of_names_does_not_matter() -> None:
    assert all(pick_name({"b": 0.3, "a": 0.7}, u) == pick_name({"a": 0.7, "b": 0.3}, u) for u in GRID)


def test_weights_that_sum_to_one_within_rounding_pass() -> None:
    Numbers(choices=(1.0, 2.0, 3.0), weights=(1 / 3, 1 / 3, 0.333333))
    with pytest.raises(ValidationError, match="sum to 1"):
        Numbers(choices=(1.0, 2.0, 3.0), weights=(1 / 3, 1 / 3, 0.3333))
