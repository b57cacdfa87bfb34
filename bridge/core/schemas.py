"""JSON Schema (draft 2020-12): the only importer of jsonschema-rs and jsonschema.

jsonschema-rs judges, compiled at load; formats are asserted and nothing is ever
fetched for a `$ref`. jsonschema looks only at schemas themselves, against the
metaschema, because its errors say where in the schema the mistake is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import jsonschema
import jsonschema_rs

from bridge.core.located import Path, plain

Schema = Mapping[str, Any] | bool


class SchemaError(Exception):
    """A schema that cannot be used; `path` leads to the place within it."""

    def __init__(self, message: str, path: Path = ()) -> None:
        super().__init__(message)
        self.message = message
        self.path = path


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that an instance breaks.

    `path` leads to the value in the instance, `keyword` is the rule (`type`,
    `required`, ...), `facts` are the library's
    own members for this kind (`property`, `unexpected`, `limit`, ...), `value` is
    what was found, `branches` are the violations of each alternative of an `anyOf` or `oneOf`.
    """

    path: Path
    keyword: str
    value: Any
    facts: Mapping[str, Any]
    message: str
    branches: tuple[tuple[Violation, ...], ...] = ()


class Validator:
    """A compiled schema. Raises SchemaError where the schema cannot be compiled."""

    __slots__ = ("_compiled", "is_valid", "schema")

    def __init__(self, schema: Schema) -> None:
        self.schema = plain(schema)
        self._compiled = _compile(self.schema)
        self.is_valid = self._compiled.is_valid

    def violations(self, instance: Any) -> list[Violation]:
        """Return every rule that `instance` breaks, in the schema's order; empty if it is valid."""
        return [_violation(error) for error in self._compiled.iter_errors(instance)]


def _compile(schema: Any) -> Any:
    # The linear engine cannot be made slow; only a pattern that needs look-around
    # gets the backtracking one, and that one gives up after a fixed number of steps.
    engines = (jsonschema_rs.RegexOptions(), jsonschema_rs.FancyRegexOptions(backtrack_limit=100_000))
    for engine in engines:
        try:
            return jsonschema_rs.Draft202012Validator(
                schema, validate_formats=True, retriever=_refuse, pattern_options=engine
            )
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            failure = error
    raise SchemaError(_first_line(failure), tuple(getattr(failure, "instance_path", ()))) from None


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"remote reference {uri!r} is not fetched")


def _first_line(error: Exception) -> str:
    return str(getattr(error, "message", error)).splitlines()[0]


def _violation(error: Any) -> Violation:
    facts = error.kind.as_dict()
    branches = tuple(tuple(map(_violation, branch)) for branch in facts.pop("context", ()))
    return Violation(
        path=tuple(error.instance_path),
        keyword=error.kind.name,
        value=error.instance,
        facts=facts,
        message=error.message,
        branches=branches,
    )


def mistakes(schema: Any) -> Iterator[SchemaError]:
    """Yield what is wrong with a schema itself, by the metaschema of draft 2020-12."""
    checker = jsonschema.Draft202012Validator(jsonschema.Draft202012Validator.META_SCHEMA)
    for error in checker.iter_errors(plain(schema)):
        yield SchemaError(error.message, tuple(error.absolute_path))
