"""An expression in a member of a mapping: compiled, or reported where it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from bridge.core.expressions import ExpressionError, Scope
from bridge.core.located import Problems

C = TypeVar("C")


def compile_member(
    entry: Mapping[str, Any], member: str, compiled: Callable[[str, Scope], C], scope: Scope, problems: Problems
) -> C | None:
    """Return `entry[member]` as `compiled` (compile_bare, compile_text) makes it; None if it is absent or a mistake."""
    if member not in entry:
        return None
    try:
        return compiled(entry[member], scope)
    except ExpressionError as error:
        problems.add(error.message, member, code="registry/expression", hint=error.hint)
        return None
