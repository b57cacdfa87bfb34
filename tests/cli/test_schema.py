"""`toolbridge schema` prints the schemas that ship with the package."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.backends import BACKENDS
from bridge.cli import main
from bridge.core.located import Table, plain
from bridge.core.schemas import Validator, mistakes
from bridge.registry.source import read_text

SCHEMAS = Path(__file__).parents[2] / "schemas"


def test_the_printed_schema_of_a_registry_stands_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert list(mistakes(printed)) == []
    example = plain(read_file_of_the_example())
    assert Validator(printed).is_valid(example)
    assert not Validator(printed).is_valid(example | {"tolls": {}})
    assert not Validator(printed).is_valid(example | {"backends": {"crm": {"type": "http", "base_ur": "http://h"}}})


def read_file_of_the_example() -> Table:
    example = SCHEMAS.parent / "examples" / "crm.yaml"
    document = read_text(example.read_bytes(), example.name, [])
    assert document is not None
    return document


@pytest.mark.parametrize("kind", list(BACKENDS))
def test_every_kind_of_backend_has_its_fragment(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", kind]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), dict)


@pytest.mark.parametrize("kind", ["htp", "../registry.schema", ""])
def test_a_kind_that_does_not_exist_is_exit_code_2(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", kind]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"No backend is of kind '{kind}'" in captured.err
    assert "The kinds are echo, http." in captured.err
