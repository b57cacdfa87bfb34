"""The command: `python -m benchmarks [hot latency crowd growth overload] [--peers] [--seconds N] [--rounds N]`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks import crowd, growth, hot, hotspots, latency, overload, report
from benchmarks.backends import has_nginx
from benchmarks.load import has_wrk
from benchmarks.measure import Scene
from benchmarks.processes import Stage

SCENARIOS: Mapping[str, Callable[[Stage], Scene]] = {
    "hot": hot.run,
    "latency": latency.run,
    "crowd": crowd.run,
    "growth": growth.run,
    "overload": overload.run,
}

BUSY = 0.5
"""The load average from which a run warns that somebody else is using the machine."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure toolbridge beside its peers.")
    names = (*SCENARIOS, "profile")
    scenarios = f"{', '.join(names)} (default: all but the last)"
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=scenarios)
    parser.add_argument("--peers", action="store_true", help="measure nginx, MCP Toolbox, FastMCP and the SDK as well")
    parser.add_argument("--seconds", type=float, default=2, help="length of one measurement (default: 2)")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each; the median counts (default: 3)")
    parser.add_argument("--dry", action="store_true", help="print only: no results file, no table in the documentation")
    given = parser.parse_args()
    if unknown := set(given.scenarios) - set(names):
        parser.error(f"there is no scenario called {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    if given.seconds < 1 or given.rounds < 1:
        parser.error("--seconds and --rounds are at least 1")
    return given


def _cores() -> tuple[int, int]:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        print("! only one core: server, backend and load share it", file=sys.stderr)
    return cores[0], cores[-1]


def _measure(stage: Stage, names: list[str], *, dry: bool) -> None:
    scenes: dict[str, Scene] = {}
    for name in names:
        began = time.monotonic()
        print(f"{name} ...", file=sys.stderr, flush=True)
        with stage.sub() as part:
            scenes[name] = SCENARIOS[name](part)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        print(report.scene_table(scenes[name]), end="\n\n", flush=True)
        for row in scenes[name].rows:
            if row.example:
                print(f"! {row.name}: a wrong answer was: {row.example}", file=sys.stderr)
    print(report.budget_table(scenes))
    if not dry:
        report.document(stage, scenes)
        print(f"\nwritten: {report.keep(stage, scenes)}, {report.DOCUMENT}")


def main() -> None:
    """Run the scenarios asked for; whatever was started ends with them, also on Ctrl-C and SIGTERM."""
    given = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    if not has_wrk():
        print("! wrk is missing: the built-in client presses less hard", file=sys.stderr)
    if not has_nginx():
        print("! nginx is missing: a small built-in backend answers instead", file=sys.stderr)
    if (busy := os.getloadavg()[0]) > BUSY:
        print(f"! the machine is busy (load average {busy:.1f}): waiting is longer than it should be", file=sys.stderr)
    server_core, load_core = _cores()
    with tempfile.TemporaryDirectory(prefix="toolbridge-bench-") as folder:
        stage = Stage(Path(folder), given.seconds, given.rounds, given.peers, server_core, load_core)
        with stage:
            if "profile" in given.scenarios:
                hotspots.run(stage)
            names = [name for name in SCENARIOS if name in (given.scenarios or SCENARIOS)]
            if names:
                _measure(stage, names, dry=given.dry)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("ended")
