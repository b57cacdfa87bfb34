"""`toolbridge serve`: its options are the settings, and what cannot be served ends with a sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bridge.cli import main
from bridge.settings import TABLE

REGISTRY = "bridge: 1\nname: mirror\nbackends:\n  mirror: {type: echo}\n"
PATIENCE = 60


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    file = tmp_path / "registry.yaml"
    file.write_text(REGISTRY + "tools:\n  repeat: {description: Say it again., backend: mirror}\n", "utf-8")
    return file


def _serve(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bridge", "serve", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_help_names_every_setting_and_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for row in TABLE:
        if row.name != "registry":
            assert row.variable in said
            assert row.help in said
    assert "[PORT; default: 5000]" in said


@pytest.mark.parametrize("option", [("--port", "0"), ("--port", "70000"), ("--workers", "0"), ("--threads", "x")])
def test_a_value_that_an_option_cannot_take_is_exit_code_2(registry: Path, option, capsys) -> None:
    assert main(["serve", str(registry), *option]) == 2
    assert f"Invalid value for '{option[0]}'" in capsys.readouterr().err


def test_a_registry_with_mistakes_is_not_served(registry: Path) -> None:
    registry.write_text(REGISTRY + "tools:\n  repeat: {description: Say it again., backend: miror}\n", "utf-8")
    done = _serve(registry)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("(did you mean 'mirror'?)\nError: The registry has 1 mistake.\n")


def test_an_address_for_strangers_is_refused_while_nobody_has_to_authenticate(registry: Path) -> None:
    done = _serve(registry, "--host", "0.0.0.0", "--port", "1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nobody has to authenticate" in done.stderr
    assert "Traceback" not in done.stderr
