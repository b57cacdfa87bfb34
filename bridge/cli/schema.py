"""`toolbridge schema`: the JSON Schema of a registry, for editors."""

from __future__ import annotations

import json
from importlib.resources import files

import click

from bridge.backends import BACKENDS
from bridge.core.located import did_you_mean
from bridge.registry.structure import bundle


@click.command("schema")
@click.argument("kind", required=False)
def command(kind: str | None) -> None:
    """Print the JSON Schema of a registry, or of one KIND of backend."""
    if kind is None:
        # The file itself refers to its neighbours; what is printed has to stand alone.
        click.echo(json.dumps(bundle(BACKENDS), indent=2, ensure_ascii=False))
    else:
        click.echo(files("bridge.schemas.backends").joinpath(f"{_known(kind)}.json").read_text("utf-8"), nl=False)


def _known(kind: str) -> str:
    if kind not in BACKENDS:
        known = ", ".join(BACKENDS)
        raise click.UsageError(f"No backend is of kind '{kind}'{did_you_mean(kind, BACKENDS)}. The kinds are {known}.")
    return kind
