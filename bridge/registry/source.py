"""Files and text of a registry: what is read at all, and what its syntax errors mean.

The text becomes a stream of events (libyaml's, by way of PyYAML). Nothing of
PyYAML's own construction is used, because its C loader recurses until the process
dies, takes a key twice without a word, and reads `no` as false; `compose` turns
the events into a document instead.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from bridge.core.located import Diagnostic, Mark, Table
from bridge.registry import hints
from bridge.registry.compose import Composer, StopError

MAX_BYTES = 2 * 1024 * 1024

# Not what YAML calls printable (section 5.1), or a byte order mark, or a line break of YAML 1.1 only.
_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_TAG_DIRECTIVE = re.compile("^%TAG", re.MULTILINE)
_LINE_BREAK = re.compile("\r\n|\r|\n")


class UnreadableError(Exception):
    """A file that cannot be read; the text says why, without naming it."""


def read_file(path: Path, limit: int = MAX_BYTES) -> bytes:
    """Return the bytes of the regular file at `path`; raise UnreadableError for anything else or over `limit` bytes.

    Nothing is read before the open file has been examined, and opening never waits for a FIFO's writer.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise UnreadableError("there is no such file") from None
    except (OSError, ValueError) as error:
        raise UnreadableError(f"it cannot be opened ({getattr(error, 'strerror', error)})") from None
    try:
        return _read_regular(handle, limit)
    except OSError as error:
        raise UnreadableError(f"it cannot be read ({error.strerror})") from None
    finally:
        os.close(handle)


def _read_regular(handle: int, limit: int) -> bytes:
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableError("it is a folder" if stat.S_ISDIR(status.st_mode) else "it is not a regular file")
    if status.st_size <= limit:
        with os.fdopen(handle, "rb", closefd=False) as file:
            content = file.read(limit + 1)
        if len(content) <= limit:
            return content
    raise UnreadableError(f"it is larger than {limit:,} bytes")


def lines(text: bytes) -> list[str]:
    """Return the lines of a file as marks count them, whatever its bytes are."""
    return _LINE_BREAK.split(text.decode("utf-8-sig", "replace"))


def read_text(text: str | bytes, name: str, problems: list[Diagnostic]) -> Table | None:
    """Return the document in `text`, or None where it cannot be read; mistakes are reported with `name` as their file.

    A syntax error ends the reading, so there is at most one of those; the rest
    (a key twice, an unknown tag, ...) is reported and read as it was probably meant.
    """
    try:
        decoded = _decoded(text)
        written = _LINE_BREAK.split(decoded)
        return Composer(name, written, problems).document(_events(decoded, written))
    except StopError as stop:
        mark = Mark(name, stop.line, stop.column)
        problems.append(Diagnostic(mark, "", stop.message, "registry/yaml", hint=stop.hint))
        return None


def _decoded(text: str | bytes) -> str:
    if len(text) > MAX_BYTES:
        raise StopError(f"the file is larger than {MAX_BYTES:,} bytes", 1, 1)
    text = (text if isinstance(text, str) else _utf8(text)).removeprefix("\ufeff")
    if bad := _UNPRINTABLE.search(text):
        code = f"U+{ord(bad[0]):04X}"
        raise StopError(f"{code} may not stand in YAML; write an escape in double quotes", *_end(text[: bad.start()]))
    # libyaml compares each %TAG with all before it: a megabyte of them takes many seconds.
    if directive := _TAG_DIRECTIVE.search(text):
        raise StopError("%TAG lines are not supported", *_end(text[: directive.start()]))
    return text


def _utf8(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise StopError("the file is not UTF-8 text", *_end(text[: error.start].decode())) from None


def _end(text: str) -> tuple[int, int]:
    before = _LINE_BREAK.split(text)
    return len(before), len(before[-1]) + 1


def _events(text: str, written: list[str]) -> Iterator[Any]:
    try:
        yield from yaml.parse(text, Loader=hints.LOADER)
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, written) from None
    except yaml.YAMLError as error:
        raise StopError(f"not valid YAML: {error}", 1, 1) from None


def _syntax(error: yaml.MarkedYAMLError, written: list[str]) -> StopError:
    problem, context = error.problem or "", error.context or ""
    at, start = error.problem_mark, error.context_mark
    if at is None or (start and ("unexpected" in problem or "expected ':'" in problem)):
        at = start
    if at is None:
        return StopError(f"not valid YAML: {problem}", 1, 1)
    line = written[at.line] if at.line < len(written) else ""
    said = hints.sentence(problem, context, line, at.column)
    if "flow" in context and start and start.line != at.line:
        said += f" (it began at {start.line + 1}:{start.column + 1})"
    return StopError(said, at.line + 1, at.column + 1, hints.quoted(line, in_flow="flow" in context))
