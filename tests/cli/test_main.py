"""The command as a whole: help, exit codes, and errors that are sentences."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from bridge import __version__
from bridge.cli import COMMANDS, main
from bridge.errors import BackendUnavailable
from bridge.settings import SettingError


@click.command("broken")
def broken() -> None:
    raise broken.error


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch):
    """A command that raises what it is told to."""
    monkeypatch.setitem(COMMANDS._paths, "broken", f"{__name__}:broken")
    monkeypatch.setitem(COMMANDS._loaded, "broken", broken)

    def run(error: BaseException) -> int:
        broken.error = error
        return main(["broken"])

    return run


def test_help_lists_every_command_with_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    for name in COMMANDS:
        assert f"\n  {name} " in said
        assert COMMANDS[name].get_short_help_str(30).removesuffix("...") in said


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"toolbridge {__version__}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Commands:"),
        (["sevre"], "There is no command 'sevre' (did you mean 'serve'?)."),
        (["check"], "Missing argument 'REGISTRY'."),
        (["check", "no.yaml"], "File 'no.yaml' does not exist."),
        (["check", "."], "File '.' is a directory."),
        (["tools"], "Missing argument 'REGISTRY|URL'."),
        (["serve", __file__, "--port", "x"], "'x' is not a valid integer"),
        (["demo", "--port", "70000"], "70000 is not in the range"),
        (["--unknown"], "No such option"),
    ],
)
def test_what_cannot_work_is_exit_code_2_on_standard_error(capsys, words: list[str], said: str) -> None:
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (SettingError("TOOLBRIDGE_THREADS='x': write a number"), 2, "Error: TOOLBRIDGE_THREADS='x': write a number\n"),
        (BackendUnavailable(), 1, "Error: BACKEND_UNAVAILABLE: Service temporarily unavailable\n"),
        (PermissionError(13, "Permission denied", "x.yaml"), 1, "Error: x.yaml: Permission denied\n"),
        (OSError(28, "No space left on device"), 1, "Error: No space left on device\n"),
        (ZeroDivisionError("by zero"), 1, "Error: This is a bug (ZeroDivisionError: by zero)."),
        (KeyboardInterrupt(), 130, "\n"),
    ],
)
def test_an_error_is_a_sentence_and_never_a_traceback(failing, capsys, error, code: int, said: str) -> None:
    assert failing(error) == code
    captured = capsys.readouterr()
    assert captured.err.startswith(said)
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m bridge schema | head -c 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("{", "")


def test_a_full_disk_is_said_in_a_sentence() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "bridge", "schema"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr == "Error: No space left on device\n"


def test_a_command_is_loaded_only_when_it_is_asked_for() -> None:
    code = "import sys; from bridge.cli import main; main(['--version']); print([m for m in sys.modules if m in LOUD])"
    loud = "LOUD = {'flask', 'gunicorn', 'pycurl', 'jsonschema', 'bridge.cli.serve'}; "
    assert subprocess.check_output([sys.executable, "-c", loud + code], text=True).splitlines()[-1] == "[]"
