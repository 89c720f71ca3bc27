"""Keys: stable for equal input, different for everything an output depends on."""

from __future__ import annotations

import hashlib

import pytest

from pipeline.errors import InputError
from pipeline.graph.fake import STAGES, FakeRender
from pipeline.graph.keys import action_key, load_stages, stages_path
from pipeline.graph.stage import Input

FIELDS = {"samples": 64, "views": [{"fill": 0.5}, {"fill": 0.25}], "name": "a"}
INPUTS = (Input("part:b", "part", "b" * 64), Input("part:a", "part", "a" * 64))
TEXT = (
    '{"fields":{"name":"a","samples":64,"views":[{"fill":0.5},{"fill":0.25}]},'
    f'"inputs":{{"part:a":"{"a" * 64}","part:b":"{"b" * 64}"}},'
    '"stage":"render","tools":{"bpy":"5.2.3"},"version":1}'
)
KEY = hashlib.sha256(TEXT.encode()).hexdigest()


class Render(FakeRender):
    def __init__(self, version=1, tools=None):
        self.version = version
        self._tools = tools or {"bpy": "5.2.3"}

    def tools(self):
        return self._tools


def key(fields=None, inputs=INPUTS, stage=None):
    return action_key(stage or Render(), FIELDS if fields is None else fields, inputs)


def test_a_key_is_64_hex_digits_and_does_not_change_between_releases():
    assert key() == KEY


def test_a_key_does_not_depend_on_the_order_of_fields_inputs_or_on_tuples():
    shuffled = {"name": "a", "views": ({"fill": 0.5}, {"fill": 0.25}), "samples": 64}
    assert key(shuffled, INPUTS[::-1]) == KEY


@pytest.mark.parametrize(
    "other",
    [
        lambda: key({**FIELDS, "samples": 65}),
        lambda: key({**FIELDS, "extra": None}),
        lambda: key({**FIELDS, "views": FIELDS["views"][::-1]}),
        lambda: key({**FIELDS, "samples": "64"}),
        lambda: key(inputs=INPUTS[:1]),
        lambda: key(inputs=(Input("part:b", "part", "c" * 64), INPUTS[1])),
        lambda: key(inputs=(Input("part:z", "part", "b" * 64), INPUTS[1])),
        lambda: key(stage=Render(version=2)),
        lambda: key(stage=Render(tools={"bpy": "5.2.4"})),
        lambda: action_key(STAGES["truth"], FIELDS, INPUTS, {"bpy": "5.2.3"}),
    ],
    ids=["value", "new field", "order of a list", "type", "input gone", "input", "role", "version", "tool", "stage"],
)
def test_a_key_changes_with_everything_it_stands_for(other):
    assert other() != KEY


def test_swapped_roles_give_another_key():
    a, b = INPUTS
    assert key(inputs=(Input(a.role, "part", b.key), Input(b.role, "part", a.key))) != KEY


def test_a_field_that_is_no_number_or_a_role_played_twice_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        key({"x": float("nan")})
    with pytest.raises(ValueError, match="role"):
        key(inputs=(INPUTS[0], INPUTS[0]))


def test_the_registry_is_chosen_by_argument_then_environment(monkeypatch):
    monkeypatch.setenv("GLINT_STAGES", "from:environment")
    assert stages_path("from:argument") == "from:argument"
    assert stages_path() == "from:environment"
    monkeypatch.delenv("GLINT_STAGES")
    assert stages_path() == "pipeline.graph.stages:STAGES"


@pytest.mark.parametrize("path", ["no.such.module:STAGES", "pipeline.graph.fake:NONE", "nonsense", ""])
def test_a_wrong_registry_is_an_input_error(path):
    with pytest.raises(InputError, match="registry of stages"):
        load_stages(path)


def test_the_real_and_the_fake_registry_have_the_same_stages():
    real = load_stages("pipeline.graph.stages:STAGES")
    assert list(real) == list(STAGES)
    assert {name: stage.resource for name, stage in real.items()} == {n: s.resource for n, s in STAGES.items()}
