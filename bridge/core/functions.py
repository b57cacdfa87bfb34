"""What the registry's own functions do, and the few ways to treat a JSON value that they share.

Whatever a function returns can be sent as JSON: no NaN or infinity, no number
beyond 64 bits, no text that grew beyond a mebibyte.
"""

from __future__ import annotations

import base64 as base64_codec
import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from jmespath.visitor import TreeInterpreter

from bridge.core import moments
from bridge.core.parsing import dump_json
from bridge.core.parsing import parse_json as strict_parse
from bridge.core.signatures import bounded, function
from bridge.errors import InvalidRequest

MAX_ITEMS = 10_000

# Enough for any two JSON numbers written out, from 1e308 down to 1e-60.
_EXACT = Context(prec=400)
_PATH = re.compile(r"@|[^\s.@\[\](){}*?|&`'\"]+(\.[^\s.@\[\](){}*?|&`'\"]+)*")
_equal = TreeInterpreter.COMPARATOR_FUNC["eq"]


def as_text(value: Any) -> str:
    """Return `value` as it stands inside text: null is empty, text as it is, all else compact JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else dump_json(value).decode()


def read_json(text: str) -> Any:
    """Parse JSON that can be sent on as JSON. Raises ValueError with a sentence."""
    try:
        return strict_parse(text.encode(), allow_nul=True)
    except (InvalidRequest, UnicodeEncodeError):
        raise ValueError("the text is not JSON, or is more than can be read") from None


def truthy(value: Any) -> bool:
    """JMESPath's truth: null, false, empty text, an empty array and an empty object are false; zero is true."""
    return not (value is None or value is False or value == "" or value == [] or value == {})


def follow(value: Any, names: Iterable[str]) -> Any:
    """Return what the plain path `names` leads to, null where a member is missing or nothing has members."""
    for name in names:
        try:
            value = value.get(name)
        except AttributeError:
            return None
    return value


def _path(text: str) -> tuple[str, ...]:
    if not _PATH.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a path (names joined by dots, or '@' for the item itself)")
    return () if text == "@" else tuple(text.split("."))


@function("array", "text", "any", literals={1: _path})
def where(array: list[Any], path: str, value: Any) -> list[Any]:
    """Return the items whose `path` equals `value`."""
    names = _path(path)
    return [item for item in array if _equal(follow(item, names), value)]


@function("array", "text", "any", literals={1: _path})
def find(array: list[Any], path: str, value: Any) -> Any:
    """Return the first item whose `path` equals `value`, or null."""
    names = _path(path)
    return next((item for item in array if _equal(follow(item, names), value)), None)


@function("any", "any", "any", name="if", nulls=True)
def choose(condition: Any, yes: Any, no: Any) -> Any:
    """Return `yes` or `no`."""
    return yes if truthy(condition) else no


@function("any", variadic=True)
def concat(*values: Any) -> str:
    """Join the values, each as it would stand inside text; null if one of them is null."""
    texts = list(map(as_text, values))
    bounded(sum(map(len, texts)))
    return "".join(texts)


def _escaped(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(char) or (char if char >= " " else f"\\u{ord(char):04x}") for char in text)


_SOQL = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_JQL = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_XML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}
_XML |= {"\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
# XML 1.0 section 2.2, Char.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _xml(text: str) -> str:
    if _NOT_XML.search(text):
        raise ValueError("the text holds a character that XML cannot carry")
    return "".join(_XML.get(char, char) for char in text)


# Sources: SOQL "Quoted String Escape Sequences", Jira "Advanced search reference", OData 4.01
# ABNF (SQUOTE-in-string), GraphQL October 2021 section 2.9.4 (the same escapes as JSON).
_LANGUAGES = {
    "soql": lambda text: f"'{_escaped(text, _SOQL)}'",
    "jql": lambda text: f'"{_escaped(text, _JQL)}"',
    "odata": lambda text: "'" + text.replace("'", "''") + "'",
    "graphql": lambda text: dump_json(text).decode(),
    "xml": _xml,
}


def _language(name: str) -> None:
    if name not in _LANGUAGES:
        raise ValueError(f"{name[:40]!r} is not one of {', '.join(sorted(_LANGUAGES))}")


@function("text|number|boolean", "text", literals={1: _language})
def quote(value: Any, language: str) -> str:
    """Return `value` as a literal of a query language: text with its quotes around it, escaped.

    So it is written without quotes: `WHERE Name = ${{ quote(params.name, 'soql') }}`. A number or
    a boolean stands as it is. In `xml` there are no quotes: the result fits an element and an attribute.
    Wildcards of LIKE and ~ keep their meaning.
    """
    _language(language)
    text = as_text(value)
    quoted = _LANGUAGES[language](text) if isinstance(value, str) else text
    bounded(len(quoted))
    return quoted


def _decimal(number: float) -> Decimal:
    return Decimal(number) if isinstance(number, int) else Decimal(repr(number))


def _number(exact: Decimal, *operands: float) -> float:
    whole = all(isinstance(operand, int) for operand in operands) and exact == exact.to_integral_value()
    return int(exact) if whole else float(exact)


@function("number", "number")
def add(a: float, b: float) -> float:
    """Return a + b as it is written out: `0.1 + 0.2` is 0.3. Integers stay integers."""
    return _number(_EXACT.add(_decimal(a), _decimal(b)), a, b)


@function("number", "number")
def sub(a: float, b: float) -> float:
    """Return a - b, exact like `add`."""
    return _number(_EXACT.subtract(_decimal(a), _decimal(b)), a, b)


@function("number", "number")
def mul(a: float, b: float) -> float:
    """Return a * b, exact like `add`."""
    return _number(_EXACT.multiply(_decimal(a), _decimal(b)), a, b)


@function("number", "number")
def div(a: float, b: float) -> float:
    """Return a / b; an integer where both are and nothing is left over. Dividing by zero is an error."""
    if b == 0:
        raise ValueError("division by zero")
    return _number(_EXACT.divide(_decimal(a), _decimal(b)), a, b)


@function("number", "number", name="round", optional=1)
def round_half_up(number: float, digits: float | None = None) -> float:
    """Round to `digits` decimals (-15 to 15, none unless given), halves away from zero, as on an invoice.

    Without decimals the result is an integer.
    """
    places = digits or 0
    if places != int(places) or not -15 <= places <= 15:
        raise ValueError("digits is a whole number from -15 to 15")
    exact = _decimal(number).quantize(Decimal(1).scaleb(-int(places)), ROUND_HALF_UP, _EXACT)
    return int(exact) if places <= 0 or isinstance(number, int) else float(exact)


@function("array|object")
def compact(value: Any) -> Any:
    """Return an array without its nulls, or an object without the members that are null; only the top level."""
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if item is not None}
    return [item for item in value if item is not None]


def _not_empty(text: str) -> None:
    if not text:
        raise ValueError("the text to look for is empty")


@function("text", "text", literals={1: _not_empty})
def split(text: str, separator: str) -> list[str]:
    """Return the parts of `text` between the separators."""
    _not_empty(separator)
    bounded(text.count(separator) + 1, MAX_ITEMS, "items")
    return text.split(separator)


@function("text", "text", "text", literals={1: _not_empty})
def replace(text: str, old: str, new: str) -> str:
    """Return `text` with every `old` replaced by `new`."""
    _not_empty(old)
    bounded(len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


@function("text")
def lower(text: str) -> str:
    """Return `text` in lower case."""
    return text.lower()


@function("text")
def upper(text: str) -> str:
    """Return `text` in upper case."""
    return text.upper()


@function("text")
def byte_length(text: str) -> int:
    """Return the length of `text` in bytes of UTF-8."""
    return len(text.encode())


@function("text")
def base64(text: str) -> str:
    """Return the UTF-8 bytes of `text` in base64 (RFC 4648 section 4)."""
    bounded(len(text))
    return base64_codec.b64encode(text.encode()).decode()


@function("text")
def parse_json(text: str) -> Any:
    """Return the value that `text` writes in JSON."""
    return read_json(text)


@function("object")
def to_items(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Return `{a: 1}` as `[{key: a, value: 1}]`, so that it can be filtered."""
    return [{"key": key, "value": item} for key, item in value.items()]


@function("array")
def from_items(items: list[Any]) -> dict[str, Any]:
    """Return `[{key: a, value: 1}]` as `{a: 1}`; the last of two equal keys wins."""
    keys = [follow(item, ("key",)) for item in items]
    if not all(isinstance(key, str) for key in keys):
        raise ValueError("every item needs a `key` that is text")
    return {key: item.get("value") for key, item in zip(keys, items, strict=True)}


@function("text|number", "text", literals={1: moments.seconds})
def date_add(time: str | float, duration: str) -> str | float:
    """Return `time` moved by `duration`, in the form that it came in."""
    return moments.move(time, duration)


@function("text|number", "text", "text", optional=1, literals={1: moments.check_form, 2: moments.zone})
def date_format(time: str | float, form: str, zone: str | None = None) -> str | int:
    """Return `time` as `iso`, `unix`, `unix_ms` or by a strftime pattern, in the zone if one is given."""
    bounded(len(form), 200)
    return moments.write(time, form, zone)
