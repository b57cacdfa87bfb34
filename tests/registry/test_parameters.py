"""Parameters: what tools share of them, and what is never shared."""

from __future__ import annotations

import pytest

from bridge.core.arguments import Arguments
from bridge.core.located import Mark, Problems, Table
from bridge.errors import InvalidParameters
from bridge.registry import parameters
from bridge.registry.parameters import read_inputs


def inputs(**entries):
    problems = Problems(Table(Mark("f.yaml", 1, 1)))
    return read_inputs({"parameters": entries}, problems), [found.message for found in problems.found]


def test_equal_parameters_are_compiled_once():
    first, _ = inputs(id={"type": "string", "pattern": "^shared-[0-9]+$"}, limit={"type": "integer", "default": 5})
    again, _ = inputs(id={"type": "string", "pattern": "^shared-[0-9]+$"}, limit={"type": "integer", "default": 5})
    assert again.arguments is first.arguments
    assert again.schema is first.schema


@pytest.mark.parametrize(
    "other",
    [
        {"type": "integer", "default": 6},
        {"type": "integer", "default": 5.0},
        {"type": "integer", "default": 5, "description": "x"},
        {"type": "integer", "default": 5, "secret": True},
        {"type": "integer", "value": 5},
    ],
)
def test_parameters_that_differ_in_anything_are_compiled_each(other):
    first, _ = inputs(limit={"type": "integer", "default": 5})
    second, _ = inputs(limit=other)
    assert second.arguments is not first.arguments


def test_a_mistake_is_reported_for_every_tool_that_makes_it():
    wrong = {"type": "integer", "default": "five"}
    (_, first), (_, second) = inputs(limit=wrong), inputs(limit=wrong)
    assert first == second
    assert len(first) == 1


def test_beyond_so_many_schemas_one_is_compiled_at_its_first_call(monkeypatch):
    released, release = [], Arguments.release
    monkeypatch.setattr(Arguments, "release", lambda arguments: (released.append(arguments), release(arguments)))
    monkeypatch.setattr(parameters, "MAX_COMPILED", 0)
    found, mistakes = inputs(id={"type": "string", "pattern": "^late-[0-9]+$"})
    assert mistakes == []
    assert released == [found.arguments]
    assert found.arguments.accept({"id": "late-1"}) == {"id": "late-1"}
    with pytest.raises(InvalidParameters, match="id"):
        found.arguments.accept({"id": "early"})
