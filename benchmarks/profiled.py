"""`toolbridge serve`, every thread of its worker under cProfile: `python -m benchmarks.profiled PORT REGISTRY OUTPUT`.

The worker writes the sum of its threads' profiles to OUTPUT as soon as there is a file OUTPUT with the ending `.now`.
Meant for one connection: with more, a thread that waits for the interpreter's lock looks busy.
"""

from __future__ import annotations

import cProfile
import os
import pstats
import sys
import threading
import time
from pathlib import Path

from bridge.settings import Settings
from bridge.web.serve import serve

_run = threading.Thread.run
_profiles: list[cProfile.Profile] = []


def _run_profiled(thread: threading.Thread) -> None:
    profile = cProfile.Profile()
    _profiles.append(profile)
    profile.enable()
    _run(thread)


def _write(output: Path) -> None:
    while not output.with_suffix(".now").exists():
        time.sleep(0.1)
    found = [profile for profile in _profiles if profile.getstats()]
    pstats.Stats(*found).dump_stats(output)


if __name__ == "__main__":
    port, registry, output = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    # The watcher keeps the plain `run`: it would only profile its own sleep.
    watcher = type("Watcher", (threading.Thread,), {"run": _run})
    os.register_at_fork(after_in_child=lambda: watcher(target=_write, args=(output,), daemon=True).start())
    threading.Thread.run = _run_profiled  # type: ignore[method-assign,assignment]
    serve(Settings(port=port, registry=registry, workers=1, threads=8))
