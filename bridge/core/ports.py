"""The seams of the bridge: what the core needs from outside, as Protocols.

Nothing here does anything. Each port has a null twin in `null.py`, so that a step of
the pipeline always has something to talk to; `assembly.py` decides which
implementation stands behind which port.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from bridge.core.located import Problems
from bridge.core.model import Answer, Call, Caller, Outcome, Reach, Tool


class Clock(Protocol):
    """Time, passed in so that tests can stand still."""

    def monotonic(self) -> float:
        """Seconds that never jump."""

    def unix(self) -> float:
        """Seconds since 1970."""


class Backend(Reach, Protocol):
    """One configured system behind the bridge."""

    def prepare(self, tool: ToolPlan, problems: Problems) -> Any:
        """Compute at load whatever can be; report mistakes below the tool's `call`."""

    def read_only(self, prepared: Any) -> bool:
        """Say whether a call with `prepared` cannot change anything by its nature (GET, SELECT)."""

    def execute(self, prepared: Any, call: Call) -> Answer:
        """Run one call and return what came back; raise only errors of the tree."""

    def explain(self, prepared: Any, call: Call) -> Mapping[str, Any]:
        """Return what `execute` would send, secrets masked, nothing sent."""


class ToolPlan(Protocol):
    """What a backend kind may know of a tool while it prepares it."""

    name: str
    call: Any
    parameters: Mapping[str, Any]
    timeout: float


class Authenticator(Protocol):
    """Who sends this request, from its headers only."""

    def authenticate(self, headers: Mapping[str, str]) -> Caller:
        """Return the caller or raise Unauthorized."""


class Calls(Protocol):
    """Run a call; the way in for every protocol, chain, task and schedule."""

    def run(self, call: Call) -> Outcome:
        """Take the call through the whole pipeline; never raises."""


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

    def intend(self, call: Call, tool: Tool) -> None:
        """Record a write before the backend is reached."""

    def record(self, call: Call, tool: Tool | None, outcome: Outcome) -> None:
        """Record how a call ended."""


class Metrics(Protocol):
    """Counters for whoever runs the bridge."""

    def observe(self, call: Call, tool: Tool | None, outcome: Outcome, seconds: float) -> None:
        """Count one finished call."""


class Counters(Protocol):
    """Limits: rate and concurrency."""

    def admit(self, call: Call, tool: Tool) -> None:
        """Count the call or raise RateLimited."""

    def leave(self, call: Call, tool: Tool) -> None:
        """Give back what `admit` took for as long as the call ran."""


class IdempotencyStore(Protocol):
    """Exactly one execution per key."""

    def replay(self, call: Call, tool: Tool) -> Outcome | None:
        """Return the stored outcome of this key, if there is one."""

    def reserve(self, call: Call, tool: Tool) -> None:
        """Claim the key or raise Conflict or IdempotencyMismatch."""

    def settle(self, call: Call, tool: Tool, outcome: Outcome) -> None:
        """Store the outcome, or release the key where nothing was sent."""


class ResponseCache(Protocol):
    """Answers that may be given again for a while."""

    def find(self, call: Call, tool: Tool) -> Outcome | None:
        """Return a fresh stored outcome, if there is one."""

    def keep(self, call: Call, tool: Tool, outcome: Outcome) -> None:
        """Store a successful outcome where the tool allows it."""


class Confirmations(Protocol):
    """A person's yes."""

    def require(self, call: Call, tool: Tool) -> None:
        """Return if the call is confirmed or needs no yes; else raise ConfirmationRequired."""


class Cursors(Protocol):
    """The rest of a result that was cut."""

    def cut(self, call: Call, tool: Tool, result: Any) -> tuple[Any, str | None]:
        """Return what fits and, where something is left, an opaque cursor to it."""


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

    def start(self, call: Call, tool: Tool) -> Mapping[str, Any]:
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
