"""A rule that a value breaks, and how a person or a model is told.

The judge names the rule and its facts; the words are ours, so that they stay the
same whatever library judges, and so that it is settled here how much of a value an
error may repeat: at most 100 characters, none of a secret, no control character.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.core.located import Path

#: The most that an error repeats of what somebody sent.
SHOWN = 100
_LISTED = 20
_PLAIN_WORD = re.compile(r"[\w.:/@+-]{1,100}")


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that an instance breaks.

    `path` leads to the value in the instance, `keyword` is the rule (`type`,
    `required`, ..., or `schema` where naming the rules would cost too much), `facts`
    are the library's own members for this kind (`property`, `unexpected`, `limit`, ...),
    `value` is what was found, `branches` are the violations of each alternative of an
    `anyOf` or `oneOf`, or those of the one name that `propertyNames` refuses. `rule`
    leads to the keyword in the schema, as far as that lies within one resource, and is
    empty where it is not known.
    """

    path: Path
    keyword: str
    value: Any
    facts: Mapping[str, Any]
    message: str
    branches: tuple[tuple[Violation, ...], ...] = ()
    rule: Path = ()


def holder(violation: Violation, schema: Any) -> Mapping[str, Any]:
    """Return the part of `schema` that holds the broken rule, empty where its place is not known."""
    part = schema
    for step in violation.rule[:-1]:
        try:
            part = part[step]
        except (KeyError, IndexError, TypeError):  # within a resource with an $id of its own
            return {}
    return part if violation.rule and isinstance(part, dict) else {}


def predicate(violation: Violation, *, show: bool = True) -> str:
    """Say what a violation asks for, as the end of a sentence about the value: `must be at least 5, not 3`.

    With `show` false nothing of the value is repeated, not even its length. Rules without
    words of their own read `breaks the rule 'x'`.
    """
    words = _WORDS.get(violation.keyword)
    if words is None:
        return f"breaks the rule {violation.keyword!r}"
    must, found = words(violation.facts), _FOUND.get(violation.keyword)
    return must + found(violation.value, show) if found else must


def cut(text: str) -> str:
    """Return `text`, or as much of it as may be shown."""
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def quoted(text: str) -> str:
    """Return `text` in quotes, cut to what may be shown, control characters escaped."""
    return repr(cut(text))


def shown(value: Any) -> str:
    """Return a short form of any JSON value: text in quotes, the rest as JSON, cut to what may be shown."""
    return quoted(value) if isinstance(value, str) else cut(json.dumps(value, default=str))


def constant(value: Any) -> str:
    """Write a value that a schema allows: a plain word as it is, all else as JSON."""
    if isinstance(value, str) and _PLAIN_WORD.fullmatch(value):
        return value
    return cut(json.dumps(value, ensure_ascii=False))


def listed(words: Iterable[str], last: str = "or") -> str:
    """Write `a, b or c`."""
    *first, final = words
    return f"{', '.join(first)} {last} {final}" if first else final


def type_of(value: Any) -> str:
    """Name the JSON type of `value` with its article."""
    return TYPES[_TYPE_OF.get(type(value), "object")]


#: The types of JSON Schema and what each is called in a sentence.
TYPES = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "a boolean",
    "array": "an array",
    "object": "an object",
    "null": "null",
}
_TYPE_OF = {str: "string", int: "number", float: "number", bool: "boolean", list: "array", type(None): "null"}

#: What a format asks for, in words.
_FORMATS = {
    "date": "a date like 2026-01-31",
    "date-time": "a date and time like 2026-01-31T15:00:00Z",
    "time": "a time like 15:00:00Z",
    "duration": "a duration like P1DT2H",
    "email": "an email address",
    "idn-email": "an email address",
    "hostname": "a host name",
    "idn-hostname": "a host name",
    "ipv4": "an IPv4 address",
    "ipv6": "an IPv6 address",
    "uri": "an absolute URI like https://example.com/x",
    "uri-reference": "a URI reference",
    "iri": "an absolute IRI",
    "iri-reference": "an IRI reference",
    "uri-template": "a URI template (RFC 6570)",
    "uuid": "a UUID",
    "json-pointer": "a JSON Pointer",
    "relative-json-pointer": "a relative JSON Pointer",
    "regex": "a regular expression",
}


def types_wanted(types: Sequence[str]) -> str:
    """Write a list of JSON types as words, null last."""
    return listed(TYPES.get(name, name) for name in sorted(types, key="null".__eq__))


def _count(limit: Any, one: str) -> str:
    return f"{limit} {one}" if limit == 1 else f"{limit} {one}s"


def _at_least(one: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda facts: f"must have at least {_count(facts['limit'], one)}"


def _at_most(one: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda facts: f"must have at most {_count(facts['limit'], one)}"


def _options(facts: Mapping[str, Any]) -> str:
    options = facts["options"]
    more = f" (and {len(options) - _LISTED} more)" if len(options) > _LISTED else ""
    words = ", ".join(map(constant, options[:_LISTED]))
    return f"must be one of {words}{more}" if len(options) > 1 else f"must be {words}"


_WORDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "type": lambda facts: f"must be {types_wanted(facts['types'])}",
    "enum": _options,
    "const": lambda facts: f"must be {constant(facts['expected_value'])}",
    "pattern": lambda facts: f"must match the pattern {facts['pattern']}",
    "format": lambda facts: f"must be {_FORMATS.get(facts['format'], 'a valid ' + facts['format'])}",
    "minLength": _at_least("character"),
    "maxLength": _at_most("character"),
    "minimum": lambda facts: f"must be at least {facts['limit']}",
    "maximum": lambda facts: f"must be at most {facts['limit']}",
    "exclusiveMinimum": lambda facts: f"must be more than {facts['limit']}",
    "exclusiveMaximum": lambda facts: f"must be less than {facts['limit']}",
    "multipleOf": lambda facts: f"must be a multiple of {facts['multiple_of']}",
    "minItems": _at_least("item"),
    "maxItems": _at_most("item"),
    "uniqueItems": lambda facts: "must not hold the same item twice",
    "contains": lambda facts: "does not hold the right number of the items it should",
    "minProperties": _at_least("member"),
    "maxProperties": _at_most("member"),
    "unevaluatedItems": lambda facts: "has more items than it may have",
    "falseSchema": lambda facts: "must not be given",
    "not": lambda facts: "has a value that is not allowed",
    "schema": lambda facts: "does not match its schema",
}


def _not_this(value: Any, show: bool) -> str:
    if not show or isinstance(value, dict | list):
        return ""
    return f", not {shown(value)}"


def _not_this_type(value: Any, show: bool) -> str:
    # "An integer, not a number" would puzzle: 2.5 itself says what is wrong.
    return _not_this(value, show) if show and type(value) is float else f", not {type_of(value)}"


def _not_so_many(value: Any, show: bool) -> str:
    return f", not {len(value)}" if show else ""


_FOUND: Mapping[str, Callable[[Any, bool], str]] = {
    "type": _not_this_type,
    "pattern": _not_this,
    "format": _not_this,
    "minimum": _not_this,
    "maximum": _not_this,
    "exclusiveMinimum": _not_this,
    "exclusiveMaximum": _not_this,
    "multipleOf": _not_this,
    "minLength": _not_so_many,
    "maxLength": _not_so_many,
    "minItems": _not_so_many,
    "maxItems": _not_so_many,
    "minProperties": _not_so_many,
    "maxProperties": _not_so_many,
}
