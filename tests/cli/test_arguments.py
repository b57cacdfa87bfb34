"""Arguments on a command line."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from bridge.cli.arguments import read


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ([], {}),
        (['{"a": 1, "b": [true, null]}'], {"a": 1, "b": [True, None]}),
        (["a=1", "b=x=y", "c="], {"a": "1", "b": "x=y", "c": ""}),
        (["a:=1", 'b:={"c": "ę"}', "d=:=", "e:=null"], {"a": 1, "b": {"c": "ę"}, "d": ":=", "e": None}),
        (["url=http://x/?a:=b", "note=-x\n{y}"], {"url": "http://x/?a:=b", "note": "-x\n{y}"}),
    ],
)
def test_arguments_are_an_object_or_pairs(words: list[str], arguments: dict) -> None:
    assert read(words) == arguments


def test_an_object_can_come_from_a_file_or_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "arguments.json"
    file.write_bytes(b'{"name": "Zieli\xc5\x84ski"}\n')
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b'{"a": 1}')))
    assert read([f"@{file}"]) == {"name": "Zieliński"}
    assert read(["-"]) == {"a": 1}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["text"], "'text' is neither a JSON object nor name=text nor name:=JSON."),
        (["=x"], "'=x' is neither"),
        (["a=1", "a=2"], "'a' is given twice."),
        (["[1]"], "The arguments must be a JSON object."),
        (["a:=nope"], "'a' cannot be read as JSON: "),
        (['{"a": 1, "a": 2}'], "The arguments cannot be read as JSON: "),
        (['{"a": NaN}'], ""),
        (["{" * 100_000], ""),
        (["{\udcff}"], ""),
        ([""], ""),
    ],
)
def test_what_is_no_arguments_is_said_in_a_sentence(words: list[str], said: str) -> None:
    with pytest.raises(click.UsageError) as caught:
        read(words)
    assert said in caught.value.message
    assert len(caught.value.message) < 300


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(OSError, match=r"missing\.json"):
        read(["@missing.json"])
