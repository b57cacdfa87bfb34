"""`toolbridge serve`: serve one registry with gunicorn, as the settings say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bridge.cli import parameters
from bridge.settings import TABLE, Setting, Settings

#: The settings that have an option of their own, and what it takes; the others are variables only.
OPTIONS = {
    "host": click.STRING,
    "port": click.IntRange(1, 65535),
    "workers": click.IntRange(1),
    "threads": click.IntRange(1),
}


def _option(row: Setting) -> click.Option:
    words = f"{row.help} [{row.variable}; default: {row.default}]"
    return click.Option([f"--{row.name}"], type=OPTIONS[row.name], help=words)


def _variables() -> str:
    lines = (f"  {row.variable}: {row.help}" for row in TABLE if row.name not in (*OPTIONS, "registry"))
    return "\b\nFurther settings come from the environment (docs/settings.md):\n" + "\n".join(lines)


@click.command("serve", epilog=_variables())
@parameters.registry
def command(registry: Path, **given: Any) -> None:
    """Serve REGISTRY until the process is told to stop.

    Changes of the file are followed; a mistake in it leaves the last good version in
    service.
    """
    from bridge.web.serve import serve

    serve(Settings(registry=registry, **given))


command.params.extend(_option(row) for row in TABLE if row.name in OPTIONS)
