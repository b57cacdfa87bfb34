"""How a function of an expression is declared, checked at load and called.

A function of the registry answers null when one it needs is null, so an absent
parameter leaves its member out instead of writing a wrong one; only `if` looks at
nulls. What a call does wrong is found at load where the argument is a literal
(`check_call`), else when the call runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from jmespath import functions as jmespath_functions

from bridge.core.located import did_you_mean

MAX_TEXT = 1 << 20

#: Stands for an argument that only a running call knows, where `check_call` looks at literals.
UNKNOWN = object()
#: Stands for an argument written `&path`.
REFERENCE = object()

_WORDS = {str: "text", bool: "boolean", int: "number", float: "number", list: "array", dict: "object"}
_ORDINALS = ("first", "second", "third")
_Body = TypeVar("_Body", bound=Callable[..., Any])


class EvaluationError(Exception):
    """An expression cannot be evaluated with the values of this call; the message is a sentence.

    On the way out it is INVALID_PARAMETERS, on the way back INVALID_RESULT.
    """


@dataclass(frozen=True, slots=True)
class Signature:
    """How one of the registry's functions is called.

    `kinds` has the JSON types that each argument may have (empty: any), the last one
    repeats if `variadic`; the last `optional` arguments may be left out. `literals`
    checks an argument that is written out in the registry.
    """

    name: str
    kinds: tuple[frozenset[str], ...]
    body: Callable[..., Any]
    optional: int = 0
    variadic: bool = False
    nulls: bool = False
    literals: Mapping[int, Callable[[Any], object]] | None = None

    @property
    def required(self) -> int:
        """The number of arguments that a call needs at least."""
        return len(self.kinds) - self.optional

    def check(self, position: int, value: Any) -> None:
        """Raise EvaluationError if `value` has a type that this argument cannot have."""
        kinds = self.kinds[min(position, len(self.kinds) - 1)]
        if kinds and _word(value) not in kinds and not (value is None and position >= self.required):
            wanted, nth = " or ".join(sorted(kinds, reverse=True)), _ordinal(position)
            raise EvaluationError(f"{self.name}() takes {wanted} as its {nth} argument, not {_word(value)}")

    def __call__(self, arguments: Sequence[Any]) -> Any:
        """Call the function: null if a needed argument is null. Raises EvaluationError."""
        needed = arguments if self.variadic else arguments[: self.required]
        if not self.nulls and any(argument is None for argument in needed):
            return None
        for position, argument in enumerate(arguments):
            self.check(position, argument)
        try:
            return self.body(*arguments)
        except (ValueError, ArithmeticError) as error:
            raise EvaluationError(f"{self.name}(): {error}") from None


REGISTERED: dict[str, Signature] = {}


def function(*kinds: str, name: str | None = None, **options: Any) -> Callable[[_Body], _Body]:
    """Register the function below; `kinds` are like `text|number`, `options` those of Signature."""

    def register(body: _Body) -> _Body:
        called = name or body.__name__
        types = tuple(frozenset(kind.split("|")) - {"any"} for kind in kinds)
        REGISTERED[called] = Signature(called, types, body, **options)
        return body

    return register


class Functions(jmespath_functions.Functions):
    """The table that JMESPath's interpreter calls functions from."""

    def call_function(self, function_name: str, resolved_args: Iterable[Any]) -> Any:
        """Call a function of either kind. Raises EvaluationError, or JMESPath's own errors for its own functions."""
        arguments = list(resolved_args)
        own = REGISTERED.get(function_name)
        result = own(arguments) if own else super().call_function(function_name, arguments)
        if isinstance(result, int | float) and not fits(result):
            raise EvaluationError(f"{function_name}(): the result is not a number that JSON can carry")
        return result

    @jmespath_functions.signature({"types": ["string"]}, {"types": ["array-string"]})
    def _func_join(self, separator: str, array: list[str]) -> str:
        bounded(len(separator) * len(array) + sum(map(len, array)))
        return separator.join(array)

    @jmespath_functions.signature({"types": []})
    def _func_to_number(self, value: Any) -> Any:
        number = jmespath_functions.Functions.FUNCTION_TABLE["to_number"]["function"](self, value)
        return number if number is None or fits(number) else None


def check_call(name: str, arguments: Sequence[Any]) -> None:
    """Raise EvaluationError if calling `name` like this can only go wrong.

    An argument is the value of a literal, or UNKNOWN, or REFERENCE.
    """
    own, builtin = REGISTERED.get(name), Functions.FUNCTION_TABLE.get(name)
    if own is not None:
        _check_count(name, arguments, own.required, None if own.variadic else len(own.kinds))
        _check_own(own, arguments)
    elif builtin is not None:
        types = builtin["signature"]
        _check_count(name, arguments, len(types), None if types[-1].get("variadic") else len(types))
        for expected, argument in zip(types, arguments, strict=False):
            _check_builtin(name, [kind.partition("-")[0] for kind in expected["types"]], argument)
    else:
        known = {*REGISTERED, *Functions.FUNCTION_TABLE}
        raise EvaluationError(f"no function is called {name!r}{did_you_mean(name, known)}")


def _check_count(name: str, arguments: Sequence[Any], least: int, most: int | None) -> None:
    if len(arguments) >= least and (most is None or len(arguments) <= most):
        return
    wanted = str(least) if least == most else f"at least {least}" if most is None else f"{least} to {most}"
    plural = "" if wanted.split()[-1] == "1" else "s"
    raise EvaluationError(f"{name}() takes {wanted} argument{plural}, not {len(arguments)}")


def _check_own(own: Signature, arguments: Sequence[Any]) -> None:
    for position, argument in enumerate(arguments):
        if argument is REFERENCE:
            raise EvaluationError(f"{own.name}() takes a value, not a reference with &")
        if argument is UNKNOWN or argument is None:
            continue
        own.check(position, argument)
        examine = (own.literals or {}).get(position)
        try:
            if examine:
                examine(argument)
        except ValueError as error:
            raise EvaluationError(f"{own.name}(): {error}") from None


def _check_builtin(name: str, kinds: list[str], argument: Any) -> None:
    if ("expref" in kinds) != (argument is REFERENCE):
        wanted = "a reference like &path" if "expref" in kinds else "a value, not a reference with &,"
        raise EvaluationError(f"{name}() takes {wanted} there")
    if kinds and argument is not UNKNOWN and argument is not REFERENCE:
        found = jmespath_functions.TYPES_MAP[type(argument).__name__]
        if found not in kinds:
            raise EvaluationError(f"{name}() takes {' or '.join(kinds)}, not {found}")


def _word(value: Any) -> str:
    return "null" if value is None else _WORDS.get(type(value), "something else")


def _ordinal(position: int) -> str:
    return _ORDINALS[position] if position < len(_ORDINALS) else f"{position + 1}th"


def fits(number: float) -> bool:
    """Say whether every JSON reader can carry `number`: finite, integers within 64 bits."""
    return math.isfinite(number) if isinstance(number, float) else -(1 << 63) <= number < 1 << 64


def bounded(size: int, limit: int = MAX_TEXT, what: str = "characters") -> None:
    """Raise EvaluationError if a result of `size` would be too large."""
    if size > limit:
        raise EvaluationError(f"the result would be longer than {limit:,} {what}")
