"""Load on a server from the other core: wrk where it is installed, else a client of our own (slower, said aloud)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.backends import PROJECT
from benchmarks.processes import Stage, pin
from benchmarks.traffic import MARKER, Door

SCRIPT = Path(__file__).with_name("load.lua")


@dataclass(frozen=True, slots=True)
class Load:
    """What came back: right answers, sheds (503 with Retry-After), wrong answers, lost connections; milliseconds."""

    seconds: float
    right: int
    shed: int
    wrong: int
    lost: int
    p50_ms: float
    p99_ms: float
    example: str

    @property
    def answers(self) -> int:
        """All answers, whatever they said."""
        return self.right + self.shed + self.wrong


@dataclass(frozen=True, slots=True)
class Questions:
    """What a load asks: through which door, the file of requests, and how a right answer is known."""

    door: Door
    file: Path
    status: int = 200
    marker: str = MARKER


def has_wrk() -> bool:
    """Whether wrk is installed."""
    return shutil.which("wrk") is not None


class Pressure:
    """A running load: so many connections, each asking again as soon as it was answered.

    A context manager: leaving it early ends the generator. `wait` raises RuntimeError where the generator failed.
    """

    def __init__(self, stage: Stage, port: int, questions: Questions, connections: int, seconds: float) -> None:
        length = max(1, round(seconds))
        if has_wrk():
            command = ["wrk", "-t1", f"-c{connections}", f"-d{length}s", "--timeout", "60s", "-s", str(SCRIPT)]
            command += [f"http://127.0.0.1:{port}/", "--"]
        else:
            command = [sys.executable, "-m", "benchmarks.client", str(port), str(connections), str(length)]
        door = questions.door
        command += [str(questions.file), door.method, str(questions.status), questions.marker]
        command += [f"{name}={value}" for name, value in door.headers]
        self._process = subprocess.Popen(
            [*pin(stage.load_core), *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            cwd=PROJECT, start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> Pressure:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()

    def wait(self) -> Load:
        """What came back, when it is over."""
        output, _ = self._process.communicate()
        if self._process.returncode != 0:
            raise RuntimeError(f"the load generator failed:\n{output}")
        return Load(**json.loads(output.splitlines()[-1]))


def press(stage: Stage, port: int, questions: Questions, connections: int, seconds: float) -> Load:
    """Press for so long and wait for the end."""
    with Pressure(stage, port, questions, connections, seconds) as pressure:
        return pressure.wait()
