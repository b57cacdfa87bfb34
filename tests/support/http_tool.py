"""One prepared http call for tests: `HttpCall(server.url("/v1"), "GET /x/{id}", {"id": {}})(id="7")`."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from bridge.backends.http import HttpBackend
from bridge.core.expressions import Scope
from bridge.core.located import Mark, Problems, Table
from bridge.core.model import Accepted, Answer, Caller, Parameter
from bridge.core.ports import Plan, Resources
from tests.support.domain import accepted

RESOURCES = Resources("auto", 1_000_000, 8)
CALLER = Caller("alice", "acme", frozenset({"s"}))


def located(value: Any, mark: Mark = Mark("t.yaml", 1, 1)) -> Any:
    """`value` as a loader would give it, every part at one mark."""
    if isinstance(value, dict):
        table = Table(mark)
        for key, item in value.items():
            table[key] = located(item)
            table.keys_at[key] = table.values_at[key] = mark
        return table
    return value


class HttpCall:
    """Prepares a call; calling it with params executes it, `mistakes` are what preparing reported."""

    def __init__(
        self,
        base_url: str,
        call: Any,
        parameters: dict[str, dict[str, Any]] | None = None,
        *,
        read_only: bool | None = None,
        **options: Any,
    ) -> None:
        document = located({"call": call})
        problems = Problems(document)
        self.backend = HttpBackend({"base_url": base_url, **options}, RESOURCES, problems)
        known = {name: Parameter(**{"name": name, "wire": name, **members}) for name, members in (parameters or {}).items()}
        scope = Scope(frozenset({"params", "caller", "call"}), frozenset(known))
        self.tool = self.backend.prepare(Plan(document["call"], known, scope, read_only), problems.at("call"))
        self.mistakes = [item.message for item in problems.errors]
        self.warnings = [item.message for item in problems.found if item.severity == "warning"]

    def accepted(self, params: dict[str, Any], timeout: float = 10.0) -> Accepted:
        return accepted(params, timeout, caller=CALLER)

    def __call__(self, **params: Any) -> Answer:
        return self.tool.execute(self.accepted(params))

    def __enter__(self) -> HttpCall:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.backend.close()
