"""Small domain objects for unit tests: a tool, a call, a registry, a clock that stands still."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.core import null
from bridge.core.catalogue import ToolCatalogue
from bridge.core.model import Accepted, Answer, Call, Caller, Outcome, Registry, Tool
from bridge.core.pipeline import Pipeline, Ports

EVERYBODY = Caller("anonymous")


@dataclass
class StandingClock:
    now: float = 1_700_000_000.0

    def unix(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now - 1_700_000_000.0


def a_tool(name: str = "look", execute: Callable[[Accepted], Answer] | None = None, **members: Any) -> Tool:
    return Tool(
        **{
            "name": name,
            "description": f"{name} at something",
            "input_schema": {"type": "object"},
            "output_schema": None,
            "backend": "b",
            "accept": dict,
            "execute": execute or (lambda accepted: Answer(accepted.params, status=200)),
            "judge": lambda accepted, answer: answer.body,
            "check": lambda result: None,
            "explain": lambda accepted: {},
            "timeout": 29.0,
            "read_only": True,
        }
        | members
    )


def a_registry(*tools: Tool, **members: Any) -> Registry:
    return Registry(name="r", version="v1", tools={tool.name: tool for tool in tools}, backends={}, **members)


def a_call(tool: str = "look", arguments: Any = None, caller: Caller = EVERYBODY, **members: Any) -> Call:
    return Call("id-1", tool, {} if arguments is None else arguments, caller, "test", 1_700_000_000.0, 0.0, **members)


@dataclass
class Recorder:
    """An audit log that remembers."""

    intended: list[Accepted] = field(default_factory=list)
    recorded: list[tuple[Call, Tool | None, Outcome]] = field(default_factory=list)

    def intend(self, accepted: Accepted, tool: Tool) -> None:
        self.intended.append(accepted)

    def record(self, call: Call, tool: Tool | None, outcome: Outcome, seconds: float) -> None:
        self.recorded.append((call, tool, outcome))


def a_pipeline(registry: Registry, **ports: Any) -> Pipeline:
    clock = StandingClock()
    given: Mapping[str, Any] = {
        "catalogue": ToolCatalogue(registry, clock),
        "counters": null.NullCounters(),
        "idempotency": null.NullIdempotencyStore(),
        "cache": null.NullResponseCache(),
        "confirmations": null.NullConfirmations(),
        "cursors": null.NullCursors(),
        "audit": null.NullAuditLog(),
        "metrics": null.NullMetrics(),
        "clock": clock,
    }
    return Pipeline(Ports(**{**given, **ports}))


def accepted(params: dict[str, Any], timeout: float = 10.0, **members: Any) -> Accepted:
    """A call whose arguments a tool has accepted, with so many seconds left."""
    return Accepted(a_call(**members), params, time.monotonic() + timeout)
