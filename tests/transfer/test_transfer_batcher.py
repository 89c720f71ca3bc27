"""Photos of several scenes in one call: full batches first, incomplete ones when nobody can add to them."""

from __future__ import annotations

import threading

import pytest

from pipeline.transfer.batcher import Batcher


def run_members(batcher, asks, between=lambda name: None):
    """Ask in one thread per member; returns member -> answers or error."""
    found = {}
    start = threading.Barrier(len(asks))

    def member(name, rounds):
        with batcher.member():
            start.wait()
            try:
                answers = []
                for kind, items in rounds:
                    answers += batcher.ask(kind, items)
                    between(name)
                found[name] = answers
            except ValueError as error:
                found[name] = error

    threads = [threading.Thread(target=member, args=pair, daemon=True) for pair in asks.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive(), "a member waits for ever"
    return found


def test_every_item_gets_its_own_answer_and_batches_are_filled_across_members():
    calls = []

    def compute(kind, items):
        calls.append(len(items))
        return [item * 10 for item in items]

    batcher = Batcher(compute, 4)
    asks = {name: [("a", [name * 3, name * 3 + 1, name * 3 + 2])] for name in range(4)}
    found = run_members(batcher, asks)
    assert found == {name: [10 * item for _, items in rounds for item in items] for name, rounds in asks.items()}
    assert sorted(calls) == [4, 4, 4]


def test_kinds_are_not_mixed_and_several_rounds_end():
    kinds = []

    def compute(kind, items):
        kinds.append((kind, {item[0] for item in items}))
        return [kind for _ in items]

    asks = {name: [("x", [("x", name)] * 2), ("y", [("y", name)])] for name in range(5)}
    found = run_members(Batcher(compute, 3), asks)
    assert all(answers == ["x", "x", "y"] for answers in found.values())
    assert all(own == {kind} for kind, own in kinds)


def test_an_error_reaches_those_of_the_call_and_nobody_else():
    def compute(kind, items):
        if kind == "bad":
            raise ValueError("no memory")
        return items

    found = run_members(
        Batcher(compute, 2), {"one": [("good", [1, 2])], "two": [("bad", [3])], "three": [("good", [4])]}
    )
    assert found["one"] == [1, 2]
    assert found["three"] == [4]
    assert isinstance(found["two"], ValueError)


def test_a_member_alone_does_not_wait_and_nothing_asked_is_nothing_answered():
    batcher = Batcher(lambda kind, items: items, 8)
    with batcher.member():
        assert batcher.ask("a", []) == []
        assert batcher.ask("a", [1]) == [1]


def test_a_member_that_leaves_lets_the_others_go_on():
    batcher = Batcher(lambda kind, items: items, 8)
    asked = threading.Event()
    answers = []

    def waits():
        with batcher.member():
            asked.set()
            answers.extend(batcher.ask("a", [1]))

    with batcher.member():
        thread = threading.Thread(target=waits, daemon=True)
        thread.start()
        asked.wait(10)
        thread.join(0.2)
        assert thread.is_alive()  # this member could still add to the batch
    thread.join(10)
    assert answers == [1]


def test_a_batch_of_none_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        Batcher(lambda kind, items: items, 0)
