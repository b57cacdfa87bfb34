"""The arguments and options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


class RegistryFile(click.Path):
    """A registry file that is there, as a Path."""

    name = "file"

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, path_type=Path)


class Source(RegistryFile):
    """A registry file, or the http(s) address of a running bridge, which stays text."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a Path for a file and the address without its last slash for a bridge."""
        if isinstance(value, str) and value.startswith(("http://", "https://")):
            return value.rstrip("/")
        return super().convert(value, param, ctx)


registry = click.argument("registry", metavar="REGISTRY", type=RegistryFile())
source = click.argument("source", metavar="REGISTRY|URL", type=Source())
caller = click.option("--as", "caller", metavar="CALLER", help="Who calls: a name under `callers` (of a REGISTRY).")
token = click.option("--token", metavar="TOKEN", help="The credential to send (to a URL).")
