"""YAML events to one located document, bounded while it grows.

The events are turned into Tables and Rows with an explicit stack. Depth, values and
aliases are counted as they come and the first breach ends the reading, so no more
is ever built than the limits allow. An alias becomes a copy: whoever later changes
one place changes one place, and a bomb runs into the limit on values. Keys are the
text they are written with.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from bridge.core.located import Diagnostic, Mark, Row, Table, dotted
from bridge.registry import hints
from bridge.registry.scalars import NULL, called, core_scalar

MAX_DEPTH = 64
MAX_VALUES = 100_000
MAX_ALIASES = 100
MAX_MISTAKES = 200

_CORE = {f"tag:yaml.org,2002:{name}": name for name in ("str", "int", "float", "bool", "null", "map", "seq")}
_TYPES: dict[str, type | tuple[type, ...]] = {"int": int, "float": (int, float), "bool": bool, "null": type(None)}
# A comment that holds `${{`, or that begins like `#${` or `#INV-${`: prose puts a space after its `#`.
_LOST = re.compile(r"\s+#(?=.*?\$\{\{|\S*\$\{)").match
# Stands for a collection that is still open: an alias to it would have no end.
_ENDLESS = object()
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+").fullmatch


class StopError(Exception):
    """The text cannot be read any further; `line` and `column` count from 1."""

    def __init__(self, message: str, line: int, column: int, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.line, self.column, self.hint = message, line, column, hint


@dataclass(slots=True)
class _Open:
    """A collection that is not closed yet; a Table without a `key` waits for one; what comes `twice` is dropped."""

    into: Table | Row
    anchor: str | None
    key: str | None = None
    key_at: Mark | None = None
    twice: bool = False

    @property
    def waits_for_key(self) -> bool:
        return self.key is None and isinstance(self.into, Table)

    @property
    def step(self) -> str | int:
        return len(self.into) if self.key is None else self.key

    def put(self, value: Any, mark: Mark) -> None:
        if isinstance(self.into, Row):
            self.into.append(value)
            self.into.items_at.append(mark)
        elif self.key is not None and self.key_at is not None:
            if not self.twice:
                self.into[self.key] = value
                self.into.keys_at[self.key], self.into.values_at[self.key] = self.key_at, mark
            self.key = None


class Composer:
    """Turns one file's events into one document; `lines` are the file's, for hints."""

    def __init__(self, name: str, lines: list[str], problems: list[Diagnostic]) -> None:
        self._name, self._lines, self._problems = name, lines, problems
        self._suspects = {index for index, line in enumerate(lines) if "#" in line and "${" in line}
        self._open: list[_Open] = []
        self._anchors: dict[str, Any] = {}
        self._values = self._aliases = self._documents = self._mistakes = 0
        self._root: Any = None
        self._root_at = Mark(name, 1, 1)

    def document(self, events: Iterable[Any]) -> Table:
        """Return the mapping at the top; raise StopError where the file cannot be read to its end."""
        take: dict[type, Callable[[Any, Mark], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.AliasEvent: self._alias,
            yaml.MappingStartEvent: self._start,
            yaml.SequenceStartEvent: self._start,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
            yaml.DocumentStartEvent: self._begin,
        }
        for event in events:
            if type(event) in take:
                mark = event.start_mark
                take[type(event)](event, Mark(self._name, mark.line + 1, mark.column + 1))
        if self._root is None:
            raise StopError("the file is empty", 1, 1)
        if not isinstance(self._root, Table):
            self._stop(f"expected a mapping at the top of the file, found {called(self._root)}", self._root_at)
        return self._root

    def _begin(self, event: Any, mark: Mark) -> None:
        self._documents += 1
        if self._documents > 1:
            self._stop("a second document begins here; a file is one document", mark)

    def _start(self, event: Any, mark: Mark) -> None:
        self._count(mark)
        self._not_a_key(mark)
        self._depth(len(self._open), mark)
        kind, name = (Table, "map") if isinstance(event, yaml.MappingStartEvent) else (Row, "seq")
        if event.tag is not None and _CORE.get(event.tag) != name:
            self._tagged(event.tag, mark)
        if event.anchor is not None:
            self._anchors[event.anchor] = _ENDLESS
        self._open.append(_Open(kind(mark), event.anchor))

    def _close(self, event: Any, mark: Mark) -> None:
        closed = self._open.pop()
        if closed.anchor is not None:
            self._anchors[closed.anchor] = closed.into
        self._put(closed.into, closed.into.mark)

    def _alias(self, event: Any, mark: Mark) -> None:
        self._not_a_key(mark)
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            self._stop(f"the file holds more than {MAX_ALIASES} aliases", mark)
        name = event.anchor
        value = self._anchors.get(name, f"*{name}")
        if value is _ENDLESS:
            self._stop(f"'*{name}' stands inside what it repeats", mark)
        if name not in self._anchors:
            self._report(f"'*' begins a YAML alias, and nothing is called '&{name}'; quote it if it is text", mark)
        self._put(self._copy(value, mark, len(self._open)), mark)

    def _copy(self, value: Any, mark: Mark, depth: int) -> Any:
        self._count(mark)
        if isinstance(value, Table):
            self._depth(depth, mark)
            table = Table(value.mark)
            table.update((key, self._copy(item, mark, depth + 1)) for key, item in value.items())
            table.keys_at, table.values_at = dict(value.keys_at), dict(value.values_at)
            return table
        if isinstance(value, Row):
            self._depth(depth, mark)
            row = Row(value.mark)
            row.extend(self._copy(item, mark, depth + 1) for item in value)
            row.items_at = list(value.items_at)
            return row
        return value

    def _scalar(self, event: Any, mark: Mark) -> None:
        plain = not event.style
        if plain:
            self._lost(event.end_mark)
        if self._open and self._open[-1].waits_for_key:
            self._key(event.value, mark, plain=plain)
            return
        self._count(mark)
        value = self._tag(event, mark) if event.tag else self._plain(event.value, mark) if plain else event.value
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        self._put(value, mark)

    def _key(self, key: str, mark: Mark, *, plain: bool) -> None:
        into = self._open[-1]
        first = into.into.keys_at.get(key) if isinstance(into.into, Table) else None
        into.key, into.key_at, into.twice = sys.intern(key), mark, first is not None
        if plain and key in NULL:
            self._report(f"{key or 'nothing'!r} cannot be a name; quote it if it is text", mark)
        elif plain and key == "<<":
            self._add("merge keys ('<<') are not part of YAML 1.2; write the members out", mark)
        elif first is not None:
            self._add(f"{key!r} is declared twice (first at {first})", mark, "registry/duplicate")

    def _plain(self, text: str, mark: Mark) -> Any:
        try:
            value = core_scalar(text)
        except ValueError as error:
            self._report(str(error), mark)
            return text
        if isinstance(value, int) and _LEADING_ZERO(text):
            self._warn(f"{text} is read as the number {value}; quote it if it is text", mark)
        return sys.intern(value) if isinstance(value, str) else value  # `string`, a backend's name: said in every tool

    def _tag(self, event: Any, mark: Mark) -> Any:
        name = "str" if event.tag == "!" else _CORE.get(event.tag)
        if name == "str":
            return event.value
        if name not in _TYPES:
            self._tagged(event.tag, mark)
            return f"{event.tag} {event.value}".strip()
        value = self._plain(event.value, mark)
        if not isinstance(value, _TYPES[name]) or (isinstance(value, bool) and name != "bool"):
            self._report(f"{event.value!r} is not what '!!{name}' stands for", mark)
        return value

    def _tagged(self, tag: str, mark: Mark) -> None:
        shown = tag.replace("tag:yaml.org,2002:", "!!")
        self._report(f"{shown!r} is a YAML tag, and a registry has none; quote it if it is text", mark)

    def _lost(self, end: Any) -> None:
        if end.line in self._suspects and (lost := _LOST(self._lines[end.line], end.column)):
            mark = Mark(self._name, end.line + 1, lost.end())
            self._report("what follows ' #' is a comment, so the expression in it is lost; quote the whole value", mark)

    def _not_a_key(self, mark: Mark) -> None:
        if self._open and self._open[-1].waits_for_key:
            raise StopError("a name has to be text; quote it if it is", mark.line, mark.column, self._hint(mark))

    def _count(self, mark: Mark) -> None:
        self._values += 1
        if self._values > MAX_VALUES:
            self._stop(f"the file holds more than {MAX_VALUES:,} values", mark)

    def _depth(self, depth: int, mark: Mark) -> None:
        if depth >= MAX_DEPTH:
            self._stop(f"nested more than {MAX_DEPTH} levels deep", mark)

    def _put(self, value: Any, mark: Mark) -> None:
        if self._open:
            self._open[-1].put(value, mark)
        else:
            self._root, self._root_at = value, mark

    def _hint(self, mark: Mark) -> str | None:
        return hints.quoted(self._lines[mark.line - 1]) if mark.line <= len(self._lines) else None

    def _stop(self, said: str, mark: Mark) -> NoReturn:
        raise StopError(said, mark.line, mark.column)

    def _report(self, said: str, mark: Mark) -> None:
        self._add(said, mark, hint=self._hint(mark))

    def _add(self, said: str, mark: Mark, code: str = "registry/yaml", hint: str | None = None) -> None:
        self._mistakes += 1
        if self._mistakes > MAX_MISTAKES:
            self._stop(f"more than {MAX_MISTAKES} mistakes; mend those first", mark)
        self._problems.append(Diagnostic(mark, self._path(), said, code, hint=hint))

    def _warn(self, said: str, mark: Mark) -> None:
        self._problems.append(Diagnostic(mark, self._path(), said, "registry/suspicious", "warning"))

    def _path(self) -> str:
        return dotted(above.step for above in self._open if not above.waits_for_key)
