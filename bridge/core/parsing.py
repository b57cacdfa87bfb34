"""JSON in and out: the one strict parser of every door and every backend, and the one writer.

The standard library's decoder does the work, because it has a hook for each thing
that it forgives and RFC 8259 does not: double keys, NaN, numbers beyond all size.
What it has no hook for is looked at before (depth, number of values) or after (lone
surrogates), and only where the bytes make it possible at all: a text of n bytes holds
no more than n/2 nested brackets or values, so a usual call costs one comparison.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import islice
from typing import Any, NoReturn

import orjson

from bridge.errors import InvalidRequest, InvalidResult

#: An integer of more digits is refused unread; whether one of fewer fits is for the schema to say.
MAX_DIGITS = 100

_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
_AS_SQUARE = bytes.maketrans(b"{}", b"[]")
_OPENS_WITH_CONTENT = re.compile(rb"[\[{](?!\s*+[\]}])")
_SUSPECT_ESCAPE = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*+\\u0000")
_OTHER_ENCODINGS = (b"\xff\xfe", b"\xfe\xff", b"\x00")


def parse_json(body: bytes, *, max_depth: int = 64, max_nodes: int | None = 10_000, allow_nul: bool = False) -> Any:
    """Return the value that `body` is the JSON text of (RFC 8259, UTF-8 without a byte order mark).

    `max_depth` counts nested arrays and objects, `max_nodes` all values (None: any
    number). The character U+0000 is refused unless `allow_nul`: no caller means it,
    and databases and C libraries cut there. `-0` stays negative, as the float -0.0.

    Raises InvalidRequest, with a sentence that names the place or the key.
    """
    if len(body) > 2 * max_depth:
        _check_size(body, max_depth, max_nodes)
    try:
        text = body.decode()
        value, end = _decode(text)
    except (UnicodeDecodeError, json.JSONDecodeError):
        value, end, text = _parse_slowly(body)
    if end != len(text) and text[end:].strip(" \t\r\n"):
        raise InvalidRequest(f"The body goes on after the end of its JSON (at character {end + 1})")
    if _SUSPECT_ESCAPE.search(body):
        _check_text(value, body, allow_nul)
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        double = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise InvalidRequest(f"The body names the key {double[:100]!r} twice in one object")
    return members


def _integer(text: str) -> int | float:
    if len(text) > MAX_DIGITS:
        raise InvalidRequest(f"The body holds an integer of more than {MAX_DIGITS} digits")
    return int(text) or (-0.0 if text == "-0" else 0)


def _number(text: str) -> float:
    number = float(text)
    if number - number != 0:  # only of an infinity
        raise InvalidRequest(f"The body holds a number that is too large: {text[:30]}")
    return number


def _constant(name: str) -> NoReturn:
    raise InvalidRequest(f"{name} is not JSON")


_decode = json.JSONDecoder(
    object_pairs_hook=_members, parse_constant=_constant, parse_int=_integer, parse_float=_number
).raw_decode


def _parse_slowly(body: bytes) -> tuple[Any, int, str]:
    # The text begins with white space, or is none at all: now there is time to find the words.
    if not body.strip():
        raise InvalidRequest("The body is empty")
    if body.startswith(b"\xef\xbb\xbf"):
        raise InvalidRequest("The body begins with a byte order mark; send plain UTF-8")
    if body.startswith(_OTHER_ENCODINGS) or body[1:4:2] == b"\x00\x00":
        raise InvalidRequest("The body is not UTF-8 (it looks like UTF-16 or UTF-32)")
    try:
        text = body.decode()
        start = len(text) - len(text.lstrip(" \t\r\n"))
        value, end = _decode(text, start)
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"The body is not UTF-8 (at byte {error.start + 1})") from None
    except json.JSONDecodeError as error:
        why = error.msg[:1].lower() + error.msg[1:].removesuffix(" at")
        raise InvalidRequest(f"The body is not JSON: {why} at line {error.lineno} column {error.colno}") from None
    return value, end, text


def _check_size(body: bytes, max_depth: int, max_nodes: int | None) -> None:
    opens = body.count(b"[") + body.count(b"{")
    many = max_nodes is not None and opens + body.count(b",") >= max_nodes
    if opens <= max_depth and not many:
        return
    bare = _without_strings(body)
    if max_nodes is not None and many:
        nodes = 1 + bare.count(b",")
        nodes += sum(1 for _ in islice(_OPENS_WITH_CONTENT.finditer(bare), max_nodes))
        if nodes > max_nodes:
            raise InvalidRequest(f"The body holds more than {max_nodes:,} values")
    if _too_deep(bare, max_depth):
        raise InvalidRequest(f"The body is nested more than {max_depth} levels deep")


def _without_strings(body: bytes) -> bytes:
    # Without the escapes that end no string, every second piece between quotes is one.
    return b"".join(body.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')[::2])


def _too_deep(bare: bytes, max_depth: int) -> bool:
    # Each round takes away the innermost level everywhere. What is left over is unbalanced:
    # no JSON, but the decoder must not be let into more open brackets than it may nest.
    brackets = bare.translate(_AS_SQUARE, _NO_BRACKET)
    for _ in range(max_depth):
        before, brackets = len(brackets), brackets.replace(b"[]", b"")
        if len(brackets) == before:
            break
    return b"[]" in brackets or brackets.count(b"[") > max_depth


def _check_text(value: Any, body: bytes, allow_nul: bool) -> None:
    if not allow_nul and _NUL.search(body):
        raise InvalidRequest("The body holds the character U+0000 in a string")
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidRequest("The body holds half of a surrogate pair in a string") from None


_ONLY_JSON = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def dump_json(value: Any) -> bytes:
    """Return `value` as compact JSON in UTF-8.

    orjson writes it, except for integers beyond 64 bits, which only the standard library can.
    Raises InvalidResult for what JSON has no words for: NaN and infinities (orjson would
    quietly write null), lone surrogates, foreign types. Keys that are not text become text.
    """
    try:
        data = orjson.dumps(value, option=_ONLY_JSON)
    except orjson.JSONEncodeError:
        return _dump_slowly(value)
    # NaN hides as null; only a text that holds one needs the second look.
    return _dump_slowly(value) if b"null" in data else data


def _dump_slowly(value: Any) -> bytes:
    try:
        return _encode(value).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidResult(log=f"not JSON: {error}") from None
