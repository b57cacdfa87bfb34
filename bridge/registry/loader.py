"""A registry's files: the main one and what it includes, read and merged into one document.

An included file adds to the mappings of the main one (tools, backends, ...); it sets
nothing else. Files are read breadth first, in the order in which they are named and
sorted within a pattern; that is also the order of their tools. A bundle is the same
files as they were once read, so it needs no patterns: all of it is merged, in order.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from os.path import realpath
from pathlib import Path, PurePath

from bridge.core.located import Diagnostic, Mark, Row, Table, did_you_mean, dotted
from bridge.registry.scalars import called
from bridge.registry.source import MAX_BYTES, UnreadableError, lines, read_file, read_text

MAX_FILES = 1_000
MAX_TOTAL = 16 * 1024 * 1024

#: What an included file may hold besides `bridge`: mappings that are merged by name, and lists that grow.
MAPPINGS = frozenset(("backends", "callers", "prompts", "resources", "schedules", "tools", "toolsets"))
LISTS = frozenset(("import", "include"))

_PATTERN = re.compile(r"[*?\[]").search


@dataclass(frozen=True, slots=True)
class Loaded:
    """A registry's files, read and merged.

    `files` maps each file's name, relative to the main one's folder, to its bytes, the main one first. `paths` are
    the places whose change may change the registry: files read, files missed, folders that patterns look into.
    `folder` stands before the names in marks. `whole` is false where an included file could not be read, so that
    what it declares is missing from `document`.
    """

    document: Table
    files: Mapping[str, bytes]
    paths: tuple[Path, ...] = ()
    folder: str = ""
    whole: bool = True

    def lines(self, file: str) -> list[str]:
        """Return the lines of the file that marks call `file`, none where there is no such file."""
        names = (name for name in self.files if _joined(self.folder, name) == file)
        name = next(names, None)
        return [] if name is None else lines(self.files[name])


def load(path: Path, problems: list[Diagnostic]) -> Loaded | None:
    """Return the registry at `path` with all it includes; None where the main file itself cannot be read."""
    reading = _Reading(path, problems)
    reading.read()
    if not reading.documents:
        return None
    document = _merged(reading.documents, problems)
    return Loaded(document, reading.files, tuple(dict.fromkeys(reading.paths)), reading.folder, reading.whole)


def load_bundle(files: Mapping[str, bytes], problems: list[Diagnostic], folder: str = "") -> Loaded | None:
    """Return the registry whose `files` were once loaded, the main one first; `folder` is where they lay."""
    found = [read_text(text, _joined(folder, name), problems) for name, text in files.items()]
    documents = [document for document in found if document is not None]
    if not found or found[0] is None:
        return None
    return Loaded(_merged(documents, problems), files, (), folder, len(documents) == len(found))


def folder_of(main: Path) -> str:
    """Return what stands before the names of files in marks: the folder of the main one as it was named."""
    return "" if main.parent == Path() else str(main.parent)


def version(files: Mapping[str, bytes]) -> str:
    """Return the first 12 hex digits of a SHA-256 over all names and texts."""
    digest = hashlib.sha256()
    for name, text in sorted(files.items()):
        for part in (name.encode(), text):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:12]


def _joined(folder: str, name: str) -> str:
    return str(PurePath(folder, name))


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of an `include`: in which file (by name) it stands, where, and what it asks for."""

    file: str
    path: str
    mark: Mark
    pattern: str


class _Reading:
    """Reads a main file and, breadth first, whatever is included."""

    def __init__(self, main: Path, problems: list[Diagnostic]) -> None:
        self._main, self._root, self._problems = main, main.parent, problems
        self._queue: deque[_Entry] = deque()
        self._named_by: dict[str, _Entry] = {}
        self.folder = folder_of(main)
        self.files: dict[str, bytes] = {}
        self.paths: list[Path] = []
        self.documents: list[Table] = []
        self.whole = True

    def read(self) -> None:
        """Read all there is; `documents` stays empty where the main file cannot be read."""
        self._add(self._main.name, None)
        while self._queue and self.documents:
            self._follow(self._queue.popleft())

    def _add(self, name: str, entry: _Entry | None) -> None:
        place = self._root / name
        self.paths.append(place)
        try:
            left = MAX_TOTAL - sum(map(len, self.files.values()))
            text = self.files[name] = read_file(place, min(MAX_BYTES, left))
        except UnreadableError as error:
            self._lost(f"{name!r} cannot be read: {error}" if entry else f"{error}", entry)
            return
        document = read_text(text, _joined(self.folder, name), self._problems)
        if document is None:
            self.whole = False
            return
        self.documents.append(document)
        self._queue.extend(self._entries(name, document))

    def _entries(self, name: str, document: Table) -> Iterator[_Entry]:
        include = document.get("include", Row(document.mark))
        if not isinstance(include, Row):
            said = f"expected a list of file names, found {called(include)}"
            self._problems.append(Diagnostic(document.values_at["include"], "include", said))
            return
        for index, pattern in enumerate(include):
            path, mark = dotted(("include", index)), include.items_at[index]
            if isinstance(pattern, str) and pattern:
                yield _Entry(name, path, mark, pattern)
            else:
                said = f"expected a file name, found {called(pattern) if pattern != '' else 'empty text'}"
                self._problems.append(Diagnostic(mark, path, said))

    def _follow(self, entry: _Entry) -> None:
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(entry.file), entry.pattern))
        if "\0" in wanted or "**" in wanted:
            self._lost(f"{entry.pattern!r} is no file name or pattern; write the folder out", entry)
        elif wanted.startswith(("/", "../")) or wanted == "..":
            self._lost(f"{entry.pattern!r} leads out of the folder of {self._main.name!r}", entry)
        elif _PATTERN(wanted):
            self._select(wanted, entry)
        else:
            self._include(wanted, entry)

    def _select(self, pattern: str, entry: _Entry) -> None:
        fixed = _PATTERN(pattern)
        self.paths.append(self._root / posixpath.dirname(pattern[: fixed.start() if fixed else 0]))
        names = sorted(self._matching(pattern))
        if not names:
            self._problems.append(
                Diagnostic(entry.mark, entry.path, f"{entry.pattern!r} selects no file", "registry/include", "warning")
            )
        for name in names:
            if name not in self.files:
                self._include(name, entry)

    def _matching(self, pattern: str) -> list[str]:
        try:
            found = (path for path in self._root.glob(pattern) if not path.is_dir())
            return [path.relative_to(self._root).as_posix() for path in islice(found, MAX_FILES + 1)]
        except OSError:
            return []

    def _include(self, name: str, entry: _Entry) -> None:
        if (loop := self._loop(name, entry)) is entry:
            self._lost("a file cannot include itself", entry)
        elif loop is not None:
            self._lost(f"{name!r} includes this file in turn ({loop.mark})", entry)
        elif name in self.files:
            return
        elif len(self.files) >= MAX_FILES:
            self._lost(f"a registry is at most {MAX_FILES:,} files", entry)
        elif not Path(realpath(self._root / name)).is_relative_to(realpath(self._root)):
            self._lost(f"{name!r} leads out of the folder of {self._main.name!r}", entry)
        else:
            self._named_by[name] = entry
            self._add(name, entry)

    def _loop(self, name: str, entry: _Entry) -> _Entry | None:
        """Return the entry of the file `name` by which the file of `entry` came to be read, if there is one."""
        above: _Entry | None = entry
        while above is not None and above.file != name:
            above = self._named_by.get(above.file)
        return above

    def _lost(self, said: str, entry: _Entry | None) -> None:
        self.whole = False
        mark = entry.mark if entry else Mark(str(self._main), 1, 1)
        self._problems.append(Diagnostic(mark, entry.path if entry else "", said, "registry/include"))


def _merged(documents: list[Table], problems: list[Diagnostic]) -> Table:
    main = documents[0]
    for document in documents[1:]:
        for member in document:
            _merge(main, document, member, problems)
    main.pop("include", None)
    return main


def _merge(main: Table, other: Table, member: str, problems: list[Diagnostic]) -> None:
    value, key_at, at = other[member], other.keys_at[member], other.values_at[member]
    if member == "include" or (member == "bridge" and value == main.get("bridge")):
        return
    if member not in MAPPINGS | LISTS:
        near = did_you_mean(member, MAPPINGS)
        said = f"{member!r} cannot stand in an included file{near}; it holds {', '.join(sorted(MAPPINGS))}"
        problems.append(Diagnostic(key_at, member, said, "registry/include"))
    elif member not in main:
        main[member] = value
        main.keys_at[member], main.values_at[member] = key_at, at
    elif isinstance(value, Table) and isinstance(main[member], Table):
        _unite(main[member], value, member, problems)
    elif isinstance(value, Row) and isinstance(main[member], Row):
        main[member].extend(value)
        main[member].items_at.extend(value.items_at)
    elif isinstance(main[member], Table | Row):
        said = f"expected {called(main[member])}, found {called(value)}"
        problems.append(Diagnostic(at, member, said))


def _unite(into: Table, other: Table, member: str, problems: list[Diagnostic]) -> None:
    for name, value in other.items():
        if name in into:
            said = f"{name!r} is declared twice (first at {into.keys_at[name]})"
            problems.append(Diagnostic(other.keys_at[name], dotted((member, name)), said, "registry/duplicate"))
        else:
            into[name] = value
            into.keys_at[name], into.values_at[name] = other.keys_at[name], other.values_at[name]
