"""Where the expressions stand in a text: `Ticket ${{ body.id }}` is cut at its braces.

An expression ends at the first `}}` that is neither inside quotes nor closes a brace of
its own; that is the first `}}` before which it can compile. `$${{` and `$${` are the characters
themselves. `${NAME}`, the environment's notation, is resolved before a text comes here,
where it may stand at all; so here it is a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.core.jmespath_reading import MAX_LENGTH, QUOTED, ExpressionError, read

_OPENING = re.compile(r"\$\$\{|\$\{\{|\$\{")
_STRUCTURE = re.compile(rf"{QUOTED}|[{{}}]", re.DOTALL)
_REFERENCE = re.compile(r"\$\{([^{}\n]*)")


@dataclass(frozen=True, slots=True)
class Span:
    """The source of one expression within a text, without its braces."""

    source: str


def cut(text: str) -> Iterator[str | Span]:
    """Yield the literal parts of `text`, unescaped, and its expressions, in order. Raises ExpressionError."""
    at = 0
    while match := _OPENING.search(text, at):
        if match.start() > at:
            yield text[at : match.start()]
        at = match.end()
        if match[0] == "$${":
            yield "${"
        elif match[0] == "${":
            raise _misplaced_reference(text[match.start() :])
        else:
            end = _end(text, at)
            yield Span(text[at:end])
            at = end + 2
    if at < len(text):
        yield text[at:]


def _end(text: str, start: int) -> int:
    depth = 0
    window = text[start : start + MAX_LENGTH + 2]
    for match in _STRUCTURE.finditer(window):
        if match[0] == "{":
            depth += 1
        elif match[0] == "}" and depth:
            depth -= 1
        elif window[match.start() : match.start() + 2] == "}}":
            return start + match.start()
    if start + len(window) < len(text):
        raise ExpressionError(f"no end of this expression within {MAX_LENGTH:,} characters")
    inside, closed, _ = window.partition("}}")
    if closed and inside.strip():
        # What stands before the first `}}` says better what is wrong: an open quote or brace.
        read(inside)
    raise ExpressionError("this ${{ is never closed with }}")


def _misplaced_reference(text: str) -> ExpressionError:
    match = _REFERENCE.match(text)
    inside = match[1][:60].strip() if match else ""
    if re.fullmatch(r"\w+(\.\w+)+", inside):
        return ExpressionError(f"an expression has two braces: ${{{{ {inside} }}}}")
    return ExpressionError(
        f"${{{inside}}} is an environment reference, which only backends, callers and auth may hold; "
        "an expression is ${{ ... }}, and $${ stands for the characters themselves"
    )
