"""The peers, installed beside the harness in exact versions: a Python environment, granian, and an npm package."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.processes import NotStartedError

PEERS = Path(__file__).with_name(".peers")

FASTMCP = ("4.1.6", "4.1.2")
"""The version wanted, then the one taken where an index does not have everything that the first one needs."""

PYTHON_PARTS = ("uvicorn==0.54.0", "uvloop==0.23.0", "httptools==0.9.0", "jsonschema==4.26.0")
GRANIAN = "granian==2.8.7"
TOOLBOX = "@toolbox-sdk/server@1.12.0"


def _run(what: str, command: list[str]) -> None:
    print(f"installing {what} ...", file=sys.stderr, flush=True)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotStartedError(f"{what} could not be installed: {error}") from None
    if done.returncode != 0:
        raise NotStartedError(f"{what} could not be installed: {(done.stderr or done.stdout).strip()[-400:]}")


def fastmcp_version(folder: Path = PEERS / "python") -> str | None:
    """The version of FastMCP that is installed, or None."""
    found = next(folder.glob("lib/python*/site-packages/fastmcp-[0-9]*.dist-info"), None)
    return found.name.removeprefix("fastmcp-").removesuffix(".dist-info") if found else None


def python_peers() -> tuple[Path, str]:
    """The interpreter that has FastMCP and the official SDK, and FastMCP's version. Raises NotStartedError."""
    folder = PEERS / "python"
    python = folder / "bin" / "python"
    if not python.exists():
        _run("an environment for the Python peers", [sys.executable, "-m", "venv", str(folder)])
    for version in FASTMCP:
        if found := fastmcp_version(folder):
            return python, found
        try:
            wanted = [f"fastmcp=={version}", *PYTHON_PARTS]
            _run(f"FastMCP {version}", [str(python), "-m", "pip", "install", "--quiet", *wanted])
        except NotStartedError:
            if version == FASTMCP[-1]:
                raise
    found = fastmcp_version(folder)
    assert found is not None, "pip said that it had installed it"
    return python, found


def granian() -> Path:
    """A folder for PYTHONPATH that adds granian to our own environment (it needs nothing that is not there)."""
    folder = PEERS / "granian"
    if not (folder / "granian").is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), GRANIAN]
        _run(GRANIAN, command)
    return folder


def toolbox() -> Path:
    """MCP Toolbox's binary, out of its npm package, so that no node process is measured. Raises NotStartedError."""
    prefix = PEERS / "toolbox"
    if _toolbox_binary(prefix) is None:
        if shutil.which("npm") is None:
            raise NotStartedError(f"{TOOLBOX} could not be installed: there is no npm")
        command = ["npm", "install", "--prefix", str(prefix), "--no-audit", "--no-fund", "--no-save", TOOLBOX]
        _run(TOOLBOX, command)
    binary = _toolbox_binary(prefix)
    if binary is None:
        raise NotStartedError(f"{TOOLBOX} has no binary for {platform.system()} {platform.machine()}")
    return binary


def _toolbox_binary(prefix: Path) -> Path | None:
    binary = next(prefix.glob("node_modules/@toolbox-sdk/server-*/bin/toolbox"), None)
    if binary is not None and not os.access(binary, os.X_OK):
        binary.chmod(0o755)
    return binary
