"""Diagnostics as people, programs and GitHub read them. Nothing from a file is printed raw."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from bridge.core.located import Diagnostic

Format = Literal["text", "json", "github"]

# C0 and C1 controls, line separators, and the marks that turn the direction of writing.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def render(diagnostics: Iterable[Diagnostic], form: Format) -> str:
    """Return all diagnostics, in the order of files and lines, each once.

    `text` is `file:line:column: path: sentence`, with the line to write instead below it where there
    is a hint; `json` is one array of objects with the members file, line, column, path, message, code,
    severity and hint; `github` is one workflow command a line. Without diagnostics text is empty.
    """
    found = sorted(set(diagnostics), key=lambda item: (item.mark, item.path, item.message))
    return _FORMATS[form](found)


def _text(found: list[Diagnostic]) -> str:
    return "\n".join(line for item in found for line in _lines(item))


def _lines(item: Diagnostic) -> Iterable[str]:
    yield _safe(str(item))
    if item.hint is not None:
        yield f"    write: {_safe(item.hint.strip())}"


def _json(found: list[Diagnostic]) -> str:
    return json.dumps([_members(item) for item in found], indent=2)


def _members(item: Diagnostic) -> Mapping[str, str | int | None]:
    return {
        "file": item.mark.file,
        "line": item.mark.line,
        "column": item.mark.column,
        "path": item.path,
        "message": item.message,
        "code": item.code,
        "severity": item.severity,
        "hint": item.hint,
    }


def _github(found: list[Diagnostic]) -> str:
    return "\n".join(map(_command, found))


def _command(item: Diagnostic) -> str:
    """Write a workflow command of GitHub Actions, which decodes `%25`, and `%3A` and `%2C` in properties."""
    place = f"file={_property(item.mark.file)},line={item.mark.line},col={item.mark.column}"
    said = f"{item.path}: {item.message}" if item.path else item.message
    hint = f" (write: {item.hint.strip()})" if item.hint is not None else ""
    return f"::{item.severity} {place},title={_property(item.code)}::{_data(said + hint)}"


def _data(text: str) -> str:
    return _safe(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _safe(text: str) -> str:
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape", "backslashreplace").decode(), text)


_FORMATS: Mapping[Format, Callable[[list[Diagnostic]], str]] = {"text": _text, "json": _json, "github": _github}
