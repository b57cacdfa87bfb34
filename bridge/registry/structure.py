"""The structure of a registry: JSON Schemas, and what breaks them in a person's words.

`schemas/registry.schema.json` describes the whole file; each kind of backend describes its
own options and its tools' `call` in `schemas/backends/`. The document is looked at entry by
entry (one backend, one tool, one call), so that a large registry costs no more than
its entries, and a call is judged by the kind of backend that it goes to.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from bridge.core.located import Diagnostic, Path, Row, Table, dotted, locate
from bridge.core.schemas import Validator, Violation
from bridge.registry import not_yet
from bridge.registry.references import MISSING, LateText
from bridge.registry.scalars import core_scalar
from bridge.registry.sentences import Sentence, holder, sentences

_HERE = "#/$defs/"
_MAIN = "../registry.schema.json#/$defs/"
# What no text from outside can ever be.
_SHAPES = frozenset(("array", "object"))
_TYPES: Mapping[str, tuple[type, ...]] = {"integer": (int,), "number": (int, float), "boolean": (bool,)}


def check(
    document: Table,
    problems: list[Diagnostic],
    *,
    kinds: Iterable[str],
    unresolved: frozenset[Path] = frozenset(),
    texts: frozenset[Path] = frozenset(),
) -> None:
    """Report what breaks the schemas, but for what is missing from outside or refused by this version.

    Where something is wrong already, by `problems`, nothing is added: one mistake gives one line.
    `kinds` are the kinds of backend there are. `unresolved` are the paths where something from outside is
    missing: what stands there gets the shape that its member wants (in place), so that whoever reads on
    finds a sound document. `texts` are the paths of values that came from outside: they are converted to the
    type that their member wants (in place), and never shown.
    """
    judges = _judges(tuple(kinds))
    checking = _Checking(document, problems, unresolved, texts)
    checking.top(judges)
    for section, judge in judges.entries.items():
        for name, entry in _table(document.get(section)).items():
            checking.name((section, name), judges.names[section])
            checking.part((section, name), entry, judge)
    for name, tool in _table(document.get("tools")).items():
        if (kind := _kind(document, tool)) in judges.calls:
            checking.call(("tools", name), tool, judges.calls[kind])


def bundle(kinds: Iterable[str]) -> dict[str, Any]:
    """Return the registry's schema with the fragments of `kinds` in it: one document that refers to itself only."""
    schema: dict[str, Any] = _read("registry.schema.json")
    definitions = schema["$defs"]
    fragments = {kind: fragment for kind in kinds if (fragment := _fragment(kind))}
    for fragment in fragments.values():
        definitions |= fragment
    definitions["backend"]["properties"]["type"]["enum"] = list(kinds)
    definitions["backend"]["allOf"] = [_where(kind) for kind in fragments]
    definitions["call"]["anyOf"] = [{"$ref": f"{_HERE}{kind}.call"} for kind in fragments]
    return schema


def _read(name: str) -> Any:
    return json.loads(files("bridge.schemas").joinpath(name).read_text("utf-8"))


def _fragment(kind: str) -> dict[str, Any]:
    """Return the definitions of a kind's fragment under names of their own; none for a kind from outside."""
    if not files("bridge.schemas").joinpath(f"backends/{kind}.json").is_file():
        return {}
    return {f"{kind}.{name}": _moved(part, kind) for name, part in _read(f"backends/{kind}.json")["$defs"].items()}


def _moved(node: Any, kind: str) -> Any:
    """Return a part of a fragment with its references as they read within the bundle."""
    if isinstance(node, list):
        return [_moved(item, kind) for item in node]
    if not isinstance(node, dict):
        return node
    moved = {key: _moved(value, kind) for key, value in node.items()}
    if isinstance(target := node.get("$ref"), str):
        own = target.startswith(_HERE)
        moved["$ref"] = f"{_HERE}{kind}.{target.removeprefix(_HERE)}" if own else _HERE + target.removeprefix(_MAIN)
    return moved


def _where(kind: str) -> dict[str, Any]:
    condition = {"properties": {"type": {"const": kind}}, "required": ["type"]}
    return {"if": condition, "then": {"$ref": f"{_HERE}{kind}.backend"}}


@dataclass(frozen=True, slots=True)
class _Judges:
    """The bundle, compiled in parts: the top, names and entries by section, and `call` by kind of backend."""

    top: Validator
    names: Mapping[str, Validator]
    entries: Mapping[str, Validator]
    calls: Mapping[str, Validator]


@cache
def _judges(kinds: tuple[str, ...]) -> _Judges:
    schema = bundle(kinds)
    definitions = schema["$defs"] | {"call": True}  # a call is judged by its backend's kind
    entries, names = {}, {}
    for member, section in schema["properties"].items():
        if isinstance(entry := section.pop("additionalProperties", None), dict):
            entries[member] = Validator(entry | {"$defs": definitions})
            names[member] = Validator({"propertyNames": section.get("propertyNames", True), "$defs": definitions})
    described = [kind for kind in kinds if f"{kind}.call" in definitions]
    calls = {kind: Validator({"$ref": f"{_HERE}{kind}.call", "$defs": definitions}) for kind in described}
    return _Judges(Validator(schema | {"$defs": definitions}), names, entries, calls)


class _Checking:
    """One look at a document; what is wrong goes to `problems`."""

    def __init__(
        self, document: Table, problems: list[Diagnostic], unresolved: frozenset[Path], texts: frozenset[Path]
    ) -> None:
        self._document, self._problems, self._unresolved, self._texts = document, problems, unresolved, texts
        self._known = {problem.path for problem in problems if problem.code != MISSING}

    @cached_property
    def _refused(self) -> frozenset[Path]:
        return not_yet.paths(self._document)

    def top(self, judges: _Judges) -> None:
        """Look at the members of the whole, but not into the entries of its sections."""
        whole = {
            member: {} if member in judges.entries and isinstance(value, Table) else _shown(value)
            for member, value in self._document.items()
        }
        self._judge((), whole, judges.top)

    def name(self, path: Path, judge: Validator) -> None:
        """Look at the name of an entry."""
        self._judge(path[:-1], {path[-1]: None}, judge)

    def part(self, path: Path, value: Any, judge: Validator) -> None:
        """Look at the value at `path`."""
        self._judge(path, _shown(value), judge)

    def call(self, path: Path, tool: Table, judge: Validator) -> None:
        """Look at a tool's `call`; not every kind of backend needs one."""
        if "call" in tool:
            self.part((*path, "call"), tool["call"], judge)
        elif not judge.is_valid(None) and not {"steps", "from"} & tool.keys():
            self._add(Sentence(path, "missing member 'call'", True, "registry/missing_member"))

    def _judge(self, path: Path, value: Any, judge: Validator) -> None:
        if judge.is_valid(value):
            return
        found: dict[Sentence, None] = {}
        changed = False
        for violation in (_named(value, violation) for violation in judge.violations(value)):
            whole = replace(violation, path=(*path, *violation.path))
            if whole.path in self._unresolved and not _SHAPES.issuperset(whole.facts.get("types", ("string",))):
                self._stand_in(whole, judge.schema)
            elif whole.path in self._texts and self._convert(whole):
                changed = True
            else:
                found |= dict.fromkeys(sentences(whole, judge.schema, show=whole.path not in self._texts))
        if changed:
            self.part(path, _at(self._document, path), judge)
            return
        for sentence in found:
            self._add(sentence)

    def _convert(self, violation: Violation) -> bool:
        """Give text from outside the type that its member wants, and say whether that was done."""
        if violation.keyword != "type" or not isinstance(violation.value, str):
            return False
        try:
            value = core_scalar(violation.value)
        except ValueError:
            return False
        if type(value) not in {known for name in violation.facts["types"] for known in _TYPES.get(name, ())}:
            return False
        self._put(violation.path, value)
        return True

    def _stand_in(self, violation: Violation, schema: Any) -> None:
        """Put a value that its member can take where one is missing."""
        node = holder(violation, schema)
        if "examples" in node:
            self._put(violation.path, node["examples"][0])
        elif violation.keyword == "type":
            values = {"integer": node.get("minimum", 1), "boolean": False}
            self._put(violation.path, values.get(violation.facts["types"][0], violation.value))

    def _put(self, path: Path, value: Any) -> None:
        _at(self._document, path[:-1])[path[-1]] = value

    def _add(self, found: Sentence) -> None:
        path = found.path
        if dotted(path) in self._known or any(path[:length] in self._refused for length in range(len(path) + 1)):
            return
        mark = locate(self._document, path, key=found.key)
        self._problems.append(Diagnostic(mark, dotted(path), found.message, found.code))


def _kind(document: Table, tool: Any) -> str:
    """Return the type of the backend that a tool goes to, empty where that cannot be told."""
    backends, backend = _table(document.get("backends")), _table(tool).get("backend")
    kind = _table(backends.get(backend)).get("type") if isinstance(backend, str) else None
    return kind if isinstance(kind, str) else ""


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Table) else {}


def _named(value: Any, violation: Violation) -> Violation:
    """Return `violation` with "404" in its path where that is a name: in a JSON Pointer it looks like an index."""
    path: list[str | int] = []
    for step in violation.path:
        path.append(str(step) if isinstance(value, dict) else step)
        value = value[path[-1]]
    return replace(violation, path=tuple(path))


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def _shown(value: Any) -> Any:
    """Return `value` as JSON has it; text that is late counts as some text."""
    if isinstance(value, Table):
        return {key: _shown(item) for key, item in value.items()}
    if isinstance(value, Row):
        return [_shown(item) for item in value]
    return "late" if isinstance(value, LateText) else value
