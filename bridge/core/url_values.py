"""A value's way into a URL: as one segment of the path, or as query parameters, and as nothing else.

Percent-encoding alone does not keep a value in its segment: servers and proxies drop `..`
before or after they decode. So a value for the path is refused if it, decoded as often as that
changes anything, is empty or a dot segment, or holds a slash (unless allowed), a backslash or a
control character. All else is percent-encoded down to RFC 3986's unreserved characters:
U+2024 or U+FF0E look like dots but are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import quote, unquote

from bridge.core.functions import as_text
from bridge.errors import InvalidParameters

Arrays = Literal["repeat", "brackets", "comma", "indexed"]

_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*")
_HARMLESS = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]*")
# A backslash, the control characters (Unicode's Cc) and halves of surrogate pairs.
_UNSENDABLE = re.compile("[\\\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# What may follow a segment's name: a path parameter; a query or fragment where somebody decodes twice.
_PARAMETERS = re.compile("[;?#]")
_MAX_DECODINGS = 5


class RefusedError(Exception):
    """A value that may not stand in the path; the message is a sentence for the caller."""


def encode_query(pairs: Mapping[str, Any], arrays: Arrays) -> str:
    """Return `pairs` as a query string or a form's body, percent-encoded, so that a value stays one value.

    Null is left out, booleans are `true` and `false`, an object becomes `a[b]`, an array
    repeats its key (`repeat`), or is `a[]`, `a[0]` or joined by commas. Raises
    InvalidParameters for text that is not Unicode (half of a surrogate pair).
    """
    return "&".join([pair for key, value in pairs.items() for pair in encode_pairs(key, value, arrays)])


def encode_pairs(key: str, value: Any, arrays: Arrays) -> Iterator[str]:
    """Yield the `name=value` that one member becomes; see `encode_query`."""
    if value is None:
        return
    if isinstance(value, dict):
        for name, item in value.items():
            yield from encode_pairs(f"{key}[{name}]", item, arrays)
    elif isinstance(value, list) and arrays == "comma":
        items = [_encode(as_text(item)) for item in value if item is not None]
        if items:
            yield f"{_encode(key)}={','.join(items)}"
    elif isinstance(value, list):
        for index, item in enumerate(value):
            suffix = {"brackets": "[]", "indexed": f"[{index}]"}.get(arrays, "")
            yield from encode_pairs(key + suffix, item, arrays)
    else:
        yield f"{_encode(key)}={_encode(as_text(value))}"


def _encode(text: str) -> str:
    # `quote` finds out the same, six times slower, and most names and many values are so.
    if _UNRESERVED.fullmatch(text):
        return text
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise InvalidParameters("A text holds half of a character") from None


def encode_segment(name: str, value: Any, *, slashes: bool = False, reserved: bool = False) -> str:
    """Return the value of parameter `name` for its segment, percent-encoded. Raises RefusedError.

    With `slashes` it may hold slashes; they are sent as they are if `reserved`, else as `%2F`.
    """
    if value is None:
        raise RefusedError(f"Missing required parameter {name!r}")
    if isinstance(value, list | dict):
        raise RefusedError(f"Parameter {name!r} must be text, a number or a boolean")
    text = as_text(value)
    if _HARMLESS.fullmatch(text):
        return text
    problem = _problem_at_any_depth(text, slashes)
    if problem:
        raise RefusedError(f"Parameter {name!r} {problem}")
    return quote(text, safe="/" if reserved else "")


def _problem_at_any_depth(text: str, slashes: bool) -> str | None:
    for _ in range(_MAX_DECODINGS):
        problem = _problem(text, slashes)
        decoded = unquote(text)
        if problem or decoded == text:
            return problem
        text = decoded
    return "is percent-encoded too often"


def _problem(text: str, slashes: bool) -> str | None:
    if not text:
        return "must not be empty"
    if _UNSENDABLE.search(text):
        return "must not hold a backslash, a control character or half of a character"
    if "/" in text and (not slashes or text[0] == "/"):
        return "must not begin with a slash" if slashes else "must not hold a slash"
    if any(map(is_dots, text.split("/"))):
        return "must not be '.' or '..', nor hold such a segment"
    return None


def is_dots(segment: str) -> bool:
    """Say whether a server may take `segment` for a dot segment; Java's cut parameters off first (`..;x`)."""
    name = _PARAMETERS.split(segment, maxsplit=1)[0].strip()
    return name in (".", "..") or (not name and segment.lstrip()[:1] == ";")
