"""The text of a JMESPath expression, read into its tree, with a sentence for what cannot be read.

Two of JMESPath's oddities end here: `true`, `false` and `null` are literals (to JMESPath they
are members of that name), and a literal between backticks has to be JSON (JMESPath takes
anything else for text, with a warning).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from jmespath.exceptions import IncompleteExpressionError, JMESPathError, LexerError, ParseError
from jmespath.lexer import Lexer
from jmespath.parser import Parser

from bridge.core.functions import read_json

MAX_LENGTH = 2_000
MAX_DEPTH = 100

#: A node of JMESPath's tree: `type`, `value`, `children`.
Node = Mapping[str, Any]
Tokens = Sequence[Mapping[str, Any]]

#: A text, a quoted name or a literal, as JMESPath's lexer delimits them.
QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`(?:[^`\\]|\\.)*`"
_BACKTICKED = re.compile(QUOTED, re.DOTALL)
_COMPARATORS = frozenset({"eq", "ne", "lt", "lte", "gt", "gte"})
_CONTINUES = frozenset({"dot", "lbracket", "filter", "flatten", "lparen"})
_ADVICE = {
    "=": "; equality is `==`",
    "+": "; write add(a, b), or concat(a, b) for text",
    "-": "; write sub(a, b), and quote a name that holds a dash",
    "/": "; write div(a, b)",
    "?": "; write if(condition, a, b)",
    "$": "; an expression does not hold `${...}`",
    "and": "; write &&",
    "or": "; write ||",
}


class ExpressionError(Exception):
    """An expression that cannot be meant: a sentence for the diagnostic, and the line to write instead if known."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@lru_cache(maxsize=500)  # the tools of a registry write the same few expressions
def read(text: str) -> tuple[Node, frozenset[str]]:
    """Return the tree of an expression, which nobody may change, and the names in it that are quoted.

    Raises ExpressionError.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"this expression has {len(text):,} characters; at most {MAX_LENGTH:,} are read")
    if not text.strip():
        raise ExpressionError("the expression is empty")
    _check_literals(text)
    read_as = text
    try:
        tokens: Tokens = list(Lexer().tokenize(text))
        read_as = _with_literals(text, tokens)
        tree = Parser().parse(read_as).parsed
    except RecursionError:
        raise too_deep() from None
    except JMESPathError as error:
        raise _worded(error, read_as) from None
    _check_comparisons(tokens, text)
    return tree, frozenset(token["value"] for token in tokens if token["type"] == "quoted_identifier")


def too_deep() -> ExpressionError:
    """Return the error for an expression whose tree has more than MAX_DEPTH levels."""
    return ExpressionError(f"this expression is nested too deeply; at most {MAX_DEPTH} levels are read")


def _check_literals(text: str) -> None:
    for match in _BACKTICKED.finditer(text):
        literal = match[0]
        if literal[0] != "`":
            continue
        try:
            read_json(literal[1:-1].replace("\\`", "`"))
        except ValueError:
            meant = _raw(literal[1:-1].strip())
            hint = f"{text[: match.start()]}{meant}{text[match.end() :]}"
            raise ExpressionError(f"{_short(literal)} is not JSON; a text is written {_short(meant)}", hint) from None


def _with_literals(text: str, tokens: Tokens) -> str:
    """Put `true`, `false` and `null` into backticks where JMESPath would look for a member of that name."""
    parts, at, before = [], 0, ""
    for token, following in zip(tokens, [*tokens[1:], tokens[-1]], strict=True):
        bare = token["type"] == "unquoted_identifier" and token["value"] in {"true", "false", "null"}
        if bare and before != "dot" and following["type"] not in {"colon", "lparen"}:
            parts += [text[at : token["start"]], f"`{token['value']}`"]
            at = token["start"] + len(token["value"])
        before = token["type"]
    return "".join([*parts, text[at:]])


def _check_comparisons(tokens: Tokens, text: str) -> None:
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        quoted = token["type"] == "quoted_identifier" and after["type"] not in _CONTINUES
        if quoted and before["type"] in _COMPARATORS:
            raise text_meant(token["value"], text)


def text_meant(name: str, text: str) -> ExpressionError:
    """Return the error for a quoted name that stands where only a text makes sense."""
    double, single = json.dumps(name, ensure_ascii=False), _raw(name)
    hint = text.replace(double, single) if double in text else None
    return ExpressionError(
        f"{_short(double)} is the member of that name, not a text; a text is written {_short(single)}", hint
    )


def _raw(text: str) -> str:
    return "'" + text.replace("'", "\\'") + "'"


def _worded(error: JMESPathError, text: str) -> ExpressionError:
    if isinstance(error, IncompleteExpressionError):
        return ExpressionError("the expression ends too early")
    if isinstance(error, LexerError) and error.message.startswith("Unclosed"):
        return ExpressionError(f"a {error.message.split()[1]} is never closed")
    if not isinstance(error, ParseError):
        return ExpressionError("this is not an expression")
    number = re.match(r"-?\d+(\.\d+)?", text[error.lex_position :])
    if error.token_type == "NUMBER" and number:  # noqa: S105 (a token of the grammar)
        end = error.lex_position + len(number[0])
        hint = f"{text[: error.lex_position]}`{number[0]}`{text[end:]}"
        return ExpressionError(f"a number is written in backticks: `{number[0]}`", hint)
    if error.msg.startswith("Quoted"):
        return ExpressionError("a function's name is not quoted")
    token = str(error.token_value)
    return ExpressionError(f"{_short(repr(token))} is not expected there{_ADVICE.get(token, '')}")


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:56]}..."
