from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.protocols.requirements import REQUIREMENTS

TESTS = Path(__file__).parents[1]


def carried() -> Iterator[str]:
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "owes":
                yield from (argument.value for argument in node.args if isinstance(argument, ast.Constant))


def test_every_requirement_has_a_test():
    assert {requirement.id for requirement in REQUIREMENTS} - set(carried()) == set()


def test_every_test_names_requirements_that_exist():
    assert set(carried()) - {requirement.id for requirement in REQUIREMENTS} == set()


def test_requirements_are_numbered_once():
    ids = [requirement.id for requirement in REQUIREMENTS]
    assert len(ids) == len(set(ids))
