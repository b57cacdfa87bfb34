"""What a run found: tables with ratios for people, one JSON file a day, the tables in the documentation."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import install
from benchmarks.backends import PROJECT, has_nginx
from benchmarks.budget import NGINX, TOOLBOX, best, promises
from benchmarks.load import has_wrk
from benchmarks.measure import Row, Scene
from benchmarks.processes import Stage

RESULTS = Path(__file__).with_name("results")
DOCUMENT = PROJECT / "docs" / "performance.md"

_RATED = {"hot": "per_core", "crowd": "per_second"}
"""The figure that the ratios of a scenario compare."""

_COMMON = (("p50, ms", "p50_ms", ".2f"), ("p99, ms", "p99_ms", ".2f"))
_COLUMNS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "hot": (("CPU per call, µs", "cpu_us", ".0f"), ("calls/s per core", "per_core", ",.0f"), *_COMMON),
    "latency": (*_COMMON, ("calls/s", "per_second", ",.0f")),
    "crowd": (("calls/s", "per_second", ",.0f"), *_COMMON, ("memory, MB", "megabytes", ".0f")),
    "growth": (
        ("start, s", "start_s", ".2f"), ("memory, MB", "megabytes", ".0f"), ("CPU per call, µs", "cpu_us", ".0f"),
        ("CPU of a list, ms", "list_ms", ".2f"), ("unchanged, ms", "unchanged_ms", ".2f"),
    ),
    "overload": (("right answers/s", "per_second", ",.0f"), ("shed", "shed", ",.0f"), *_COMMON),
}  # fmt: skip
_TITLES = {
    "hot": "One call, 16 connections",
    "latency": "Waiting, by connections",
    "crowd": "Many callers on a slow backend",
    "growth": "More tools",
    "overload": "Three times the load",
}


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns line up on a terminal too."""
    widths = [max(len(line[at]) for line in (head, *lines)) for at in range(len(head))]

    def row(cells: Sequence[str]) -> str:
        first, *rest = cells
        others = (cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
        return "| " + " | ".join((first.ljust(widths[0]), *others)) + " |"

    rule = "|" + "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]) + "|"
    return "\n".join((row(head), rule, *(row(line) for line in lines)))


def _ratios(scene: Scene, row: Row) -> list[str]:
    figure = _RATED[scene.scenario]
    if not row.compared:
        return ["", "", ""]
    bases = (scene.figure(TOOLBOX, figure), best(scene, figure), scene.figure(NGINX, figure))
    return [f"{row.figures[figure] / base:.2f}" if base and figure in row.figures else "" for base in bases]


def scene_table(scene: Scene) -> str:
    """One scenario's rows, with ratios to MCP Toolbox, FastMCP's best and nginx where they compare."""
    rated = scene.scenario in _RATED and scene.figure(TOOLBOX, _RATED[scene.scenario]) is not None
    columns = _COLUMNS[scene.scenario]
    head = ["", *(heading for heading, _, _ in columns), *(("x Toolbox", "x FastMCP", "x nginx") if rated else ())]
    head.append("errors")
    lines = []
    for row in scene.rows:
        cells = [format(row.figures[figure], how) if figure in row.figures else "" for _, figure, how in columns]
        bad = ("wrong", "lost", "list_wrong", *(() if scene.scenario == "overload" else ("shed",)))
        errors = sum(row.figures.get(figure, 0) for figure in bad)
        lines.append([row.name, *cells, *(_ratios(scene, row) if rated else ()), f"{errors:.0f}"])
    lines += [[f"{name}: did not take part", *[""] * (len(head) - 1)] for name in scene.missing]
    return f"**{_TITLES[scene.scenario]}**\n\n" + table(head, lines)


def budget_table(scenes: Mapping[str, Scene]) -> str:
    """The promises, met or missed."""
    words = {True: "met", False: "**missed**", None: "not measured"}
    lines = [
        [promise.what, promise.bounds, "" if promise.value is None else f"{promise.value:.4g}", words[promise.met]]
        for promise in promises(scenes)
    ]
    return "**The budget**\n\n" + table(["", "promised", "measured", ""], lines)


def surroundings(stage: Stage) -> dict[str, Any]:
    """The machine, the versions, and how it was measured."""
    model = next((line for line in _lines("/proc/cpuinfo") if line.startswith("model name")), ":").split(":")[1].strip()
    versions = {name: importlib.metadata.version(name) for name in ("toolbridge", "gunicorn", "Flask", "pycurl")}
    if stage.peers:
        fastmcp = install.fastmcp_version() or "not installed"
        versions |= {"fastmcp": fastmcp, "toolbox": install.TOOLBOX.rpartition("@")[2]}
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "commit": _commit(),
        "versions": versions,
        "backend": "nginx" if has_nginx() else "the built-in stand-in (nginx is missing)",
        "load": "wrk" if has_wrk() else "the built-in client (wrk is missing)",
        "load_average": os.getloadavg()[0],
        "seconds": stage.seconds,
        "rounds": stage.rounds,
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def _commit() -> str:
    command = ["git", "-C", str(PROJECT), "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def keep(stage: Stage, scenes: Mapping[str, Scene]) -> Path:
    """Write today's file; scenarios that were not run this time keep what an earlier run of today found."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}.json"
    runs = json.loads(file.read_text()) if file.exists() else {}
    run = runs.setdefault("peers" if stage.peers else "alone", {"scenes": {}})
    run["surroundings"] = surroundings(stage)
    run["scenes"] |= {name: dataclasses.asdict(scene) for name, scene in scenes.items()}
    file.write_text(json.dumps(runs, indent=1) + "\n")
    return file


def document(stage: Stage, scenes: Mapping[str, Scene]) -> None:
    """Put each scenario's table between its markers in docs/performance.md; `scenes` is what this run measured."""
    kind = "peers" if stage.peers else "alone"
    about = surroundings(stage)
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    note = (
        f"{datetime.now(UTC):%Y-%m-%d}, {about['cpu']}, Python {about['python']}, {versions}; "
        f"backend: {about['backend']}; load: {about['load']}; medians of {stage.rounds} rounds of {stage.seconds:g} s."
    )
    text = DOCUMENT.read_text()
    for name, scene in scenes.items():
        text = _between(text, f"{name} {kind}", f"{note}\n\n{scene_table(scene)}\n\n{budget_table({name: scene})}")
    DOCUMENT.write_text(text)


def _between(text: str, marker: str, content: str) -> str:
    begin, end = f"<!-- {marker} -->", f"<!-- end of {marker} -->"
    before, found, rest = text.partition(begin)
    if not found:
        return f"{text.rstrip()}\n\n{begin}\n{content}\n{end}\n"
    return f"{before}{begin}\n{content}\n{end}{rest.partition(end)[2]}"
