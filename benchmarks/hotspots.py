"""Where the time of a hot call goes, from two sides.

The whole server, over one connection: every function by the time it needed itself, from cProfile in each thread of
the worker. That makes a Python function look a third of a microsecond dearer than it is, and what waits (`poll`,
`acquire`, `perform`, half of `sendall`) looks busy; the order of the others is right. Then the WSGI app alone, called
in this process: its CPU time undisturbed, and its lines by samples of the CPU clock, which cost nothing, so the shares
are true.
"""

from __future__ import annotations

import io
import os
import pstats
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks import backends, documents
from benchmarks.load import Questions, press
from benchmarks.processes import Stage, free_port
from benchmarks.traffic import EXECUTE, TOKEN, arguments, tool_name, write_calls, wrong

CALLS = 20_000
TOP = 40
TOOLS = 10
INTERVAL = 0.001

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def run(stage: Stage) -> None:
    """Print both sides."""
    registry = documents.registry(stage.file(""), backends.fast(stage).port, TOOLS, 64, None)
    _whole_server(stage, registry)
    os.environ |= {"TOOLBRIDGE_REGISTRY": str(registry), "BENCH_TOKEN": TOKEN}
    with _silent(stage.file(".log")):
        _app_alone()


def _whole_server(stage: Stage, registry: Path) -> None:
    port, output = free_port(), stage.file(".profile")
    command = [sys.executable, "-m", "benchmarks.profiled", str(port), str(registry), str(output)]
    server = stage.start(
        "profiled", command, port, core=stage.server_core, env={"BENCH_TOKEN": TOKEN}, folder=backends.PROJECT
    )
    server.wait_for(lambda: wrong(port, EXECUTE, TOOLS), 30)
    load = press(stage, port, Questions(EXECUTE, write_calls(EXECUTE, TOOLS, stage.file(".txt"))), 1, 2 * stage.seconds)
    output.with_suffix(".now").touch()
    until = time.monotonic() + 10
    while not output.exists() and time.monotonic() < until:
        time.sleep(0.1)
    print(f"functions of the whole server by own time, {load.answers} calls over one connection")
    _show(output, load.answers)


def _show(output: Path, calls: int) -> None:
    found = pstats.Stats(str(output)).stats.items()  # type: ignore[attr-defined]
    packages: Counter[str] = Counter()
    for (file, _, _), (_, _, own, _, _) in found:
        known = (name for name in ("bridge", "gunicorn", "werkzeug") if f"{os.sep}{name}{os.sep}" in file)
        packages[next(known, "C" if file == "~" else "other Python")] += own
    for (file, line, name), (_, times, own, _, _) in sorted(found, key=lambda item: -item[1][2])[:TOP]:
        where = f"{_short(file)}:{line} " if line else ""
        print(f"{own / calls * 1e6:9.2f} µs {times / calls:6.2f} times  {where}{name}")
    print(", ".join(f"{name} {own / calls * 1e6:.0f} µs" for name, own in packages.most_common()), end="\n\n")


def _app_alone() -> None:
    from bridge.web.wsgi import app

    if not (status := _call(app, _environ(1))).startswith("200"):
        raise RuntimeError(f"the app answered {status}")
    _calls(app, 1_000)
    began, used = time.perf_counter(), time.process_time()
    _calls(app, CALLS)
    wall, cpu = (time.perf_counter() - began) / CALLS, (time.process_time() - used) / CALLS
    print(f"the app alone: {cpu * 1e6:.0f} µs CPU a call, {wall * 1e6:.0f} µs of the clock")
    lines = _Lines()
    before = signal.signal(signal.SIGPROF, lines.look)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
    _calls(app, CALLS)
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, before)
    print("its lines by CPU time; what a call into C needed stands at the next line that ran")
    for place, samples in lines.counted.most_common(TOP):
        print(f"{samples / lines.counted.total():9.1%}  {place}")


class _Lines:
    """Counts which line of ours was running, or had called what was running, every `INTERVAL` of CPU time."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()

    def look(self, _: int, frame: FrameType | None) -> None:
        """One sample."""
        while frame is not None and f"{os.sep}bridge{os.sep}" not in frame.f_code.co_filename:
            frame = frame.f_back
        if frame is not None:
            self.counted[f"{_short(frame.f_code.co_filename)}:{frame.f_lineno} {frame.f_code.co_name}"] += 1


def _short(file: str) -> str:
    return "/".join(file.split(os.sep)[-3:])


def _environ(number: int) -> dict[str, Any]:
    body = EXECUTE.body(tool_name(number % TOOLS), arguments(number)).encode()
    return {
        "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": "/api/execute", "QUERY_STRING": "",
        "RAW_URI": "/api/execute", "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "5000",
        "REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": "50000", "HTTP_HOST": "127.0.0.1:5000",
        "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)),
        "HTTP_AUTHORIZATION": f"Bearer {TOKEN}", "wsgi.version": (1, 0), "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(), "wsgi.multithread": True,
        "wsgi.multiprocess": False, "wsgi.run_once": False,
    }  # fmt: skip


def _call(app: Wsgi, environ: dict[str, Any]) -> str:
    statuses: list[str] = []
    answer = app(environ, lambda status, headers, *_: statuses.append(status))
    for _ in answer:
        pass
    if callable(close := getattr(answer, "close", None)):
        close()
    return statuses[0]


def _calls(app: Wsgi, count: int) -> None:
    for number in range(1, count + 1):
        _call(app, _environ(number))


@contextmanager
def _silent(log: Path) -> Iterator[None]:
    """Send standard error, where a line per call goes, to a file."""
    kept = os.dup(2)
    with log.open("w") as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
