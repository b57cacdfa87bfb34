"""JSON Schema (draft 2020-12): compile, judge, name every mistake. The only importer of jsonschema-rs.

jsonschema-rs alone judges, instances and schemas (against the metaschema) alike, so
the two never disagree; formats are asserted. The schema's author does not decide how
long that takes, nor whom it talks to:

- Nothing is ever fetched for a `$ref`; it leads within the schema or is a mistake.
- Patterns run on the linear engine. One that needs look-around or back-references gets
  the backtracking one, which gives up after a number of steps (that counts as no match);
  a step may cost the whole text, so such a pattern takes at most 1,000 characters.
- Size, depth and weight (see subschemas.py) of a schema are bounded when it is compiled;
  where naming every mistake of an instance would cost too much, it names the parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from copy import deepcopy
from functools import cache
from itertools import islice
from typing import Any

import jsonschema_rs
from jsonschema_rs import FancyRegexOptions, RegexOptions

from bridge.core.located import Path, did_you_mean, plain
from bridge.core.subschemas import Targets, TooHeavyError, keywords, references, visits, walk, weight
from bridge.core.violations import TYPES, Violation, predicate, quoted, shown

__all__ = ["Schema", "SchemaError", "Validator", "Violation", "mistakes"]

Schema = Mapping[str, Any] | bool

MAX_DEPTH = 64
MAX_NODES = 100_000
MAX_WEIGHT = 10_000
MAX_REFERENCES = 100
#: Naming mistakes may look at this many pairs of a rule and a value; where it is done in
#: parts, at these; and a pattern that may backtrack counts as so many.
MAX_VISITS = 10_000
_PART_VISITS = 500
_PARTS = 20
_BACKTRACKING_VISITS = 200
#: What a pattern with look-around may be given, in characters, and its engine's steps.
MAX_BACKTRACKED = 1_000
_STEPS = 5_000
_STRICT: Mapping[str, Any] = {"validate_formats": True, "offline": True}
_LINEAR: Mapping[str, Any] = {"pattern_options": RegexOptions(), **_STRICT}
_BACKTRACKING: Mapping[str, Any] = {"pattern_options": FancyRegexOptions(backtrack_limit=_STEPS), **_STRICT}
#: Below these a pattern that gives up would let a value pass.
_TURNS = frozenset({"not", "if"})
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class SchemaError(Exception):
    """A schema that cannot be used; `path` leads to the place within it."""

    def __init__(self, message: str, path: Path = ()) -> None:
        super().__init__(message)
        self.message = message
        self.path = path


class Validator:
    """A compiled schema. Raises SchemaError where the schema cannot be compiled.

    It may be used from any thread. `targets` says where the references in `schema` lead.
    """

    __slots__ = ("_judge", "_judged", "_options", "schema", "targets")
    _judge: jsonschema_rs.Validator | None

    def __init__(self, schema: Schema) -> None:
        self.schema, self.targets, wrong = _examine(schema)
        for mistake in wrong:
            raise mistake
        self._judged: Any = self.schema
        self._options = _LINEAR
        try:
            self._judge = jsonschema_rs.Draft202012Validator(self._judged, **self._options)
        except ValueError:  # no mistake, so a pattern that the linear engine cannot run
            self._judged = _guarded(self.schema)
            self._options = _BACKTRACKING
            self._judge = _compile(self._judged, self._options)

    @property
    def _compiled(self) -> jsonschema_rs.Validator:
        judge = self._judge
        if judge is None:
            judge = self._judge = _compile(self._judged, self._options)
        return judge

    def release(self) -> None:
        """Give back the memory of what was compiled (some 10 KB); the next use compiles it again."""
        self._judge = None

    def is_valid(self, instance: Any) -> bool:
        """Judge a JSON value as parse_json gives it. Raises ValueError where it is none."""
        return self._compiled.is_valid(instance)

    def violations(self, instance: Any) -> list[Violation]:
        """Return every rule that `instance` breaks, in the schema's order; empty if it is valid.

        An instance that is too large for that gets the mistakes of the first few parts that are
        wrong, each as far as it can be told; a part that cannot is a violation of `schema`.
        """
        if self._is_small(self.schema, instance, MAX_VISITS):
            return [_violation(error) for error in self._compiled.iter_errors(instance)]
        if self.is_valid(instance):
            return []
        compiled = jsonschema_rs.validator_map_for(self._judged, **self._options)
        return list(islice(self._in_parts(compiled, self.schema, "#", (), instance), _PARTS))

    def _is_small(self, schema: Any, instance: Any, limit: int) -> bool:
        pattern = _BACKTRACKING_VISITS if self._options is _BACKTRACKING else 1
        return visits(schema, instance, self.targets, limit, pattern) <= limit

    def _in_parts(self, compiled: Any, schema: Any, place: str, path: Path, value: Any) -> Iterator[Violation]:
        wrong = False
        for keyword, step, part, item in _parts(schema, value):
            there = f"{place}/{keyword}"
            if compiled[there].is_valid(item):
                continue
            wrong = True
            if self._is_small(part, item, _PART_VISITS):
                yield from (_violation(error, (*path, step)) for error in compiled[there].iter_errors(item))
            else:
                yield from self._in_parts(compiled, part, there, (*path, step), item)
        if not wrong:
            yield Violation(path, "schema", value, {}, "")


def _compile(schema: Any, options: Mapping[str, Any]) -> jsonschema_rs.Validator:
    try:
        return jsonschema_rs.Draft202012Validator(schema, **options)
    except ValueError as error:
        raise _unusable(error) from None


def _unusable(error: ValueError) -> SchemaError:
    where = tuple(getattr(error, "instance_path", ()))
    return SchemaError(f"the schema cannot be used: {str(error).splitlines()[0][:200]}", where)


def _parts(schema: Any, value: Any) -> Iterator[tuple[str, str | int, Any, Any]]:
    if isinstance(schema, dict) and isinstance(value, dict):
        properties = schema.get("properties", {})
        for name in properties.keys() & value.keys():
            keyword = "properties/" + name.replace("~", "~0").replace("/", "~1")
            yield keyword, name, properties[name], value[name]
    elif isinstance(schema, dict) and isinstance(value, list) and "items" in schema and "prefixItems" not in schema:
        yield from (("items", index, schema["items"], item) for index, item in enumerate(value))


def _violation(error: Any, above: Path = ()) -> Violation:
    facts = error.kind.as_dict()
    alternatives = facts.pop("context", ())
    if "error" in facts and error.kind.name == "propertyNames":
        alternatives = ((facts.pop("error"),),)
    return Violation(
        path=(*above, *error.instance_path),
        keyword=error.kind.name,
        value=error.instance,
        facts=facts,
        message=error.message,
        branches=tuple(tuple(_violation(inner, above) for inner in branch) for branch in alternatives),
        rule=() if above else tuple(error.schema_path),
    )


def mistakes(schema: Any) -> Iterator[SchemaError]:
    """Yield what is wrong with a schema itself, each with the path to the place.

    Against the metaschema of draft 2020-12 first; references that lead nowhere, and
    weight, once that is clean.
    """
    yield from _examine(schema)[2]


def _examine(schema: Any) -> tuple[Any, Targets, list[SchemaError]]:
    try:
        refers = _measure(schema)
    except SchemaError as error:
        return schema, {}, [error]
    schema = plain(schema)
    try:
        wrong = [] if _metaschema().is_valid(schema) else _in_words(_metaschema().iter_errors(schema))
    except ValueError as error:  # a key or value that JSON does not have
        return schema, {}, [_unusable(error)]
    dialect = schema.get("$schema", _DIALECT) if isinstance(schema, dict) else _DIALECT
    if not wrong and dialect.rstrip("#") != _DIALECT:
        wrong.append(SchemaError(f"schemas here are of draft 2020-12, not of {quoted(dialect)}", ("$schema",)))
    if wrong or not refers:
        return schema, {}, wrong
    targets, lost = references(schema)
    return schema, targets, _lost(schema, lost) or _too_heavy(schema, targets)


def _measure(schema: Any) -> bool:
    """Bound size and depth, level by level, and say whether there is any reference."""
    nodes, level, refers = 0, [schema], False
    for _ in range(MAX_DEPTH + 1):
        nodes += len(level)
        if nodes > MAX_NODES:
            raise SchemaError(f"the schema has more than {MAX_NODES:,} parts")
        tables = [part for part in level if isinstance(part, dict)]
        refers = refers or any("$ref" in table or "$dynamicRef" in table for table in tables)
        lists = [part for part in level if isinstance(part, list)]
        level = [item for part in (*(table.values() for table in tables), *lists) for item in part]
        if not level:
            return refers
    raise SchemaError(f"the schema is nested more than {MAX_DEPTH} levels deep")


def _lost(schema: Any, lost: list[tuple[Path, str]]) -> list[SchemaError]:
    known = [f"#/$defs/{name}" for name in schema.get("$defs", ())] + ["#"]
    return [
        SchemaError(
            f"nothing in this schema is called {quoted(reference)}{did_you_mean(reference, known)}"
            if reference.startswith("#")
            else f"{quoted(reference)} leads out of the schema, and nothing is fetched: "
            "copy what it means under $defs and write '#/$defs/...'",
            path,
        )
        for path, reference in lost
        if reference.rstrip("#") != _DIALECT
    ]


def _too_heavy(schema: Any, targets: Targets) -> list[SchemaError]:
    try:
        weight(schema, targets, limit=MAX_WEIGHT, depth=MAX_REFERENCES)
    except TooHeavyError:
        return [SchemaError("its references, when followed, make too many rules for one value")]
    return []


@cache
def _metaschema() -> jsonschema_rs.Validator:
    # With the backtracking engine, since look-around is no mistake.
    return jsonschema_rs.Draft202012Validator({"$ref": _DIALECT}, **_STRICT)


def _in_words(errors: Iterable[Any]) -> list[SchemaError]:
    # The metaschema says the same in each of its seven vocabularies.
    found = {(path, message): None for error in errors for path, message in _worded(_violation(error))}
    return [SchemaError(message, path) for path, message in found]


def _worded(violation: Violation) -> Iterator[tuple[Path, str]]:
    if violation.path[-1:] == ("type",) and violation.keyword == "anyOf":
        names = violation.value if isinstance(violation.value, list) else [violation.value]
        for name in names:
            if not isinstance(name, str) or name not in TYPES:
                near = did_you_mean(name, TYPES) if isinstance(name, str) else ""
                yield violation.path, f"{shown(name)} is not a JSON Schema type{near}"
    elif violation.keyword == "propertyNames":
        for inner in violation.branches[0]:
            yield violation.path, f"{quoted(inner.value)} {predicate(inner, show=False)}"
    else:
        yield violation.path, predicate(violation)


def _guarded(schema: Any) -> Any:
    """Return a copy in which a pattern that needs backtracking only sees short text."""
    guarded = deepcopy(schema)
    for path, part in list(walk(guarded)):
        for name in part.get("patternProperties", ()):
            if _needs_backtracking(name, place := (*path, "patternProperties", name)):
                raise SchemaError("look-around and back-references cannot be used here", place)
        if "pattern" in part and _needs_backtracking(part["pattern"], place := (*path, "pattern")):
            if not _TURNS.isdisjoint(keywords(path)):
                raise SchemaError("look-around and back-references cannot be used under `not` or `if`", place)
            short = {"maxLength": MAX_BACKTRACKED}
            guard = {"if": short, "then": {"pattern": part.pop("pattern")}, "else": short}
            part["allOf"] = [*part.get("allOf", ()), guard]
    return guarded


def _needs_backtracking(pattern: str, path: Path) -> bool:
    for options in (_LINEAR, _BACKTRACKING):
        with suppress(ValueError):
            jsonschema_rs.Draft202012Validator({"pattern": pattern}, **options)
            return options is _BACKTRACKING
    raise SchemaError(f"the pattern {quoted(pattern)} takes too much memory", path)
