"""Processes of a run: started on a chosen core, waited for, their CPU time and memory read from /proc, always ended."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class NotStartedError(Exception):
    """A server did not come up, or answered wrongly; the text says how, with the end of its log."""


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _stat(pid: int) -> list[str] | None:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return None


def tree(root: int) -> list[int]:
    """The process and all its living descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))):
            children.setdefault(int(stat[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, []))
    return found


@dataclass(slots=True)
class Server:
    """A started process. `seconds_to_start` runs from the start of the process to its first right answer."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    port: int
    seconds_to_start: float = 0.0

    def cpu(self) -> float:
        """CPU seconds, user and system, of the whole tree so far, ended children included."""
        ticks = 0
        for pid in tree(self.process.pid):
            if stat := _stat(pid):
                ticks += sum(int(field) for field in stat[11:15])
        return ticks / TICK

    def megabytes(self) -> float:
        """Resident memory of the largest process of the tree: the worker, where there is a master beside it."""
        sizes = [int(stat[21]) for pid in tree(self.process.pid) if (stat := _stat(pid))]
        return max(sizes, default=0) * PAGE / 1e6

    def wait_for(self, ready: Callable[[], str | None], seconds: float) -> None:
        """Ask `ready` (what is still wrong, or None) until it is content. Raises NotStartedError."""
        began = time.monotonic()
        complaint: str | None = "no answer"
        while time.monotonic() - began < seconds and self.process.poll() is None:
            with suppress(OSError):
                complaint = ready()
                if complaint is None:
                    self.seconds_to_start = time.monotonic() - began
                    return
            time.sleep(0.005)
        tail = self.log.read_text(errors="replace")[-800:]
        raise NotStartedError(f"{self.name} did not start ({complaint}); the end of its log:\n{tail}")

    def end(self) -> None:
        """End the process and whatever it started: a polite signal, ten seconds, then the other one."""
        everyone = tree(self.process.pid)
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        for pid in everyone:
            if _stat(pid) is not None and self._ours(pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def _ours(self, pid: int) -> bool:
        stat = _stat(pid)
        return stat is not None and int(stat[3]) == self.process.pid


@dataclass
class Stage:
    """Where a run happens: its folder, its two cores, how long it measures, and everything it has started."""

    folder: Path
    seconds: float
    rounds: int
    peers: bool
    server_core: int
    load_core: int
    _open: ExitStack = field(default_factory=ExitStack)
    _count: Iterator[int] = field(default_factory=lambda: iter(range(1_000_000)))

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def file(self, suffix: str) -> Path:
        """A path in the run's folder that nobody else uses."""
        return self.folder / f"{next(self._count)}{suffix}"

    def sub(self, at_least: float = 0) -> Stage:
        """The same stage for a part: what is started on it ends when it is left; `at_least` are its seconds."""
        seconds = max(self.seconds, at_least)
        return Stage(
            self.folder, seconds, self.rounds, self.peers, self.server_core, self.load_core, _count=self._count
        )

    def start(
        self, name: str, command: Sequence[str], port: int, *, core: int, env: dict[str, str] | None = None,
        folder: Path | None = None,
    ) -> Server:  # fmt: skip
        """Start a command in a session of its own, pinned to a core; it ends with the stage."""
        log = self.file(".log")
        with log.open("wb") as out:
            process = subprocess.Popen(
                [*pin(core), *command], stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                env={**os.environ, **(env or {})}, cwd=folder or self.folder,
            )  # fmt: skip
        server = Server(name, process, log, port)
        self._open.callback(server.end)
        return server


def pin(core: int) -> list[str]:
    """The words before a command that keep it on one core; none where the system cannot."""
    return ["taskset", "-c", str(core)] if shutil.which("taskset") else []
