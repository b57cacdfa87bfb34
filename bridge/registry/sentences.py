"""What a broken rule of the registry's schemas is in a person's words, and at which key or value it is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bridge.core.located import Path, did_you_mean
from bridge.core.schemas import Violation
from bridge.core.violations import listed, predicate, quoted
from bridge.registry.scalars import called

_WORDS = re.compile(r"\^\(([a-z|]+)\)\$").fullmatch
_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}


class Sentence(NamedTuple):
    """One mistake: the path to it, the words, and whether the key is meant rather than its value."""

    path: Path
    message: str
    key: bool = False
    code: str = "registry/value"


def sentences(violation: Violation, schema: Mapping[str, Any], *, show: bool) -> Iterator[Sentence]:
    """Yield what a person is told of `violation` of `schema`; with `show` false nothing of the value is repeated."""
    node = holder(violation.branches[0][0] if violation.keyword == "propertyNames" else violation, schema)
    words = _KEYWORDS.get(violation.keyword)
    if words is not None:
        yield from words(violation, node, show)
    else:
        yield Sentence(violation.path, predicate(violation, show=show))


def holder(violation: Violation, schema: Any) -> Mapping[str, Any]:
    """Return the part of `schema` that holds the broken rule: its title and examples say what is wanted."""
    for step in violation.rule[:-1]:
        schema = schema[step]
    return schema if isinstance(schema, Mapping) else {}


def _unknown(violation: Violation, node: Mapping[str, Any], show: bool) -> Iterator[Sentence]:
    known = node.get("properties", {})
    for name in violation.facts["unexpected"]:
        first, colon, _ = name.partition(":")
        near = f" (write '{first}: ', with a space)" if colon and first in known else did_you_mean(name, known)
        yield Sentence((*violation.path, name), f"unknown member {quoted(name)}{near}", True, "registry/unknown_member")


def _missing(violation: Violation, node: Mapping[str, Any], show: bool) -> Iterator[Sentence]:
    said = f"missing member {violation.facts['property']!r}"
    yield Sentence(violation.path, said, True, "registry/missing_member")


def _alternatives(violation: Violation, node: Mapping[str, Any], show: bool) -> Iterator[Sentence]:
    names = [repr(branch[0].facts.get("property")) for branch in violation.branches]
    yield Sentence(violation.path, f"missing member {listed(names)}", True, "registry/missing_member")


def _type(violation: Violation, node: Mapping[str, Any], show: bool) -> Iterator[Sentence]:
    wanted = node.get("title") or listed(_TYPES[name] for name in violation.facts["types"])
    quote = "; quote it" if wanted == "text" and isinstance(violation.value, bool | int | float) else ""
    said = f"expected {wanted}, found {_found(violation.value, show)}{quote}"
    yield Sentence(violation.path, said, code="registry/type")


def _enum(violation: Violation, node: Mapping[str, Any], show: bool) -> Iterator[Sentence]:
    yield Sentence(violation.path, _one_of(violation.facts["options"], violation.value, show))


def _constant(violation: Violation, node: Mapping[str, Any], show: bool) -> Iterator[Sentence]:
    wanted, found = violation.facts["expected_value"], _found(violation.value, show)
    yield Sentence(violation.path, f"expected {wanted}, found {found}")


def _pattern(violation: Violation, node: Mapping[str, Any], show: bool) -> Iterator[Sentence]:
    wanted = node.get("title", f"text that matches {violation.facts['pattern']}")
    if words := _WORDS(violation.facts["pattern"]):
        near = did_you_mean(violation.value, words[1].split("|")) if show else ""
        yield Sentence(violation.path, f"expected {wanted}, found {_found(violation.value, show)}{near}")
    else:
        yield Sentence(violation.path, f"expected {wanted}, found {_found(violation.value, show)}")


def _name(violation: Violation, node: Mapping[str, Any], show: bool) -> Iterator[Sentence]:
    name = violation.branches[0][0].value
    said = f"expected {node.get('title', 'another name')}, found {_found(name, True)}"
    yield Sentence((*violation.path, name), said, True)


def _empty(violation: Violation, node: Mapping[str, Any], show: bool) -> Iterator[Sentence]:
    said = "must not be empty" if violation.facts["limit"] == 1 else predicate(violation, show=show)
    yield Sentence(violation.path, said)


def _one_of(options: list[Any], value: Any, show: bool) -> str:
    near = did_you_mean(value, options) if show and isinstance(value, str) else ""
    return f"expected {listed(map(str, options))}, found {_found(value, show)}{near}"


def _found(value: Any, show: bool) -> str:
    if not show or isinstance(value, dict | list | bool | None):
        return called(value)
    if isinstance(value, str):
        return quoted(value) if value else "empty text"
    return f"the number {value}"


_KEYWORDS = {
    "additionalProperties": _unknown,
    "required": _missing,
    "anyOf": _alternatives,
    "type": _type,
    "enum": _enum,
    "const": _constant,
    "pattern": _pattern,
    "propertyNames": _name,
    "minLength": _empty,
    "minItems": _empty,
}
