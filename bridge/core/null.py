"""The null twin of each port: does nothing, and never pretends to have done something.

A policy that does not exist yet is not switched off silently: the registry refuses
the members that would ask for it, and where a *caller* asks (an idempotency key, a
confirmation, a cursor), the twin refuses as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NoReturn

from bridge.core.located import Problems
from bridge.core.model import Accepted, Answer, Call, Caller, Outcome, Tool
from bridge.core.ports import Plan
from bridge.errors import BackendUnavailable, InvalidRequest


class NullBackend:
    """Stands where a registry names a backend that there is none of: whatever a call says will do, and none is made."""

    read_only = False

    def prepare(self, plan: Plan, problems: Problems) -> NullBackend:
        """Look into nothing."""
        return self

    def execute(self, accepted: Accepted) -> Answer:
        """Refuse."""
        raise BackendUnavailable

    def explain(self, accepted: Accepted) -> Mapping[str, Any]:
        """Return nothing."""
        return {}

    def health(self) -> Mapping[str, Any]:
        """Never well."""
        return {"state": "unconfigured"}

    def close(self) -> None:
        """Hold nothing."""


class UnconfiguredBackend(NullBackend):
    """Stands for a backend that started without something it needs; `missing` says what, in sentences."""

    def __init__(self, missing: Sequence[str]) -> None:
        self._missing = tuple(missing)

    def execute(self, accepted: Accepted) -> NoReturn:
        """Refuse; the operator's log says why."""
        raise BackendUnavailable(log=f"the backend is not configured: {'; '.join(self._missing)}")

    def health(self) -> Mapping[str, Any]:
        """Say what is missing."""
        return {"state": "unconfigured", "missing": list(self._missing)}


class NullAuditLog:
    """Records nothing."""

    def intend(self, accepted: Accepted, tool: Tool) -> None:
        """Do nothing."""

    def record(self, call: Call, tool: Tool | None, outcome: Outcome, seconds: float) -> None:
        """Do nothing."""


class NullMetrics:
    """Counts nothing."""

    def observe(self, call: Call, tool: Tool | None, outcome: Outcome, seconds: float) -> None:
        """Do nothing."""


class NullCounters:
    """Admits everybody."""

    def admit(self, accepted: Accepted, tool: Tool) -> None:
        """Do nothing."""

    def leave(self, accepted: Accepted, tool: Tool) -> None:
        """Do nothing."""


class NullIdempotencyStore:
    """Stores nothing, and says so to a caller who relies on it."""

    def replay(self, accepted: Accepted, tool: Tool) -> Outcome | None:
        """Refuse a key: ignoring it could execute a write twice."""
        if accepted.call.idempotency_key is not None:
            raise InvalidRequest("Idempotency keys are not available in this version; leave the key out")
        return None

    def reserve(self, accepted: Accepted, tool: Tool) -> None:
        """Do nothing."""

    def settle(self, accepted: Accepted, tool: Tool, outcome: Outcome) -> None:
        """Do nothing."""


class NullResponseCache:
    """Keeps nothing."""

    def find(self, accepted: Accepted, tool: Tool) -> Outcome | None:
        """Find nothing."""
        return None

    def keep(self, accepted: Accepted, tool: Tool, outcome: Outcome) -> None:
        """Do nothing."""


class NullConfirmations:
    """No tool asks for a yes, so there is none to redeem."""

    def require(self, accepted: Accepted, tool: Tool) -> None:
        """Refuse a confirmation that nobody asked for."""
        if accepted.call.confirmation is not None:
            raise InvalidRequest("Confirmations are not available in this version; leave the confirmation out")


class NullCursors:
    """Cuts nothing, so no cursor is ever valid."""

    def cut(self, accepted: Accepted, tool: Tool, result: Any) -> tuple[Any, str | None]:
        """Return the whole result."""
        return result, None

    def resume(self, caller: Caller, cursor: str) -> Outcome:
        """Refuse."""
        return Outcome(error=InvalidRequest("This cursor is unknown or has expired"))


class NullStateStore:
    """Every conversation has forgotten everything."""

    def recall(self, call: Call) -> Mapping[str, Any]:
        """Return nothing."""
        return {}

    def remember(self, call: Call, values: Mapping[str, Any], seconds: float) -> None:
        """Do nothing."""


class NullSessionBook:
    """Numbers every message 1."""

    def turn(self, session: str, wait: float) -> AbstractContextManager[int]:
        """Give the turn at once."""
        return nullcontext(1)


class NullTasks:
    """Starts nothing, and says so."""

    def start(self, accepted: Accepted, tool: Tool) -> Mapping[str, Any]:
        """Refuse."""
        raise InvalidRequest("Asynchronous calls are not available in this version")


class NullSchedules:
    """Nothing is ever due."""

    def due(self, unix: float) -> Sequence[Call]:
        """Return nothing."""
        return ()


class NullSecrets:
    """Holds no secret."""

    def read(self, name: str) -> str:
        """Raise KeyError."""
        raise KeyError(name)


class NullImports:
    """Knows no source."""

    def load(self, source: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return no tools."""
        return {}
