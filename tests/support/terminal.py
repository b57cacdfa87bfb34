"""What a command prints when a person watches: its output is a terminal of 80 columns."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_STYLE = re.compile(r"\x1b\[[0-9;]*m")


def on_a_terminal(command: Sequence[str], environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run a command and return both its streams as they would be read, without bold and colours."""
    ours, theirs = os.openpty()
    more = {**os.environ, **(environ or {}), "COLUMNS": "80"}
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=more, cwd=cwd):
        os.close(theirs)
        said = b"".join(iter(lambda: _block(ours), b""))
    os.close(ours)
    return _STYLE.sub("", said.decode()).replace("\r\n", "\n")


def _block(terminal: int) -> bytes:
    # Linux reports the end of a terminal as an error, other systems as nothing more to read.
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""
