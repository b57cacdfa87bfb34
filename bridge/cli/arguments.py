"""A tool's arguments as a person writes them on a command line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import click

from bridge.core.parsing import parse_json
from bridge.errors import BridgeError

_PAIR = re.compile(r"([^=:]+)(:?=)(.*)", re.DOTALL)


def read(words: Sequence[str]) -> dict[str, Any]:
    """Return the arguments: one JSON object, `-` or `@FILE` that holds one, or pairs.

    `name=text` gives a text whatever it looks like, `name:=JSON` anything else.
    Raises click.UsageError.
    """
    if len(words) == 1 and (words[0] in ("-", "") or words[0][0] in "{@["):
        return _object(words[0])
    arguments: dict[str, Any] = {}
    for word in words:
        name, value = _pair(word)
        if name in arguments:
            raise click.UsageError(f"'{name}' is given twice.")
        arguments[name] = value
    return arguments


def _object(word: str) -> dict[str, Any]:
    if word == "-" or word.startswith("@"):
        with click.open_file(word.removeprefix("@"), "rb") as file:
            text = file.read()
    else:
        text = word.encode("utf-8", "surrogateescape")
    arguments = _json(text)
    if not isinstance(arguments, dict):
        raise click.UsageError("The arguments must be a JSON object.")
    return arguments


def _pair(word: str) -> tuple[str, Any]:
    match = _PAIR.fullmatch(word)
    if match is None:
        raise click.UsageError(f"'{word}' is neither a JSON object nor name=text nor name:=JSON.")
    name, sign, value = match.groups()
    return name, value if sign == "=" else _json(value.encode("utf-8", "surrogateescape"), f"'{name}'")


def _json(text: bytes, what: str = "The arguments") -> Any:
    try:
        return parse_json(text)
    except BridgeError as error:
        raise click.UsageError(f"{what} cannot be read as JSON: {error.message}.") from None
