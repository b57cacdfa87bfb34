"""What is done to arguments before they are judged: defaults filled in, 5.0 read as the integer 5.

Both are settled by the schema alone, so the schema is turned once into a tree of the
places where there is anything to do, with every `$ref` and `allOf` followed. A default
inside an `anyOf`, `oneOf` or `then` is left alone, since it depends on which of them is
meant; an integer is one there too, because 5.0 and 5 are the same number to JSON Schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from bridge.core.subschemas import Targets

#: Beyond this a float no longer tells one integer from the next.
_EXACT = 2.0**53

# Below these are schemas for the same value.
_LEADING_ON = frozenset(("$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "then", "else", "dependentSchemas"))

# A subschema that applies at a place, and whether it does so in any case.
_Rule = tuple[dict[str, Any], bool]


@dataclass(slots=True)
class Completion:
    """What to do at one place of the arguments and below it; `others` is for members that are not `declared`."""

    integer: bool = False
    defaults: dict[str, Any] = field(default_factory=dict)
    members: dict[str, Completion] = field(default_factory=dict)
    others: Completion | None = None
    declared: frozenset[str] = frozenset()
    first: list[Completion | None] = field(default_factory=list)
    items: Completion | None = None

    def complete(self, value: Any) -> Any:
        """Return `value` completed; what changes is copied, the given value stays as it is."""
        if isinstance(value, dict):
            return self._complete_object(value)
        if isinstance(value, list):
            return self._complete_array(value)
        if self.integer and type(value) is float and value.is_integer() and -_EXACT <= value <= _EXACT:
            return int(value)
        return value

    def _complete_object(self, given: dict[str, Any]) -> dict[str, Any]:
        completed = dict(given)
        for name, below in self.members.items():
            if name in given:
                completed[name] = below.complete(given[name])
        for name, default in self.defaults.items():
            if name not in given:
                completed[name] = fresh(default)
        if self.others is not None:
            for name in given.keys() - self.declared:
                completed[name] = self.others.complete(given[name])
        return completed

    def _complete_array(self, given: list[Any]) -> list[Any]:
        if not self.first:
            return given if self.items is None else [self.items.complete(item) for item in given]
        below = [*self.first[: len(given)], *[self.items] * (len(given) - len(self.first))]
        return [item if each is None else each.complete(item) for each, item in zip(below, given, strict=True)]


def fresh(value: Any) -> Any:
    """Return `value` itself where nobody can change it, else a copy."""
    return deepcopy(value) if isinstance(value, dict | list) else value


# One for all: it is the commonest by far.
_INTEGER = Completion(integer=True)


def completion_of(schema: Any, targets: Targets) -> Completion | None:
    """Return what there is to do for `schema`, None if nothing; `targets` as `references` gives them."""
    return _Builder(targets).build([(schema, True)])


class _Builder:
    def __init__(self, targets: Targets) -> None:
        self.targets = targets
        self.known: dict[frozenset[tuple[int, bool]], Completion | None] = {}

    def build(self, schemas: list[tuple[Any, bool]]) -> Completion | None:
        rules = list(self._applying(schemas))
        if not rules:
            return None
        key = frozenset((id(rule), sure) for rule, sure in rules)
        if key in self.known:  # the schema refers back to here
            return self.known[key]
        here = self.known[key] = Completion(integer=_is_integer(rules))
        self._add_members(here, rules)
        self._add_items(here, rules)
        if here == Completion():
            self.known[key] = None
        elif here == _INTEGER:
            self.known[key] = _INTEGER
        return self.known[key]

    def _applying(self, schemas: list[tuple[Any, bool]]) -> Iterator[_Rule]:
        seen: set[tuple[int, bool]] = set()
        waiting = list(reversed(schemas))
        while waiting:
            schema, sure = waiting.pop()
            if not isinstance(schema, dict) or (id(schema), sure) in seen:
                continue
            seen.add((id(schema), sure))
            yield schema, sure
            if _LEADING_ON.isdisjoint(schema):
                continue
            waiting += [(part, sure) for part in (*self.targets.get(id(schema), ()), *schema.get("allOf", ()))]
            waiting += [(part, False) for word in ("anyOf", "oneOf") for part in schema.get(word, ())]
            waiting += [(schema[word], False) for word in ("then", "else") if word in schema]
            waiting += [(part, False) for part in schema.get("dependentSchemas", {}).values()]

    def _add_members(self, here: Completion, rules: list[_Rule]) -> None:
        declared: dict[str, list[tuple[Any, bool]]] = {}
        others: list[tuple[Any, bool]] = []
        for rule, sure in rules:
            for name, part in rule.get("properties", {}).items():
                declared.setdefault(name, []).append((part, sure))
            patterns = rule.get("patternProperties", {})
            others += [(part, False) for part in patterns.values()]
            others.append((rule.get("additionalProperties"), sure and not patterns))
        for name, parts in declared.items():
            below = self.build(parts)
            if below is not None:
                here.members[name] = below
            for part in (part for part, sure in self._applying(parts) if sure and "default" in part):
                here.defaults.setdefault(name, below.complete(part["default"]) if below else part["default"])
        here.others = self.build(others)
        if here.others is not None:
            here.declared = frozenset(declared)

    def _add_items(self, here: Completion, rules: list[_Rule]) -> None:
        here.items = self.build([(rule.get("items"), sure) for rule, sure in rules])
        rows = [(rule.get("prefixItems", ()), sure) for rule, sure in rules]
        for index in range(max((len(row) for row, _ in rows), default=0)):
            here.first.append(self.build([(row[index], sure) for row, sure in rows if index < len(row)]))


def _is_integer(rules: list[_Rule]) -> bool:
    wanted: set[str] = set()
    for rule, _ in rules:
        types = rule.get("type", ())
        wanted.update([types] if isinstance(types, str) else types)
    return "integer" in wanted and "number" not in wanted
