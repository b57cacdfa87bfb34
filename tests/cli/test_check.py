"""`toolbridge check` says everything that is wrong, and how wrong it is by its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.cli import main

GOOD = """\
bridge: 1
name: mirror
backends:
  mirror: {type: echo}
tools:
  repeat:
    description: Say it again.
    backend: mirror
    parameters: {text: string}
"""
BAD = GOOD.replace("backend: mirror", "backend: miror").replace("text: string", "text: {type: string, default: 7}")
WANTS = GOOD.replace("{type: echo}", "{type: http, base_url: '${MIRROR_URL}'}") + "    call: POST /repeat\n"


@pytest.fixture
def registry(tmp_path: Path):
    def write(text: str) -> str:
        file = tmp_path / "registry.yaml"
        file.write_text(text, "utf-8")
        return str(file)

    return write


def test_a_good_registry_is_exit_code_0(registry, capsys: pytest.CaptureFixture[str]) -> None:
    file = registry(GOOD)
    assert main(["check", file]) == 0
    assert capsys.readouterr() == (f"{file}: no mistakes\n", "")


def test_every_mistake_is_told_with_its_place(registry, capsys: pytest.CaptureFixture[str]) -> None:
    file = registry(BAD)
    assert main(["check", file]) == 1
    said = capsys.readouterr().out
    assert f"{file}:8:14: tools.repeat.backend: no backend is called 'miror' (did you mean 'mirror'?)" in said
    assert "no mistakes" not in said


def test_programs_get_json_also_where_nothing_is_wrong(registry, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", registry(GOOD), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert main(["check", registry(BAD), "--format", "json"]) == 1
    [mistake, *_] = json.loads(capsys.readouterr().out)
    assert mistake["line"] == 8


def test_github_gets_annotations(registry, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", registry(GOOD), "--format", "github"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["check", registry(BAD), "--format", "github"]) == 1
    assert capsys.readouterr().out.startswith("::error file=")


def test_a_missing_variable_is_a_mistake_unless_it_is_asked_to_do_without(registry, capsys, monkeypatch) -> None:
    monkeypatch.delenv("MIRROR_URL", raising=False)
    file = registry(WANTS)
    assert main(["check", file]) == 1
    assert "MIRROR_URL" in capsys.readouterr().out
    assert main(["check", file, "--no-env"]) == 0


def test_a_warning_is_shown_and_does_not_fail(registry, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", registry(GOOD.replace("name: mirror", "name: '0'\ntitle: x\ndescription: 010"))]) in (0, 1)
    assert "010" in capsys.readouterr().out


def test_nothing_is_left_beside_the_registry(registry) -> None:
    file = Path(registry(GOOD))
    assert main(["check", str(file)]) == 0
    assert list(file.parent.iterdir()) == [file]
