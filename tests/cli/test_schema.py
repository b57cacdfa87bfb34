"""`toolbridge schema` prints the schemas that ship with the package."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.backends import BACKENDS
from bridge.cli import main

SCHEMAS = Path(__file__).parents[2] / "schemas"


def test_the_registrys_schema_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == (SCHEMAS / "registry.schema.json").read_text("utf-8")


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
