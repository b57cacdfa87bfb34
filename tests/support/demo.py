"""`toolbridge demo` as a person starts it, on a port of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

#: Seconds for the demo to come up or to end; ten times what a slow machine takes.
PATIENCE = 60


@dataclass
class Demo:
    """A running demo: its process, its address, and what it printed so far."""

    process: subprocess.Popen[str]
    url: str
    said: str

    def stop(self, with_signal: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        """End it; return the exit code and what it printed since, on either stream."""
        self.process.send_signal(with_signal)
        said, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, said


@contextmanager
def running_demo(*options: str) -> Iterator[Demo]:
    """Run the demo until the block ends."""
    command = [sys.executable, "-m", "bridge", "demo", "--port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with process:
        said = ""
        while '"name"' not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        demo = Demo(process, re.search(r"http://127\.0\.0\.1:\d+", said)[0], said)
        try:
            yield demo
        finally:
            if process.poll() is None:
                demo.stop()
