"""The command `toolbridge`: one file a command, loaded when it is asked for.

Whatever goes wrong ends here, as a plain sentence on standard error and an exit
code: 0 done, 1 it did not work (mistakes in a registry, an error of a tool), 2 it
was asked for in a way that cannot work. `python -X dev -m bridge` shows the
traceback of a bug instead.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from gettext import ngettext

import click

from bridge._version import __version__
from bridge.core.located import RegistryError, did_you_mean
from bridge.errors import BridgeError
from bridge.kinds import Kinds
from bridge.settings import SettingError

COMMANDS: Kinds[click.Command] = Kinds(
    {
        "serve": "bridge.cli.serve:command",
        "check": "bridge.cli.check:command",
        "schema": "bridge.cli.schema:command",
        "tools": "bridge.cli.tools:command",
        "call": "bridge.cli.call:command",
        "demo": "bridge.cli.demo:command",
    }
)


class Commands(click.Group):
    """The table above as click sees it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        if cmd_name not in COMMANDS:
            return None
        return COMMANDS[cmd_name]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was probably meant."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(f"There is no command '{args[0]}'{did_you_mean(args[0], COMMANDS)}.", ctx)
        return super().resolve_command(ctx, args)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="toolbridge", message="%(prog)s %(version)s")
def group() -> None:
    """Serve the tools of one registry file over every protocol that AI clients speak."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command (of this process unless `arguments` are given) and return its exit code."""
    try:
        code = group.main(arguments, prog_name="toolbridge", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        return _explain(error)
    return code if isinstance(code, int) else 0


def _explain(error: Exception) -> int:
    if isinstance(error, RegistryError):
        return _diagnose(error)
    if isinstance(error, SettingError):
        return _say(str(error), 2)
    if isinstance(error, BridgeError):
        return _say(f"{error.shown_code}: {error.message}", 1)
    if isinstance(error, OSError):
        return _say(f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error), 1)
    return _say(f"This is a bug ({type(error).__name__}: {error}). `python -X dev -m bridge ...` shows where.", 1)


def _diagnose(error: RegistryError) -> int:
    from bridge.registry.report import render

    click.echo(render(error.diagnostics, "text"), err=True)
    count = sum(found.severity == "error" for found in error.diagnostics)
    return _say(ngettext("The registry has {} mistake.", "The registry has {} mistakes.", count).format(count), 1)


def _say(sentence: str, code: int) -> int:
    click.echo(f"Error: {sentence}", err=True)
    return code
