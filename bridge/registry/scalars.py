"""What a plain YAML scalar means: the core schema of YAML 1.2, section 10.3.2, as far as JSON can hold it.

So `no`, `12:30:45` and `2026-11-20` are text, `010` is ten, and infinity is refused.
"""

from __future__ import annotations

import re
from typing import Any

NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEAN = {text: text.lower() == "true" for text in ("true", "True", "TRUE", "false", "False", "FALSE")}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+").fullmatch
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?").fullmatch
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)").fullmatch
_MAYBE_NUMBER = frozenset("0123456789+-.")
_BASE = {"o": 8, "x": 16}


def core_scalar(text: str) -> str | int | float | bool | None:
    """Return what the plain scalar `text` means; raise ValueError where JSON has no such number."""
    if text in NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if text[0] not in _MAYBE_NUMBER:
        return text
    if _INTEGER(text):
        return _integer(text)
    if _NOT_FINITE(text):
        raise ValueError(f"JSON has no number {text!r}; quote it if it is text")
    return _float(text) if _FLOAT(text) else text


def _integer(text: str) -> int:
    number = int(text[2:], _BASE[text[1]]) if text[1:2] in _BASE else int(text[:40])
    if len(text) > 40 or not -(2**63) <= number < 2**63:
        raise ValueError("this number does not fit into 64 bits; quote it if it is text")
    return number


def _float(text: str) -> float:
    number = float(text)
    if abs(number) == float("inf"):
        raise ValueError("this number is too large; quote it if it is text")
    return number


def called(value: Any) -> str:
    """Return what a person calls the kind of `value`: `text`, `a mapping`, ..."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "a number" if isinstance(value, int | float) else "text"
