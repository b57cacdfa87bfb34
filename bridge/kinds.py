"""The mechanism behind every table of kinds: a name, a dotted path, loaded when first used.

A table is written once (`backends/__init__.py`, `protocols/__init__.py`, ...), so a
new kind is one file and one line, and nothing is imported before somebody needs it.
Packages outside the project add kinds through an entry point group; a name that
two of them claim is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Generic, TypeVar, cast

T = TypeVar("T")


class DuplicateKindError(Exception):
    """Two packages claim the same name."""


class Kinds(Generic[T]):
    """A table from names to things that are imported on first use.

    `table` maps a name to `package.module:attribute`. `group` is an entry point group.
    """

    def __init__(self, table: Mapping[str, str], group: str | None = None) -> None:
        self._paths = dict(table)
        self._loaded: dict[str, T] = {}
        for entry in entry_points(group=group) if group else ():
            if entry.name in self._paths:
                raise DuplicateKindError(f"{entry.name!r} is claimed by {self._paths[entry.name]} and {entry.value}")
            self._paths[entry.name] = entry.value

    def __getitem__(self, name: str) -> T:
        if name not in self._loaded:
            module, _, attribute = self._paths[name].partition(":")
            self._loaded[name] = cast(T, getattr(import_module(module), attribute))
        return self._loaded[name]

    def __contains__(self, name: str) -> bool:
        return name in self._paths

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)
