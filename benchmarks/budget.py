"""The promises about speed, each held against what a run measured: met, missed, or not measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks import crowd, latency
from benchmarks.measure import Scene

OURS, OUR_CALL = "toolbridge /api/execute", "toolbridge /call"
GRANIAN = "toolbridge under granian /api/execute"
NGINX, TOOLBOX = "nginx proxy_pass GET", "MCP Toolbox /mcp"
FASTMCP = ("FastMCP from_openapi /mcp", "FastMCP tool with httpx /mcp")


@dataclass(frozen=True, slots=True)
class Promise:
    """One line of the budget: what, its bounds, what was measured (None where it was not)."""

    what: str
    value: float | None
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the value is within the bounds; None where nothing was measured."""
        if self.value is None:
            return None
        low = self.at_least is None or self.value >= self.at_least
        return low and (self.at_most is None or self.value <= self.at_most)

    @property
    def bounds(self) -> str:
        """The bounds in words."""
        words = [f"at least {self.at_least:g}"] if self.at_least is not None else []
        return " and ".join(words + ([f"at most {self.at_most:g}"] if self.at_most is not None else []))


def _ratio(one: float | None, other: float | None) -> float | None:
    return one / other if one is not None and other else None


def best(scene: Scene, figure: str) -> float | None:
    """FastMCP's better variant in this scene, by a figure where more is better."""
    return max((value for name in FASTMCP if (value := scene.figure(name, figure)) is not None), default=None)


def promises(scenes: Mapping[str, Scene]) -> list[Promise]:
    """Every promise about the scenarios that were run."""
    found: list[Promise] = []
    for scenario, of in (("hot", _hot), ("latency", _latency), ("crowd", _crowd), ("growth", _growth)):
        if scenario in scenes:
            found += of(scenes[scenario])
    if "overload" in scenes:
        found += _overload(scenes["overload"])
    return found


def _hot(scene: Scene) -> list[Promise]:
    toolbox, nginx = (scene.figure(name, "per_core") for name in (TOOLBOX, NGINX))
    fastmcp = best(scene, "per_core")
    found = []
    for name in (OURS, OUR_CALL):
        ours = scene.figure(name, "per_core")
        found.append(Promise(f"{name}, calls per core, x FastMCP's best", _ratio(ours, fastmcp), at_least=6))
        found.append(Promise(f"{name}, calls per core, x MCP Toolbox /mcp", _ratio(ours, toolbox), at_least=0.7))
    granian = scene.figure(GRANIAN, "per_core")
    found.append(Promise("under granian, calls per core, x MCP Toolbox /mcp", _ratio(granian, toolbox), at_least=1.5))
    found.append(Promise("under granian, calls per core, x nginx", _ratio(granian, nginx), at_least=0.12))
    return found


def _latency(scene: Scene) -> list[Promise]:
    found = []
    for figure, bound in (("p50_ms", 0.6), ("p99_ms", 3.0)):
        ours, direct = scene.figure(f"{OURS}, 1", figure), scene.figure(f"{latency.DIRECTLY}, 1", figure)
        added = ours - direct if ours is not None and direct is not None else None
        found.append(Promise(f"one connection, added {figure[:3]}, ms", added, at_most=bound))
    for many, bound in ((16, 12.0), (64, 32.0)):
        found.append(Promise(f"{many} connections, p99, ms", scene.figure(f"{OURS}, {many}", "p99_ms"), at_most=bound))
    return found


def _crowd(scene: Scene) -> list[Promise]:
    ours = scene.figure(OURS, "per_second")
    toolbox, fastmcp = scene.figure(TOOLBOX, "per_second"), best(scene, "per_second")
    unanswered = [scene.figure(crowd.BIG, figure) for figure in ("shed", "wrong", "lost")]
    alone, beside = scene.figure(crowd.BESIDE_ALONE, "p99_ms"), scene.figure(crowd.BESIDE_CROWD, "p99_ms")
    return [
        Promise("256 callers on 200 ms, calls/s, x MCP Toolbox", _ratio(ours, toolbox), at_least=0.95),
        Promise("256 callers on 200 ms, calls/s, x FastMCP's best", _ratio(ours, fastmcp), at_least=6),
        Promise("256 callers on 200 ms, p99, ms", scene.figure(OURS, "p99_ms"), at_most=400),
        Promise(
            "500 callers on 1 s, calls not answered",
            None if unanswered[0] is None else sum(part or 0 for part in unanswered), at_most=0,
        ),
        Promise("beside them, another backend's p99, x its own alone", _ratio(beside, alone), at_most=2),
    ]  # fmt: skip


def _growth(scene: Scene) -> list[Promise]:
    def of(tools: int, figure: str) -> float | None:
        return scene.figure(f"{OURS}, {tools} tools", figure)

    return [
        Promise("CPU per call, 10,000 tools, x 10 tools", _ratio(of(10_000, "cpu_us"), of(10, "cpu_us")), 0.95, 1.05),
        Promise("start with 1,000 tools, s", of(1_000, "start_s"), at_most=1),
        Promise("start with 10,000 tools, s", of(10_000, "start_s"), at_most=5),
        Promise("memory with 10 tools, MB", of(10, "megabytes"), at_most=80),
        Promise("memory with 10,000 tools, MB", of(10_000, "megabytes"), at_most=200),
        Promise(
            "a list of 10,000 that has not changed, CPU, x the whole list",
            _ratio(of(10_000, "unchanged_ms"), of(10_000, "list_ms")), at_most=1,
        ),
    ]  # fmt: skip


def _overload(scene: Scene) -> list[Promise]:
    found = []
    for scarce in ("CPU", "places"):
        peak = next((row for row in scene.rows if row.name.startswith(f"{scarce}: peak")), None)
        over = next((row for row in scene.rows if row.name.startswith(f"{scarce}: three")), None)
        good = _ratio(over.figures["per_second"], peak.figures["per_second"]) if over and peak else None
        bad = over.figures["wrong"] + over.figures["lost"] if over else None
        found.append(Promise(f"three times the load, short of {scarce}: goodput, x the peak", good, at_least=0.8))
        found.append(Promise(f"three times the load, short of {scarce}: answers but 200 and 503", bad, at_most=0))
    return found
