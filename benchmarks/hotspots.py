"""Where the time of a hot call goes: the WSGI app called directly, in this process, against the fast backend.

Three looks at the same calls: CPU per call undisturbed; lines by samples of the CPU clock (no overhead, so the shares
are true); functions by own time (cProfile, which makes Python functions look dearer than C). What gunicorn adds is not
in it: that is the difference to the hot scenario.
"""

from __future__ import annotations

import cProfile
import io
import os
import pstats
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

from benchmarks import backends, documents
from benchmarks.processes import Stage
from benchmarks.traffic import EXECUTE, TOKEN, arguments, tool_name

CALLS = 20_000
TOP = 25
INTERVAL = 0.001

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def _environ(number: int, tools: int) -> dict[str, Any]:
    body = EXECUTE.body(tool_name(number % tools), arguments(number)).encode()
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
    for environ in [_environ(number, 10) for number in range(1, count + 1)]:
        _call(app, environ)


class _Lines:
    """Counts which line of which file was running, every `INTERVAL` of CPU time, and the nearest line of ours below."""

    def __init__(self) -> None:
        self.own: Counter[str] = Counter()
        self.ours: Counter[str] = Counter()

    def look(self, _: int, frame: FrameType | None) -> None:
        """One sample."""
        if frame is not None:
            self.own[_place(frame)] += 1
        while frame is not None and f"{os.sep}bridge{os.sep}" not in frame.f_code.co_filename:
            frame = frame.f_back
        self.ours[_place(frame) if frame is not None else "outside bridge/"] += 1

    def show(self, title: str, counted: Counter[str]) -> None:
        """The hottest places, in per cent."""
        print(f"\n{title}")
        for place, samples in counted.most_common(TOP):
            print(f"{samples / counted.total():7.1%}  {place}")


def _place(frame: FrameType) -> str:
    folders = frame.f_code.co_filename.split(os.sep)
    return f"{'/'.join(folders[-3:])}:{frame.f_lineno} {frame.f_code.co_name}"


def run(stage: Stage) -> None:
    """Print the three looks."""
    backend = backends.fast(stage)
    file = documents.registry(stage.file(""), backend.port, 10, 64, None)
    os.environ |= {"TOOLBRIDGE_REGISTRY": str(file), "BENCH_TOKEN": TOKEN}
    log = stage.file(".log").open("w")
    kept, place = os.dup(2), log.fileno()
    os.dup2(place, 2)
    try:
        _look()
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        log.close()


def _look() -> None:
    from bridge.web.wsgi import app

    status = _call(app, _environ(1, 10))
    if not status.startswith("200"):
        raise RuntimeError(f"the app answered {status}")
    _calls(app, 1_000)
    began, used = time.perf_counter(), time.process_time()
    _calls(app, CALLS)
    wall, cpu = (time.perf_counter() - began) / CALLS, (time.process_time() - used) / CALLS
    print(f"one direct WSGI call: {cpu * 1e6:.0f} µs CPU, {wall * 1e6:.0f} µs of the clock")
    lines = _Lines()
    before = signal.signal(signal.SIGPROF, lines.look)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
    _calls(app, CALLS)
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, before)
    lines.show("lines by own CPU time", lines.own)
    lines.show("our lines by CPU time, with what they call outside bridge/", lines.ours)
    profile = cProfile.Profile()
    profile.runcall(_calls, app, CALLS)
    text = io.StringIO()
    pstats.Stats(profile, stream=text).sort_stats("tottime").print_stats(TOP)
    print(text.getvalue())
