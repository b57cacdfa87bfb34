"""`toolbridge call`: run one tool from the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from bridge.cli import arguments, parameters
from bridge.cli.reach import reach


@click.command("call", options_metavar="[--as CALLER] [--token TOKEN]")
@parameters.source
@click.argument("tool")
@click.argument("words", metavar="[ARGUMENTS]...", nargs=-1)
@parameters.caller
@parameters.token
def command(source: Path | str, tool: str, words: tuple[str, ...], caller: str | None, token: str | None) -> int:
    """Run TOOL of a REGISTRY file or of the bridge at a URL, and print its result as JSON.

    ARGUMENTS are one JSON object, `-` (read it from standard input), `@FILE`, or pairs:
    `name=text` for a text, `name:=JSON` for anything else.

    Exit code 0: the result is on standard output; 1: the tool answered with an error, on
    standard error; 2: there was nothing to run.
    """
    given = arguments.read(words)
    with reach(source, caller, token) as bridge:
        answer = bridge.ask("POST", "/api/execute", {"tool": tool, "parameters": given})
    if answer.get("status") != "success":
        click.echo(f"Error: {_explain(answer.get('error'))}", err=True)
        return 1
    click.echo(json.dumps(answer.get("result"), ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))
    return 0


def _explain(error: Any) -> str:
    if not isinstance(error, Mapping):
        return f"the answer is none that this command knows ({error})"
    sentence = f"{error.get('type')}: {error.get('message')}"
    wait = error.get("retry_after")
    return sentence if wait is None else f"{sentence} (again in {wait} s)"
