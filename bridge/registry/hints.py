"""YAML's own traps, explained where they bite: a parser's complaint as a sentence, and the line as it was meant.

A hint is never guessed blindly: quotes are put where a trap is known to lie, and the
line is offered only if it then parses, and parses to something else than before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import yaml

from bridge.core.located import Diagnostic

#: Events only, so nothing is ever constructed; the C parser is about ten times faster.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# `  - name: ` before a value; a key is plain or quoted.
_KEY = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s'"#{\[&*!|>%@`-][^:#]*?)"""
_BEFORE = re.compile(rf"\s*(?:-\s+)*(?:{_KEY}\s*:\s+)?").match
# A text that a flow collection cannot hold unquoted: braces, or a character that means something to YAML.
_BRACES = r"\$?\{\{.*?\}\}|\$\{[^{}]*\}|\{[^{}:]*\}"
_IN_FLOW = re.compile(
    rf"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')"""
    rf"""|(?<=[\[{{,:\s])((?:[^\s'"\[\]{{}},:#](?:[^\[\]{{}},:]|:(?=\S))*)?(?:{_BRACES})(?:{_BRACES}|[^\[\]{{}},])*"""
    rf"""|[*!&@`%][^\[\]{{}},]*)"""
)
_TEMPLATE = re.compile(r"\{[+?&/]?[\w,*]+\}").match
_COMMENT = re.compile(r"\s+#.*").search
_SUSPICIOUS = re.compile(r"""[{!*&@`%#|>\\]|: .*: """).search
_LONGEST = 1_000
_MOST = 200

#: What a parser says (libyaml's words, then those of PyYAML's own parser) and what a person can do about it.
_SENTENCES = (
    ("tab", "a tab cannot be used for indentation; use spaces"),
    ("mapping values", "': ' is not allowed here; quote a value that holds ': ', or check the indentation"),
    ("sequence entries are not allowed", "a list cannot begin here; give each '- ' a line of its own, indented"),
    ("unexpected end of stream", "the quoted text that begins here is never closed"),
    ("unexpected document indicator", "the quoted text that begins here is not closed before '---'"),
    ("could not find expected ':'", "expected 'name: value', and there is no ': '"),
    ("expected key", "expected 'name: value' here; check the indentation, or quote the whole value"),
    ("expected '-' indicator", "expected '- ' here; check the indentation"),
    ("expected <block end>", "expected 'name: value' or '- ' here; check the indentation, or quote the whole value"),
    ("',' or '}'", "expected ',' or '}' here; quote a value that holds '{', '}' or ': '"),
    ("',' or ']'", "expected ',' or ']' here; quote a value that holds '[', ']' or '{'"),
    ("node content", "a value is missing here"),
    ("alphabetic or numeric", "'*' and '&' begin a YAML alias and anchor; quote the text"),
    ("escape", "this escape does not exist in double quotes; use single quotes, where a backslash is a backslash"),
    ("hexdecimal", "this escape does not exist in double quotes; use single quotes, where a backslash is a backslash"),
    ("block scalar", "after '|' or '>' the text begins on the next line; quote a value that begins with them"),
    ("tag", "'!' begins a YAML tag; quote the text"),
    ("incompatible", "this file says it is another version of YAML; remove the %YAML line"),
    ("document start", "something stands here that belongs to no mapping; check the indentation"),
)


def sentence(problem: str, context: str, line: str, column: int) -> str:
    """Return what a person can do about a parser's `problem` at `column` (from 0) of `line`."""
    character = line[column : column + 1]
    if "cannot start any token" in problem and character != "\t":
        return f"a value cannot begin with {character!r}; quote it"
    if "while parsing a block" in context and line[:column].rstrip().endswith(("'", '"')):
        return "the quoted text ends before this; write a quote within it twice, or quote the whole with the other kind"
    said = "tab" if character == "\t" and "token" in problem else f"{problem} {context}"
    return next((text for words, text in _SENTENCES if words in said), f"not valid YAML: {problem}")


def quoted(line: str, *, in_flow: bool = False) -> str | None:
    """Return `line` with the quotes it lacks, or None where no trap is known.

    `in_flow` says that the parser stopped inside `{...}` or `[...]`.
    """
    if len(line) > _LONGEST or not _SUSPICIOUS(line):
        return None
    original = None if in_flow else _parsed(line)
    for candidate in _candidates(line, broken=original is None, in_flow=in_flow):
        meant = _parsed(candidate)
        if candidate != line and meant is not None and meant != original:
            return candidate
    return None


def add(problems: list[Diagnostic], lines_of: Callable[[str], Sequence[str]]) -> None:
    """Give the errors that stand on a line with a trap the corrected line, in place.

    `lines_of` gives the lines of a file by the name that marks have for it.
    """
    read = cache(lines_of)
    for index, found in enumerate(problems[:_MOST]):
        lines = read(found.mark.file)
        if found.severity == "error" and found.hint is None and found.mark.line <= len(lines):
            problems[index] = replace(found, hint=quoted(lines[found.mark.line - 1]))


def _candidates(line: str, *, broken: bool, in_flow: bool) -> Iterator[str]:
    before, value, comment = _split(line)
    collection = value[:1] in ("{", "[") and not _TEMPLATE(value)
    if value[:1] == '"' == value[-1:]:
        yield before + _single(value[1:-1]) + comment
    if collection or broken:
        yield _IN_FLOW.sub(_quote_match, before + value) + comment
    if before.strip() and value and not (in_flow or collection or value[0] in "\"'"):
        yield before + _quote(value) + comment


def _split(line: str) -> tuple[str, str, str]:
    # A comment stays one, unless it has swallowed an expression.
    match = _BEFORE(line)
    end = match.end() if match else 0
    value, comment = line[end:].rstrip(), ""
    if (aside := _COMMENT(value)) and "${" not in aside[0]:
        value, comment = value[: aside.start()], aside[0]
    return line[:end], value, comment


def _quote_match(match: re.Match[str]) -> str:
    if match[1]:
        return match[1]
    text = match[2].rstrip()
    return _quote(text) + match[2][len(text) :]


def _quote(text: str) -> str:
    double = "'" in text and '"' not in text and "\\" not in text
    return f'"{text}"' if double else _single(text)


def _single(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _parsed(line: str) -> Any:
    # A line out of a flow collection, with the comma behind it, parses only inside one.
    text = line.strip()
    for whole in (text, f"{{{text}\n}}", f"[{text}\n]"):
        try:
            events = list(yaml.parse(whole, Loader=LOADER))
        except (yaml.YAMLError, ValueError):
            continue
        if not _has_collection_as_key(events):
            return [(type(event), getattr(event, "value", None)) for event in events]
    return None


def _has_collection_as_key(events: Iterable[yaml.Event]) -> bool:
    """Say whether a mapping or a sequence stands where a key does, which no registry may say."""
    filled: list[int | None] = []  # for each open mapping how many keys and values it has, None for a sequence
    for event in events:
        if isinstance(event, yaml.CollectionEndEvent):
            filled.pop()
        elif isinstance(event, yaml.NodeEvent):
            starts = isinstance(event, yaml.CollectionStartEvent)
            if filled and filled[-1] is not None:
                if starts and filled[-1] % 2 == 0:
                    return True
                filled[-1] += 1
            if starts:
                filled.append(0 if isinstance(event, yaml.MappingStartEvent) else None)
    return False
