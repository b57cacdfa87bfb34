"""The corpus of broken registries: one mistake a file, with the expected line, column and sentence on top.

A file begins with `# expect: LINE:COLUMN: SENTENCE`, once for each mistake (`FILE:LINE:COLUMN: ...` for a
mistake in an included file), and with `# write: LINE` where the mistake comes with the line to write instead.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.assembly import check
from bridge.registry import hints
from bridge.registry.loader import load
from bridge.registry.report import render
from bridge.settings import Settings

FOLDER = Path(__file__).parent / "broken"
ENVIRON = {"CRM_TOKEN": "t0ken", "CRM_SITE": "eu"}


def lines(path, word):
    text = path.read_text(encoding="utf-8", errors="replace")
    return [line.removeprefix(f"# {word}: ") for line in text.split("\n") if line.startswith(f"# {word}: ")]


@pytest.mark.owes("G1")
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_broken_registry_is_told_what_is_wrong_and_where(path, monkeypatch):
    monkeypatch.chdir(FOLDER)
    found = check(Path(path.name), Settings(environ=ENVIRON))
    if loaded := load(Path(path.name), []):
        hints.add(found, loaded.lines)
    shown = [str(problem).removeprefix(f"{path.name}:") for problem in found]
    assert shown == lines(path, "expect")
    assert shown, "the file expects nothing"
    assert [problem.hint.strip() for problem in found if problem.hint is not None] == lines(path, "write")
    assert "t0ken" not in render(found, "text")


def test_there_are_many_of_them_and_no_two_alike():
    files = sorted(FOLDER.glob("*.yaml"))
    assert len(files) >= 110
    assert len({path.read_text(errors="replace").split("\n\n", 1)[-1] for path in files}) == len(files)
