"""Which test owes what: the ids in `@pytest.mark.owes(...)`, read from the tests' text without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).parents[1]


class Carried(NamedTuple):
    """One id on one test: `file` is below tests/."""

    id: str
    file: str
    test: str


def carried() -> tuple[Carried, ...]:
    """Return every id that a test carries, by file and then in the order of the file.

    An id may stand on one test, or on all of a file's in its `pytestmark`.
    """
    return tuple(found for path in sorted(TESTS.rglob("test_*.py")) for found in _in(path))


def _in(path: Path) -> Iterator[Carried]:
    file, module = path.relative_to(TESTS).as_posix(), ast.parse(path.read_text("utf-8"))
    shared: list[str] = []
    for node in module.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            shared += _ids(node.value)
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            own = [name for decorator in node.decorator_list for name in _ids(decorator)]
            yield from (Carried(name, file, node.name) for name in [*shared, *own])


def _ids(marks: ast.expr) -> Iterator[str]:
    for node in ast.walk(marks):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "owes":
            yield from (argument.value for argument in node.args if isinstance(argument, ast.Constant))
