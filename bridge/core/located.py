"""Where a value was written, and how a mistake there is reported.

A registry file is read once into plain Python values; only its containers know
more than usual: a `Table` remembers where each key and each value stood, a
`Row` where each item stood. So code that reads a registry reads dicts and lists,
and whoever finds a mistake names it by its path; `locate` turns the path into a mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import is_
from typing import Any, Literal, NamedTuple

#: A way down into a document: keys and indexes.
Path = tuple[str | int, ...]


class Mark(NamedTuple):
    """A place in a file; `line` and `column` count from 1, as editors do."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Table(dict[str, Any]):
    """A YAML mapping that remembers where its keys and values stood."""

    __slots__ = ("keys_at", "mark", "values_at")

    def __init__(self, mark: Mark) -> None:
        super().__init__()
        self.mark = mark
        self.keys_at: dict[str, Mark] = {}
        self.values_at: dict[str, Mark] = {}


class Row(list[Any]):
    """A YAML sequence that remembers where its items stood."""

    __slots__ = ("items_at", "mark")

    def __init__(self, mark: Mark) -> None:
        super().__init__()
        self.mark = mark
        self.items_at: list[Mark] = []


def locate(document: Any, path: Iterable[str | int], *, key: bool = False) -> Mark:
    """Return the mark of the value at `path`, or of the nearest container above it.

    With `key` the mark is that of the last key itself, which is where an unknown
    member or a bad name is best shown.
    """
    mark: Mark = document.mark
    steps = list(path)
    for position, step in enumerate(steps):
        last = position == len(steps) - 1
        if isinstance(document, Table) and step in document:
            marks = document.keys_at if key and last else document.values_at
            mark = marks.get(str(step), mark)
            document = document[str(step)]
        elif isinstance(document, Row) and isinstance(step, int) and step < len(document):
            mark, document = document.items_at[step], document[step]
        else:
            break
    return mark


def plain(value: Any) -> Any:
    """Return `value` without its marks: ordinary dicts and lists, the same ones where they are that already."""
    if isinstance(value, dict):
        members = {key: plain(item) for key, item in value.items()}
        return value if type(value) is dict and all(map(is_, value.values(), members.values())) else members
    if isinstance(value, list):
        items = [plain(item) for item in value]
        return value if type(value) is list and all(map(is_, items, value)) else items
    return value


def dotted(path: Iterable[str | int]) -> str:
    """Write a path the way diagnostics show it: `tools.get_profile.call[1].path`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


@dataclass(frozen=True, slots=True, order=True)
class Diagnostic:
    """One mistake (or warning) at one place, as `toolbridge check` prints it.

    `code` is stable (`registry/unknown_member`); `hint` is a line to write instead.
    """

    mark: Mark
    path: str
    message: str
    code: str = "registry/invalid"
    severity: Literal["error", "warning"] = "error"
    hint: str | None = None

    def __str__(self) -> str:
        where = f"{self.mark}: {self.path}: " if self.path else f"{self.mark}: "
        level = "warning: " if self.severity == "warning" else ""
        return f"{where}{level}{self.message}"


class RegistryError(Exception):
    """The registry cannot be served; `diagnostics` holds every mistake that was found."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(map(str, self.diagnostics)))


@dataclass(slots=True)
class Problems:
    """Where code that examines one part of a registry reports what it finds.

    It reports a path relative to its part and a sentence; the mark is looked up
    here, so a backend kind never sees a mark. `at` narrows to a smaller part.
    """

    document: Any
    path: Path = ()
    found: list[Diagnostic] = field(default_factory=list)

    def at(self, *steps: str | int) -> Problems:
        """Return a reporter for the part at `steps`, which reports into the same list."""
        return Problems(self.document, (*self.path, *steps), self.found)

    def add(
        self,
        message: str,
        *steps: str | int,
        code: str = "registry/invalid",
        key: bool = False,
        severity: Literal["error", "warning"] = "error",
        hint: str | None = None,
    ) -> None:
        """Report `message` at `steps` below this part; `key` points at the key instead of its value."""
        path = (*self.path, *steps)
        mark = locate(self.document, path, key=key)
        self.found.append(Diagnostic(mark, dotted(path), message, code, severity, hint))

    def warn(self, message: str, *steps: str | int, code: str = "registry/suspicious", key: bool = False) -> None:
        """Report something that is probably not meant, but can be served."""
        self.add(message, *steps, code=code, key=key, severity="warning")

    @property
    def errors(self) -> Sequence[Diagnostic]:
        """The mistakes found so far, without the warnings."""
        return [found for found in self.found if found.severity == "error"]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ` (did you mean 'x'?)` for the nearest known name, or nothing."""
    from difflib import get_close_matches

    near = get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""
