"""Tries that are measured now and decided when the limits are known."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.transfer.gate.limits import BOUNDS, DEFAULT, LEAST_SAMPLES, Limits
from pipeline.transfer.gate.measure import Scored
from pipeline.transfer.gate.tries import TryRecord, choose, limits_of_round_trips


def record(strength, blob, fault=""):
    exceeded = (Scored("blob", blob, "background"),) if blob > BOUNDS["blob"].lowest else ()
    return TryRecord(strength, {"blob": blob}, exceeded, fault)


def limits(blob):
    return Limits({**DEFAULT.limits, "blob": blob}, "test", 99)


LOW, HIGH = BOUNDS["blob"].lowest, BOUNDS["blob"].highest


@pytest.mark.parametrize(
    ("blob", "certainty"), [(LOW, "passes"), (0.5 * (LOW + HIGH), "open"), (1.01 * HIGH, "fails"), (np.nan, "fails")]
)
def test_what_is_certain_whatever_the_limits_will_be(blob, certainty):
    exceeded = () if blob <= LOW else (Scored("blob", blob, "background"),)
    assert TryRecord(0.3, {}, exceeded).certainty == certainty


def test_a_picture_that_is_none_fails_for_certain():
    one = record(0.3, 0.0, "black")
    assert one.certainty == "fails"
    assert choose([one], DEFAULT).reason == "strength 0.3: photo: black"


def test_the_first_try_within_the_limits_is_kept():
    tries = [record(0.3, 9.0), record(0.2, 0.16), record(0.12, 0.05)]
    assert choose(tries, limits(HIGH)).kept == 1
    assert choose(tries, limits(LOW)).kept == 2
    assert choose(tries[:2], limits(LOW)).kept is None
    choice = choose(tries, limits(LOW))
    assert choice.scores == {"blob": 0.05}
    assert [part.split(":")[0] for part in choice.reason.split(" | ")] == ["strength 0.3", "strength 0.2"]


def test_a_decision_agrees_with_certainty_for_all_limits():
    for blob in np.linspace(0.1, 0.2, 41):
        one = record(0.2, float(blob))
        passes = {choose([one], limits(value)).kept == 0 for value in np.linspace(LOW, HIGH, 9)}
        expected = {"passes": {True}, "fails": {False}, "open": {True, False}}[one.certainty]
        assert passes <= expected


def test_no_tries_are_a_fault_of_the_program():
    with pytest.raises(ValueError, match="at least one"):
        choose([], DEFAULT)


def test_limits_follow_the_round_trips_within_their_bounds():
    trips = [{"blob": 0.15, "chroma": 50.0}] * LEAST_SAMPLES
    found = limits_of_round_trips(trips, "round trips")
    assert found.limits["chroma"] == BOUNDS["chroma"].highest
    assert found.limits["blob"] == pytest.approx(min(1.15 * 0.15, HIGH))
    assert found.limits["flow_px"] == BOUNDS["flow_px"].default  # nothing to measure it on
    assert (found.samples, found.source) == (LEAST_SAMPLES, "round trips")


def test_too_few_photos_take_the_defaults_and_say_so():
    found = limits_of_round_trips([{"blob": 0.0}] * (LEAST_SAMPLES - 1), "round trips")
    assert found.limits == DEFAULT.limits
    assert "for want of photos (19 of 20)" in found.source
