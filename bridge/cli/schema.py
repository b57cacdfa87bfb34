"""`toolbridge schema`: the JSON Schema of a registry, for editors."""

from __future__ import annotations

from importlib.resources import files

import click

from bridge.backends import BACKENDS
from bridge.core.located import did_you_mean


@click.command("schema")
@click.argument("kind", required=False)
def command(kind: str | None) -> None:
    """Print the JSON Schema of a registry, or of one KIND of backend."""
    name = "registry.schema.json" if kind is None else f"backends/{_known(kind)}.json"
    click.echo(files("bridge.schemas").joinpath(name).read_text("utf-8"), nl=False)


def _known(kind: str) -> str:
    if kind not in BACKENDS:
        known = ", ".join(BACKENDS)
        raise click.UsageError(f"No backend is of kind '{kind}'{did_you_mean(kind, BACKENDS)}. The kinds are {known}.")
    return kind
