"""How a JSON Schema nests, and what that can cost.

Validators answer yes or no in time that the schema's author decides: two references
to the same definition double the work, twenty such steps make a million of it. So
before a schema is used its *weight* is taken: how many subschemas can meet at one
place of an instance when every `$ref` is followed. Naming every mistake costs more
than a yes or no, and more for a larger instance; `visits` counts that beforehand.

Both need to know which keywords hold schemas (JSON Schema core, section 10), and
whether these apply to the same value or to one below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.core.located import Path

# `dependencies` is of older drafts; jsonschema-rs still enforces it.
_APPLIED_HERE = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies"})
_APPLIED_BELOW = frozenset(
    {
        "properties",
        "patternProperties",
        "additionalProperties",
        "propertyNames",
        "unevaluatedProperties",
        "prefixItems",
        "items",
        "contains",
        "unevaluatedItems",
    }
)
_ONLY_KEPT = frozenset({"$defs", "definitions", "contentSchema"})
_NAMED = frozenset({"properties", "patternProperties", "dependentSchemas", "dependencies", "$defs", "definitions"})
_ALTERNATIVES = frozenset({"properties", "prefixItems"})  # of these one at most applies to one value below

#: Where references lead: the id() of the object that holds references -> the schemas they mean.
Targets = Mapping[int, list[Any]]


def children(schema: Any) -> Iterator[tuple[Path, Any]]:
    """Yield the path and the schema of each direct subschema; nothing is followed."""
    if not isinstance(schema, dict):
        return
    for keyword in schema.keys() & (_APPLIED_HERE | _APPLIED_BELOW | _ONLY_KEPT):
        value = schema[keyword]
        if isinstance(value, dict) and keyword in _NAMED:
            yield from (((keyword, name), child) for name, child in value.items())
        elif isinstance(value, list):
            yield from (((keyword, index), child) for index, child in enumerate(value))
        else:
            yield (keyword,), value


def walk(schema: Any) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield every subschema that is an object, the root first, with its path."""
    waiting: list[tuple[Path, Any]] = [((), schema)]
    while waiting:
        path, part = waiting.pop()
        if isinstance(part, dict):
            yield path, part
            waiting.extend(((*path, *step), child) for step, child in children(part))


def keywords(path: Path) -> Iterator[str]:
    """Yield the keywords that lead down `path`, without names and indexes."""
    steps = iter(path)
    for step in steps:
        if isinstance(step, str):
            yield step
            if step in _NAMED:
                next(steps, None)


def references(schema: Any) -> tuple[Targets, list[tuple[Path, str]]]:
    """Follow every reference within `schema`: the targets, and path and text of each that leads nowhere.

    A `$dynamicRef` is taken for where it leads when nothing overrides it.
    """
    from referencing import Registry
    from referencing.exceptions import NoSuchResource, Unresolvable
    from referencing.jsonschema import DRAFT202012

    targets: dict[int, list[Any]] = {}
    lost: list[tuple[Path, str]] = []
    root = DRAFT202012.create_resource(schema)
    registry: Any = Registry()
    waiting: list[tuple[Path, Any, Any]] = [((), schema, registry.resolver_with_root(root))]
    while waiting:
        path, part, resolver = waiting.pop()
        if not isinstance(part, dict):
            continue
        if path and "$id" in part:
            resolver = resolver.in_subresource(DRAFT202012.create_resource(part))
        for keyword in part.keys() & {"$ref", "$dynamicRef"}:
            try:
                targets.setdefault(id(part), []).append(resolver.lookup(part[keyword]).contents)
            except (Unresolvable, NoSuchResource, ValueError):
                lost.append(((*path, keyword), part[keyword]))
        waiting.extend(((*path, *step), child, resolver) for step, child in children(part))
    return targets, lost


class TooHeavyError(Exception):
    """A schema whose parts multiply, or nest through references, beyond what is allowed."""


class _Scale:
    def __init__(self, targets: Targets, limit: int, depth: int) -> None:
        self.targets, self.limit, self.depth = targets, limit, depth
        self.known: dict[int, int] = {}

    def weigh(self, part: Any, level: int = 0) -> int:
        if not isinstance(part, dict):
            return 1
        if id(part) not in self.known:
            self.known[id(part)] = 1
            if level > self.depth:
                raise TooHeavyError
            self.known[id(part)] = self._sum(part, level + 1)
            if self.known[id(part)] > self.limit:
                raise TooHeavyError
        return self.known[id(part)]

    def _sum(self, part: dict[str, Any], level: int) -> int:
        total = 1 + sum(self.weigh(target, level) for target in self.targets.get(id(part), ()))
        largest: dict[str, int] = {}
        for path, child in children(part):
            keyword = str(path[0])
            if keyword in _ALTERNATIVES:
                largest[keyword] = max(self.weigh(child, level), largest.get(keyword, 0))
            elif keyword not in _ONLY_KEPT:
                total += self.weigh(child, level)
        return total + sum(largest.values())


def weight(schema: Any, targets: Targets, *, limit: int, depth: int) -> int:
    """Return how many subschemas of `schema` can meet at one place of an instance, references followed.

    A reference back to where it stands counts once (jsonschema-rs remembers what it decided there).
    Raises TooHeavyError where it is more than `limit`, or where references nest deeper than `depth`.
    """
    return _Scale(targets, limit, depth).weigh(schema)


def visits(schema: Any, instance: Any, targets: Targets, limit: int, pattern: int = 1) -> int:
    """Count the pairs of a subschema and a value that naming every mistake of `instance` looks at.

    An enumeration counts by its length, since each mistake carries a copy; a `pattern` counts
    as told. Stops soon after `limit`.
    """
    count = 0
    waiting = [(schema, instance)]
    while waiting and count <= limit:
        part, value = waiting.pop()
        count += 1
        if not isinstance(part, dict):
            continue
        count += len(part.get("enum", ())) // 10 + pattern * ("pattern" in part)
        waiting.extend((target, value) for target in targets.get(id(part), ()))
        waiting.extend((child, value) for path, child in children(part) if path[0] in _APPLIED_HERE)
        if isinstance(value, dict):
            waiting.extend(_pairs_of_object(part, value))
        elif isinstance(value, list):
            waiting.extend(_pairs_of_array(part, value))
    return count


def _pairs_of_object(schema: dict[str, Any], value: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    properties = schema.get("properties", {})
    yield from ((properties[name], item) for name, item in value.items() if name in properties)
    for keyword in schema.keys() & {"additionalProperties", "unevaluatedProperties"}:
        yield from ((schema[keyword], item) for name, item in value.items() if name not in properties)
    for child in schema.get("patternProperties", {}).values():
        yield from ((child, item) for item in value.values())
    if "propertyNames" in schema:
        yield from ((schema["propertyNames"], name) for name in value)


def _pairs_of_array(schema: dict[str, Any], value: list[Any]) -> Iterator[tuple[Any, Any]]:
    first = schema.get("prefixItems", [])
    yield from zip(first, value, strict=False)
    for keyword in schema.keys() & {"items", "contains", "unevaluatedItems"}:
        yield from ((schema[keyword], item) for item in value[len(first) if keyword == "items" else 0 :])
