"""The life of a call. The order of the steps is security: it stands in one tuple, `STEPS`.

Each step is a function over the run and the ports. It raises an error of the tree to
end the call, returns an Outcome to answer it early (a stored answer), or returns None
to let it go on. Whatever happens, the call is settled and audited.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bridge.core.model import Accepted, Answer, Call, Caller, Outcome, Tool
from bridge.core.ports import (
    AuditLog,
    Catalogue,
    Clock,
    Confirmations,
    Counters,
    Cursors,
    IdempotencyStore,
    Metrics,
    ResponseCache,
)
from bridge.errors import BridgeError, Forbidden, InternalError


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything the steps talk to."""

    catalogue: Catalogue
    counters: Counters
    idempotency: IdempotencyStore
    cache: ResponseCache
    confirmations: Confirmations
    cursors: Cursors
    audit: AuditLog
    metrics: Metrics
    clock: Clock


class Run:
    """How far one call has come; each step fills in what the next ones need."""

    __slots__ = ("accepted", "admitted", "answer", "call", "cursor", "reserved", "result", "tool")

    tool: Tool
    accepted: Accepted
    answer: Answer

    def __init__(self, call: Call) -> None:
        self.call = call
        self.admitted = self.reserved = False
        self.result: Any = None
        self.cursor: str | None = None


def resolve(run: Run, ports: Ports) -> None:
    """What this caller cannot see does not exist."""
    call = run.call
    run.tool = ports.catalogue.find(call.caller, call.toolset, call.tool)


def authorise(run: Run, ports: Ports) -> None:
    """A missing scope is named, so that somebody can grant it."""
    missing = run.call.caller.lacks(run.tool.scopes)
    if missing:
        raise Forbidden(f"This call needs the scope {', '.join(sorted(missing))}")


def validate(run: Run, ports: Ports) -> None:
    """From here on there are params instead of arguments, and a deadline."""
    deadline = min(run.call.deadline, run.call.started + run.tool.timeout)
    run.accepted = Accepted(run.call, run.tool.accept(run.call.arguments), deadline)


def limit(run: Run, ports: Ports) -> None:
    """Count the call, or refuse it."""
    ports.counters.admit(run.accepted, run.tool)
    run.admitted = True


def replay(run: Run, ports: Ports) -> Outcome | None:
    """Give a stored answer again: of the same idempotency key, or from the cache."""
    return ports.idempotency.replay(run.accepted, run.tool) or ports.cache.find(run.accepted, run.tool)


def confirm(run: Run, ports: Ports) -> None:
    """A write that wants a person's yes waits for it."""
    ports.confirmations.require(run.accepted, run.tool)


def reserve(run: Run, ports: Ports) -> None:
    """Claim the idempotency key: from here on the write may happen."""
    ports.idempotency.reserve(run.accepted, run.tool)
    run.reserved = True


def execute(run: Run, ports: Ports) -> None:
    """Ask the backend; a write is on record before it is reached."""
    if not run.tool.read_only:
        ports.audit.intend(run.accepted, run.tool)
    run.answer = run.tool.execute(run.accepted)


def shape(run: Run, ports: Ports) -> None:
    """Turn the answer into the result, or into the error that the registry maps it to."""
    run.result = run.tool.judge(run.accepted, run.answer)


def check(run: Run, ports: Ports) -> None:
    """What the caller gets keeps the promise of `output_schema`."""
    run.tool.check(run.result)


def cap(run: Run, ports: Ports) -> None:
    """Cut what is too large and keep a cursor to the rest."""
    run.result, run.cursor = ports.cursors.cut(run.accepted, run.tool, run.result)


STEPS: tuple[Callable[[Run, Ports], Outcome | None], ...] = (
    resolve, authorise, validate, limit, replay, confirm, reserve, execute, shape, check, cap,
)  # fmt: skip


class Pipeline:
    """Takes calls through `STEPS`, then settles and audits them. The only implementation of the port Calls."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def run(self, call: Call) -> Outcome:
        """Run one call to its end. Never raises: a bug of ours is INTERNAL_ERROR with its cause attached."""
        run = Run(call)
        try:
            outcome = self._steps(run)
        except BridgeError as error:
            outcome = Outcome(error=error)
        except Exception as bug:
            outcome = Outcome(error=_internal(bug))
        return self._settle(run, outcome)

    def resume(self, caller: Caller, cursor: str) -> Outcome:
        """Return the next part of a result that was cut."""
        return self._ports.cursors.resume(caller, cursor)

    def _steps(self, run: Run) -> Outcome:
        for step in STEPS:
            early = step(run, self._ports)
            if early is not None:
                return early
        return Outcome(run.result, cursor=run.cursor)

    def _settle(self, run: Run, outcome: Outcome) -> Outcome:
        """Store, release, audit: in this order, and each whatever became of the call."""
        for last in (self._release, self._record):
            try:
                last(run, outcome)
            except BridgeError as error:
                outcome = Outcome(error=error)
            except Exception as bug:
                outcome = Outcome(error=_internal(bug))
        return outcome

    def _release(self, run: Run, outcome: Outcome) -> None:
        ports = self._ports
        if run.reserved:
            ports.idempotency.settle(run.accepted, run.tool, outcome)
            ports.cache.keep(run.accepted, run.tool, outcome)
        if run.admitted:
            ports.counters.leave(run.accepted, run.tool)

    def _record(self, run: Run, outcome: Outcome) -> None:
        ports, tool = self._ports, getattr(run, "tool", None)
        seconds = ports.clock.monotonic() - run.call.started
        ports.audit.record(run.call, tool, outcome, seconds)
        ports.metrics.observe(run.call, tool, outcome, seconds)


def _internal(bug: Exception) -> InternalError:
    error = InternalError()
    error.__cause__ = bug
    return error
