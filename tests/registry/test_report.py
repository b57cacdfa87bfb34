"""Diagnostics as text, JSON and GitHub's commands: sorted, once each, never raw."""

from __future__ import annotations

import json

import pytest

from bridge.core.located import Diagnostic, Mark
from bridge.registry.report import render

FIRST = Diagnostic(Mark("a.yaml", 2, 5), "tools.x", "unknown member 'y'", "registry/unknown_member", hint="  path: '{id}'")
SECOND = Diagnostic(Mark("a.yaml", 10, 1), "", "100% wrong, it: is", "registry/yaml", "warning")
EVIL = Diagnostic(Mark("a\nb,c:d.yaml", 1, 1), "x", "no \x1b[31m\r\n::error::\u202e\x85\0 é", hint="\x07")


def test_text_is_one_line_a_mistake_in_order_and_the_line_to_write():
    assert render([SECOND, FIRST, FIRST], "text") == (
        "a.yaml:2:5: tools.x: unknown member 'y'\n    write: path: '{id}'\na.yaml:10:1: warning: 100% wrong, it: is"
    )


def test_json_is_one_array_with_the_same_members_everywhere():
    found = json.loads(render([SECOND, FIRST], "json"))
    assert found[0] == {
        "file": "a.yaml",
        "line": 2,
        "column": 5,
        "path": "tools.x",
        "message": "unknown member 'y'",
        "code": "registry/unknown_member",
        "severity": "error",
        "hint": "  path: '{id}'",
    }
    assert [member for entry in found for member in entry] == [*found[0], *found[0]]
    assert found[1]["hint"] is None


def test_github_gets_one_command_a_mistake():
    assert render([FIRST, SECOND], "github").splitlines() == [
        "::error file=a.yaml,line=2,col=5,title=registry/unknown_member::tools.x: unknown member 'y' (write: path: '{id}')",
        "::warning file=a.yaml,line=10,col=1,title=registry/yaml::100%25 wrong, it: is",
    ]


@pytest.mark.parametrize("form", ["text", "github"])
def test_control_characters_of_a_file_are_never_printed(form):
    shown = render([EVIL], form)
    assert all(character.isprintable() or character == "\n" for character in shown)
    assert "\\x1b[31m\\r\\n::error::\\u202e\\x85\\x00 é" in shown
    assert len(shown.splitlines()) == (2 if form == "text" else 1)


def test_a_file_name_cannot_end_a_property_of_a_command():
    assert render([EVIL], "github").startswith("::error file=a\\nb%2Cc%3Ad.yaml,line=1,")


def test_json_holds_the_characters_as_they_are():
    assert json.loads(render([EVIL], "json"))[0]["message"] == EVIL.message


@pytest.mark.parametrize(("form", "nothing"), [("text", ""), ("json", "[]"), ("github", "")])
def test_without_mistakes_there_is_nothing_to_say(form, nothing):
    assert render([], form) == nothing
