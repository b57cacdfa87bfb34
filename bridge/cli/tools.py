"""`toolbridge tools`: what a bridge offers, for people on a terminal and as JSON for programs."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

import click

from bridge.cli import parameters
from bridge.cli.reach import reach

Schema = Mapping[str, Any]


@click.command("tools")
@parameters.source
@parameters.caller
@parameters.token
def command(source: Path | str, caller: str | None, token: str | None) -> None:
    """List the tools of a REGISTRY file or of the bridge at a URL.

    On a terminal it is a table; in a pipe it is the JSON that `GET /tools` answers.
    """
    with reach(source, caller, token) as bridge:
        answer = bridge.ask("GET", "/tools")
    if not isinstance(answer.get("tools"), list):
        raise click.ClickException(f"{source} does not list its tools: {answer.get('error')}.")
    if sys.stdout.isatty():
        click.echo("\n".join(_readable(answer["tools"], min(get_terminal_size().columns, 100))))
    else:
        click.echo(json.dumps(answer, ensure_ascii=False))


def _readable(tools: Sequence[Mapping[str, Any]], width: int) -> Iterator[str]:
    for tool in tools:
        yield click.style(tool["name"], bold=True)
        yield from textwrap.wrap(tool["description"], width, initial_indent="  ", subsequent_indent="  ")
        yield from _table(list(_rows(tool["input_schema"])), width)
        yield ""
    yield "1 tool" if len(tools) == 1 else f"{len(tools)} tools"


def _rows(schema: Schema) -> Iterator[tuple[str, str, str, str]]:
    required = schema.get("required", ())
    for name, entry in schema.get("properties", {}).items():
        known: Schema = entry if isinstance(entry, Mapping) else {}
        yield name, _kind(known), _need(known, name in required), str(known.get("description", ""))


def _kind(schema: Schema) -> str:
    if "enum" in schema:
        return " | ".join(value if isinstance(value, str) else json.dumps(value) for value in schema["enum"])
    kinds = schema.get("type", "any")
    kind = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    return f"{kind} ({schema['format']})" if "format" in schema else kind


def _need(schema: Schema, required: bool) -> str:
    if "default" in schema:
        return f"default {json.dumps(schema['default'], ensure_ascii=False)}"
    return "required" if required else "optional"


def _table(rows: Sequence[tuple[str, str, str, str]], width: int) -> Iterator[str]:
    """Lay rows out in columns; the last one is wrapped under itself, or under the row where that is too narrow."""
    if not rows:
        return
    first, second, third = (max(len(row[column]) for row in rows) for column in range(3))
    margin = 4 + first + second + third + 6
    indent = " " * (margin if width - margin >= 24 else 8)
    for name, kind, need, words in rows:
        line = f"    {name:{first}}  {kind:{second}}  {need:{third}}".rstrip()
        if len(indent) == margin and words:
            yield from textwrap.wrap(words, width, initial_indent=f"{line:{margin}}", subsequent_indent=indent)
        else:
            yield line
            yield from textwrap.wrap(words, width, initial_indent=indent, subsequent_indent=indent)
