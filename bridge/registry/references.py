"""`${NAME}`, `${NAME:-default}` and `${file:/path}`: what a registry takes from outside.

References are resolved on values after parsing, so a secret that holds `": }` changes no
structure. They may stand only in `backends`, `callers`, `auth` and a resource's `file`, alone or
inside text; anywhere else they are a mistake. `${{ ... }}` is an expression and not ours; `$${`
stands for the characters `${`. What may change while the bridge runs (a token in a
file) stays late: it is read when it is needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path as FilePath
from time import monotonic
from typing import Any, NamedTuple

from bridge.core.located import Diagnostic, Path, Row, Table, did_you_mean, dotted, locate
from bridge.core.redact import texts
from bridge.registry.source import UnreadableError, read_file

#: The code of a reference to something that is not there: it keeps one backend or caller away, not the registry.
MISSING = "registry/missing_variable"

#: The largest file that `${file:...}` takes, in bytes.
MAX_FILE = 64 * 1024

#: How long a late file is trusted before it is looked at again, in seconds.
FRESH = 1.0

_OPENING = re.compile(r"\$\$\{\{?|\$\{\{?")
_INSIDE = re.compile(r"([^{}]*)\}")
_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL).fullmatch
_EXPRESSION = re.compile(r"\s*(\w+(?:\.\w+)+)\s*").fullmatch

_SECTIONS = frozenset(("auth", "backends", "callers"))
_LATE: Mapping[Any, tuple[str, ...]] = {"backends": ("auth", "headers"), "callers": ("token", "tokens")}
# Where expressions are compiled from the text later, and its escapes undone with them.
_COMPILED: Mapping[Any, tuple[str, ...]] = {"tools": ("call", "errors", "result"), "backends": ("errors",)}
# Where somebody may well expect an expression to be evaluated, and none is.
_FIXED: Mapping[Any, tuple[str, ...]] = {
    "backends": ("auth", "base_url", "headers"),
    "callers": ("scopes", "tenant", "token"),
    "tools": ("input_schema", "output_schema", "parameters"),
}
# Where a credential may stand, written out in the registry itself.
_CREDENTIALS = frozenset(("key", "password", "token", "tokens"))
_ELSEWHERE = (
    "${{{}}} may stand only in backends, callers, auth and a resource's file; $${{ stands for the characters themselves"
)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What came of a registry's references.

    `unresolved` are the paths where something is missing (what was written still stands there);
    `texts` the paths of values that came from outside; `secrets` every text that did, and the credentials
    that are written in the registry itself. They grow when a late file changes.
    """

    unresolved: frozenset[Path] = frozenset()
    texts: frozenset[Path] = frozenset()
    secrets: Collection[str] = frozenset()


class LateText:
    """Text with a file's content in it, as it is at the moment of reading; shown, it is masked."""

    __slots__ = ("_parts",)

    def __init__(self, parts: tuple[str | FileText, ...]) -> None:
        self._parts = parts

    def read(self) -> str:
        """Return the text as it is now."""
        return "".join(part if isinstance(part, str) else part.read() for part in self._parts)

    __call__ = read

    def __repr__(self) -> str:
        return "***"


class FileText:
    """The text of a small file without its last line break, read again when the file has changed.

    `remember` is told of each new text before anybody gets it.
    Raises UnreadableError while it is made; later a file that cannot be read leaves the last text in place.
    """

    __slots__ = ("_look_again", "_path", "_remember", "_state", "_text")

    def __init__(self, path: FilePath, remember: Callable[[str], None]) -> None:
        self._path = path
        self._remember = remember
        self._state = _state(path)
        self._text = _text(path)
        self._look_again = monotonic() + FRESH

    def read(self) -> str:
        """Return the text; the file is looked at no more than once in `FRESH` seconds."""
        if monotonic() >= self._look_again:
            self._look_again = monotonic() + FRESH
            with suppress(UnreadableError):
                state = _state(self._path)
                if state != self._state:
                    text = _text(self._path)
                    self._remember(text)
                    self._text, self._state = text, state
        return self._text


def _state(path: FilePath) -> tuple[int, int, int]:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return (0, 0, 0)
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _text(path: FilePath) -> str:
    try:
        text = re.sub(r"\r?\n\Z", "", read_file(path, MAX_FILE).decode())
    except UnicodeDecodeError:
        raise UnreadableError("it is not UTF-8 text") from None
    if not text:
        raise UnreadableError("it is empty")
    return text


class _Reference(NamedTuple):
    source: str
    kind: str
    name: str
    default: str | None = None


class _MisplacedError(ValueError):
    """The notation is not what it should be; the text says what to write."""


def _cut(text: str) -> Iterator[str | _Reference]:
    """Yield the literal parts of `text`, expressions and escapes among them, and its references, in order."""
    at = 0
    while match := _OPENING.search(text, at):
        yield text[at : match.start()]
        at = match.end()
        if match[0] == "${":
            reference = _reference(text, at)
            at += len(reference.source) + 1
            yield reference
            continue
        if match[0] == "${{":
            end = text.find("}}", at)
            at = len(text) if end < 0 else end + 2
        yield text[match.start() : at]
    yield text[at:]


def _reference(text: str, at: int) -> _Reference:
    inside = _INSIDE.match(text, at)
    source = inside[1] if inside else text[at : at + 40]
    if inside and source.startswith(("file:", "secret:")):
        kind, _, name = source.partition(":")
        return _Reference(source, kind, name)
    if inside and (variable := _VARIABLE(source)):
        return _Reference(source, "variable", variable[1], variable[2])
    if expression := _EXPRESSION(source):
        raise _MisplacedError(f"an expression has two braces: ${{{{ {expression[1]} }}}}")
    raise _MisplacedError("write ${NAME}, ${NAME:-default} or ${file:/path}; $${ stands for the characters themselves")


def resolve(
    document: Table, environ: Mapping[str, str], problems: list[Diagnostic], *, no_env: bool = False
) -> Resolved:
    """Put what they refer to in the place of the references in `document`, and report those that cannot be.

    With `no_env` nothing outside is looked at and nothing is missed: defaults hold, the rest stays as written.
    """
    resolving = _Resolving(document, {} if no_env else environ, problems, no_env)
    resolving.walk(document, ())
    return Resolved(frozenset(resolving.unresolved), frozenset(resolving.texts), resolving.secrets)


class _Resolving:
    """Walks a document and changes it in place."""

    def __init__(
        self, document: Table, environ: Mapping[str, str], problems: list[Diagnostic], no_env: bool
    ) -> None:
        self._document, self._environ, self._problems, self._no_env = document, environ, problems, no_env
        self.unresolved: set[Path] = set()
        self.texts: set[Path] = set()
        self.secrets: set[str] = set()

    def walk(self, container: Table | Row, path: Path) -> None:
        steps: list[Any] = list(container) if isinstance(container, Table) else list(range(len(container)))
        for step in steps:
            value, here = container[step], (*path, step)
            if isinstance(step, str) and "${" in step and "${" in step.replace("${{", ""):
                self._report("a name cannot hold a reference", here, key=True)
            if isinstance(value, Table | Row):
                self.walk(value, here)
            elif isinstance(value, str) and "${" in value:
                container[step] = self._value(value, here)
            elif _is_secret(container, here):
                self.secrets.update(texts(value))

    def _value(self, text: str, path: Path) -> str | LateText:
        try:
            parts = list(_cut(text))
        except _MisplacedError as error:
            self._report(str(error), path)
            return text
        references = [part for part in parts if isinstance(part, _Reference)]
        if references and not _allowed(path):
            self._report(_ELSEWHERE.format(references[0].source), path)
            return text
        compiled = _within(path, _COMPILED)
        if not compiled and _within(path, _FIXED) and any(str(part).startswith("${{") for part in parts):
            self._report("an expression is not evaluated here, but in a tool's call, result and errors", path)
            return text
        found = [self._part(part, path, compiled=compiled) for part in parts]
        if path in self.unresolved and not compiled:
            return text
        if references and path not in self.unresolved:
            self.texts.add(path)
        if any(isinstance(part, FileText) for part in found) and _within(path, _LATE):
            return LateText(tuple(found))
        return "".join(part if isinstance(part, str) else part.read() for part in found)

    def _part(self, part: str | _Reference, path: Path, *, compiled: bool) -> str | FileText:
        """Return what a part stands for; where expressions are compiled later, escapes stay and values get them."""
        if isinstance(part, str):
            return part if compiled else part.replace("$${", "${")
        found = self._outside(part, path)
        if found is None:
            return f"$${{{part.source}}}"
        text = found if isinstance(found, str) else found.read()
        if text and text != part.default:
            self.secrets.add(text)
        return text.replace("${", "$${") if compiled else found

    def _outside(self, reference: _Reference, path: Path) -> str | FileText | None:
        """Return what a reference leads to, None where that is missing."""
        if reference.kind == "variable":
            return self._variable(reference, path)
        if reference.kind == "file" and not self._no_env:
            return self._file(reference.name, path)
        if reference.kind == "secret":
            self._report("secrets (`${secret:...}`) are not available in this version", path, code="registry/not_yet")
        self.unresolved.add(path)
        return None

    def _variable(self, reference: _Reference, path: Path) -> str | None:
        value = self._environ.get(reference.name)
        if reference.default is not None:
            return value or reference.default
        if value is None:
            near = did_you_mean(reference.name, self._environ)
            self._miss(f"the environment variable {reference.name} is not set{near}", path)
        return value

    def _file(self, name: str, path: Path) -> FileText | None:
        try:
            return FileText(FilePath(locate(self._document, path).file).parent.absolute() / name, self.secrets.add)
        except UnreadableError as error:
            self._miss(f"{name!r} cannot be read: {error}", path)
            return None

    def _miss(self, said: str, path: Path) -> None:
        self.unresolved.add(path)
        if not self._no_env:
            self._report(said, path, code=MISSING)

    def _report(self, said: str, path: Path, *, key: bool = False, code: str = "registry/reference") -> None:
        mark = locate(self._document, path, key=key)
        self._problems.append(Diagnostic(mark, dotted(path), said, code))


def _allowed(path: Path) -> bool:
    return path[0] in _SECTIONS or (path[0] == "resources" and path[-1] == "file")


def _is_secret(container: Table | Row, path: Path) -> bool:
    """Say whether a credential stands here, or the fixed value of a secret parameter."""
    if path[0] == "tools":
        return path[-1] == "value" and isinstance(container, Table) and container.get("secret") is True
    where = path[3:4] if path[0] == "backends" and path[2:3] == ("auth",) else path[2:3] if path[0] == "callers" else ()
    return not _CREDENTIALS.isdisjoint(where)


def _within(path: Path, members: Mapping[Any, tuple[str, ...]]) -> bool:
    """Say whether `path` leads into one of those members of a backend, a caller or a tool."""
    return len(path) > 2 and path[2] in members.get(path[0], ())
