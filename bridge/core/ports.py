"""The seams of the bridge: what the core needs from outside, as Protocols.

Nothing here does anything. Each port has a null twin in `null.py`, so that a step of
the pipeline always has something to talk to; `assembly.py` decides which
implementation stands behind which port.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from bridge.core.expressions import Scope
from bridge.core.located import Problems
from bridge.core.model import Accepted, Answer, Call, Caller, Outcome, Parameter, Reach, Tool


class Clock(Protocol):
    """Time, passed in so that tests can stand still."""

    def monotonic(self) -> float:
        """Seconds that never jump."""

    def unix(self) -> float:
        """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a backend kind may know of a tool: its `call`, its parameters, what expressions see, and what it declares.

    `read_only` is the registry's word on it, None where the kind decides.
    """

    call: Any
    parameters: Mapping[str, Parameter]
    scope: Scope
    read_only: bool | None = None


class Backend(Reach, Protocol):
    """One configured system behind the bridge."""

    def prepare(self, plan: Plan, problems: Problems) -> Prepared:
        """Compute at load whatever the tool's `call` needs; report mistakes below it."""


class Prepared(Protocol):
    """One tool's `call`, compiled by its backend kind."""

    @property
    def read_only(self) -> bool:
        """Whether the call cannot change anything (GET, SELECT, or by the registry's word)."""

    def execute(self, accepted: Accepted) -> Answer:
        """Run one call and return what came back; raise only errors of the tree."""

    def explain(self, accepted: Accepted) -> Mapping[str, Any]:
        """Return what `execute` would send, secrets masked, nothing sent."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What a process lends to its backends: the HTTP engine's name, caps in bytes, and the default bulkhead."""

    engine: str
    max_answer: int
    concurrency: int


class BackendKind(Protocol):
    """A kind in the table of backends."""

    def __call__(self, options: Mapping[str, Any], resources: Resources, problems: Problems) -> Backend:
        """Configure one backend from its checked options; report what they mean wrongly. Opens nothing."""


class Authenticator(Protocol):
    """Who sends this request, from its headers only."""

    def authenticate(self, headers: Mapping[str, str]) -> Caller:
        """Return the caller or raise Unauthorized."""


class Calls(Protocol):
    """Run a call; the way in for every protocol, chain, task and schedule."""

    def run(self, call: Call) -> Outcome:
        """Take the call through the whole pipeline; never raises."""

    def resume(self, caller: Caller, cursor: str) -> Outcome:
        """Return the next part of a result that was cut, or an error; never raises."""


class Catalogue(Protocol):
    """The tools as one caller sees them."""

    def find(self, caller: Caller, toolset: str | None, name: str) -> Tool:
        """Return the visible tool of that name (or alias) or raise ToolNotFound."""

    def has_toolset(self, toolset: str) -> bool:
        """Say whether the toolset exists."""

    def page(
        self, caller: Caller, toolset: str | None, kind: str, render: Callable[[Sequence[Tool]], bytes]
    ) -> tuple[bytes, str]:
        """Return what `render` makes of the tools this caller may use, and its ETag.

        Rendered once per set of visible tools and `kind`, then kept.
        """


class AuditLog(Protocol):
    """The record of what was tried and how it ended."""

    def intend(self, accepted: Accepted, tool: Tool) -> None:
        """Record a write before the backend is reached."""

    def record(self, call: Call, tool: Tool | None, outcome: Outcome, seconds: float) -> None:
        """Record how a call ended."""


class Metrics(Protocol):
    """Counters for whoever runs the bridge."""

    def observe(self, call: Call, tool: Tool | None, outcome: Outcome, seconds: float) -> None:
        """Count one finished call."""


class Counters(Protocol):
    """Limits: rate and concurrency."""

    def admit(self, accepted: Accepted, tool: Tool) -> None:
        """Count the call or raise RateLimited."""

    def leave(self, accepted: Accepted, tool: Tool) -> None:
        """Give back what `admit` took for as long as the call ran."""


class IdempotencyStore(Protocol):
    """Exactly one execution per key."""

    def replay(self, accepted: Accepted, tool: Tool) -> Outcome | None:
        """Return the stored outcome of this key, if there is one."""

    def reserve(self, accepted: Accepted, tool: Tool) -> None:
        """Claim the key or raise Conflict or IdempotencyMismatch."""

    def settle(self, accepted: Accepted, tool: Tool, outcome: Outcome) -> None:
        """Store the outcome, or release the key where nothing was sent."""


class ResponseCache(Protocol):
    """Answers that may be given again for a while."""

    def find(self, accepted: Accepted, tool: Tool) -> Outcome | None:
        """Return a fresh stored outcome, if there is one."""

    def keep(self, accepted: Accepted, tool: Tool, outcome: Outcome) -> None:
        """Store a successful outcome where the tool allows it."""


class Confirmations(Protocol):
    """A person's yes."""

    def require(self, accepted: Accepted, tool: Tool) -> None:
        """Return if the call is confirmed or needs no yes; else raise ConfirmationRequired."""


class Cursors(Protocol):
    """The rest of a result that was cut."""

    def cut(self, accepted: Accepted, tool: Tool, result: Any) -> tuple[Any, str | None]:
        """Return what fits and, where something is left, an opaque cursor to it."""

    def resume(self, caller: Caller, cursor: str) -> Outcome:
        """Return the next part and the cursor after it, or InvalidRequest as its error."""


class StateStore(Protocol):
    """What a conversation remembers."""

    def recall(self, call: Call) -> Mapping[str, Any]:
        """Return the state of the call's conversation."""

    def remember(self, call: Call, values: Mapping[str, Any], seconds: float) -> None:
        """Keep values for that long."""


class SessionBook(Protocol):
    """Sessions with a backend that numbers its messages."""

    def turn(self, session: str, wait: float) -> AbstractContextManager[int]:
        """Hold the session's turn for at most one message and give its sequence number."""


class Tasks(Protocol):
    """Work that outlives its request."""

    def start(self, accepted: Accepted, tool: Tool) -> Mapping[str, Any]:
        """Start a task and return its public form."""


class Schedules(Protocol):
    """Calls at set times."""

    def due(self, unix: float) -> Sequence[Call]:
        """Return the calls that are due."""


class Secrets(Protocol):
    """Values that must never be shown."""

    def read(self, name: str) -> str:
        """Return the secret or raise KeyError."""


class Imports(Protocol):
    """Tools that come from elsewhere."""

    def load(self, source: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the tools of `source` as registry members."""
