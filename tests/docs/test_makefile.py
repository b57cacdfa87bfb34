"""`make help` names every command, and the commands that the README names are there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _targets() -> set[str]:
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return set(phony[1].split())


def test_help_names_every_command_with_a_few_words() -> None:
    said = subprocess.check_output(["make", "--no-print-directory", "help"], cwd=ROOT, text=True)
    rows = dict(re.findall(r"^  make (\S+) +(\S.+)$", said, re.MULTILINE))
    assert rows.keys() == _targets()


def test_the_readme_and_ci_name_only_commands_that_there_are() -> None:
    for file in (ROOT / "README.md", ROOT / ".ci" / "run"):
        named = set(re.findall(r"(?:^|`|\$ )make ([a-z-]+)", file.read_text("utf-8"), re.MULTILINE))
        assert named <= _targets()
