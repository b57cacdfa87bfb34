"""Arguments of a tool: completed, judged, and every mistake in them told in one answer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import Any

from bridge.core.completion import Completion, completion_of, fresh
from bridge.core.located import Path
from bridge.core.schemas import Validator
from bridge.core.violations import cut, quoted, type_of
from bridge.core.wording import Sentence, Wording
from bridge.errors import Detail, InvalidParameters

#: More mistakes than these are only counted.
MAX_NAMED = 20
# One for all: an empty frozenset takes 216 bytes, and Python makes a new one each time.
_NONE: frozenset[str] = frozenset()

class Arguments:
    """What one tool takes, compiled at load.

    `fixed` members are added to every accepted object and refused from callers;
    nothing of what is given for `secret` ones is ever repeated.
    """

    __slots__ = ("__weakref__", "_completion", "_fixed", "_secret", "_validator")

    def __init__(
        self, validator: Validator, completion: Completion | None, fixed: Mapping[str, Any], secret: Collection[str]
    ) -> None:
        self._validator = validator
        self._completion = completion
        self._fixed = dict(fixed)
        self._secret = frozenset(secret) if secret else _NONE

    @classmethod
    def compile(
        cls, schema: Mapping[str, Any], *, fixed: Mapping[str, Any] | None = None, secret: Collection[str] = ()
    ) -> Arguments:
        """Compile a tool's input schema; raises SchemaError where it cannot be used."""
        validator = Validator(schema)
        return cls(validator, completion_of(validator.schema, validator.targets), fixed or {}, secret)

    @property
    def schema(self) -> Any:
        """The schema in plain dicts and lists, to be published; nobody may change it."""
        return self._validator.schema

    def release(self) -> None:
        """Give back the memory of the compiled schema; the next call compiles it again (about 0.1 ms)."""
        self._validator.release()

    def accept(self, raw: Any) -> dict[str, Any]:
        """Return the params that `raw` stands for: defaults filled in, fixed ones added, 5.0 as 5 where integer.

        `raw` is what parse_json gave and stays as it is. Raises InvalidParameters, which names
        every mistake at once: joined by `; ` in the message, with JSON Pointers in the details.
        """
        if not isinstance(raw, dict):
            raise InvalidParameters(f"The parameters must be an object, not {type_of(raw)}")
        given: dict[str, Any] = dict(raw) if self._completion is None else self._completion.complete(raw)
        try:
            if not self._validator.is_valid(given) or (self._fixed and not self._fixed.keys().isdisjoint(raw)):
                raise self._refusal(given)
        except ValueError:  # no parser gives such values, but a program that calls tools may
            raise InvalidParameters("The parameters hold a value that JSON does not have") from None
        if self._fixed:
            given.update((name, fresh(value)) for name, value in self._fixed.items())
        return given

    def _refusal(self, given: dict[str, Any]) -> InvalidParameters:
        wording = Wording(self._validator.schema, self._secret)
        found = dict.fromkeys(self._mistakes(given, wording))
        named = list(islice(found, MAX_NAMED))
        more = [f"and {len(found) - MAX_NAMED} more"] if len(found) > MAX_NAMED else []
        details = [Detail(_pointer(path), sentence) for path, sentence in named]
        return InvalidParameters("; ".join([sentence for _, sentence in named] + more), details=details)

    def _mistakes(self, given: dict[str, Any], wording: Wording) -> Iterator[Sentence]:
        yield from (((name,), f"Unknown parameter {quoted(name)}") for name in self._fixed if name in given)
        for violation in self._validator.violations(given):
            yield from wording.sentences(violation)


def _pointer(path: Path) -> str:
    """Return `path` as a JSON Pointer (RFC 6901), names cut to what may be shown."""
    return "".join("/" + cut(str(step)).replace("~", "~0").replace("/", "~1") for step in path)
