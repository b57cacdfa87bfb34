"""The real server, as people start it: gunicorn over a registry file, on a free port, stopped by its pid.

    with serving(registry, workers=2) as server:
        answer = server.request("POST", "/call", {"name": "echo"}, Authorization="Bearer t")
        assert answer.status == 200 and answer.json["success"]
"""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from threading import Thread
from typing import Any

from tests.support.raw_client import RawClient
from tests.support.strict_json import Answered

ROOT = Path(__file__).resolve().parent.parent.parent

#: Seconds for the server to start and to stop.
STARTING, STOPPING = 30.0, 15.0


class Server:
    """A running master with its workers. `lines` are what it has written to standard error so far."""

    host = "127.0.0.1"

    def __init__(self, process: subprocess.Popen[str], workers: int, tls: ssl.SSLContext | None) -> None:
        self.process = process
        self.tls = tls
        self.expected = workers
        self.port = 0
        self.lines: list[str] = []
        self._collector = Thread(target=self._collect)
        self._collector.start()

    def _collect(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))
            if found := re.search(r"Listening at: https?://[^:]+:(\d+)", line):
                self.port = int(found[1])

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def workers(self) -> frozenset[int]:
        """Return the pids of the worker processes."""
        pid = self.process.pid
        return frozenset(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))

    def await_start(self) -> None:
        """Wait until every worker is there and a request is answered."""
        until = time.monotonic() + STARTING
        while time.monotonic() < until and self.process.poll() is None:
            if self.port and len(self.workers()) == self.expected:
                try:
                    assert self.request("GET", "/health/live").status == 200
                except ConnectionError:
                    pass
                else:
                    return
            time.sleep(0.02)
        raise AssertionError("the server did not start:\n" + "\n".join(self.lines))

    def request(self, method: str, path: str, body: Any = None, /, **headers: str) -> Answered:
        """Send one request over a connection of its own; a body that is not bytes goes as JSON."""
        connection = (
            HTTPSConnection(self.host, self.port, timeout=20, context=self.tls)
            if self.tls
            else HTTPConnection(self.host, self.port, timeout=20)
        )
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            named = {"Content-Type": "application/json"} | named
        try:
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answered(answer.status, found, answer.read())
        finally:
            connection.close()

    def connect(self, timeout: float = 10.0) -> RawClient:
        """Return a connection to send raw bytes over."""
        return RawClient(self.host, self.port, timeout=timeout)

    def memory(self) -> int:
        """Return the largest resident size of any worker so far, in bytes."""
        status = [Path(f"/proc/{pid}/status").read_text() for pid in self.workers()]
        return max(int(re.findall(r"VmHWM:\s+(\d+)", text)[0]) for text in status) * 1024

    def stop(self) -> int:
        """Ask the master to end, wait for it, and return its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(STOPPING)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(STOPPING)
        finally:
            self._collector.join(STOPPING)


def environment(registry: Path | None, given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a server: this process's own without any setting of the bridge, then `given`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TOOLBRIDGE_", "GUNICORN_"))}
    kept.pop("PORT", None)
    named = {} if registry is None else {"TOOLBRIDGE_REGISTRY": str(registry)}
    return kept | named | {"PYTHONDONTWRITEBYTECODE": "1"} | dict(given)


@contextmanager
def serving(
    registry: Path | None = None,
    *options: str,
    app: str = "wsgi:app",
    bind: str = "127.0.0.1:0",
    workers: int = 2,
    before: Sequence[str] = (),
    tls: ssl.SSLContext | None = None,
    env: Mapping[str, str] = {},
) -> Iterator[Server]:
    """Start gunicorn with `app` (over `registry`), yield it when it answers, and stop it.

    `before` is a command that runs the one behind it, with limits for example; `tls` is the client's side.
    """
    command = [*before, sys.executable, "-m", "gunicorn", app, "--bind", bind, "--workers", str(workers), *options]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(registry, env), stderr=subprocess.PIPE, text=True, errors="replace"
    )
    with process:
        server = Server(process, workers, tls)
        try:
            server.await_start()
            yield server
        finally:
            server.stop()
