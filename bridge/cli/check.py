"""`toolbridge check`: every mistake of a registry at once, before it is served."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli import parameters
from bridge.settings import Settings

if TYPE_CHECKING:
    from bridge.registry.report import Format


@click.command("check")
@parameters.registry
@click.option(
    "--format", "style", type=click.Choice(["text", "json", "github"]), default="text", show_default=True,
    help="How mistakes are written; `github` makes annotations of them.",
)
@click.option("--no-env", is_flag=True, help="Do without the variables and secrets that the registry names.")
def command(registry: Path, style: Format, no_env: bool) -> int:
    """Look for mistakes in REGISTRY.

    Exit code 0: none (warnings may be); 1: mistakes; 2: there is nothing to look at.
    """
    from bridge.assembly import check
    from bridge.registry.report import render

    found = check(registry, Settings(), no_env=no_env)
    mistakes = sum(diagnostic.severity == "error" for diagnostic in found)
    if found or style == "json":
        click.echo(render(found, style))
    if style == "text" and not mistakes:
        click.echo(f"{registry}: no mistakes")
    return 1 if mistakes else 0
