"""The words of the domain as frozen data: Tool, Caller, Call, Answer, Outcome, Registry."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bridge.core.located import Diagnostic
from bridge.core.timestamps import iso
from bridge.errors import BridgeError


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, settled at the door and never by a message's body.

    `scopes` is None where nobody has to authenticate: every scope is held then.
    `toolset` is the only one that this caller sees; None means the root.
    """

    id: str
    tenant: str | None = None
    scopes: frozenset[str] | None = None
    toolset: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)
    view: Mapping[str, Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        scopes = None if self.scopes is None else sorted(self.scopes)
        view = {"id": self.id, "tenant": self.tenant, "scopes": scopes, "claims": self.claims}
        object.__setattr__(self, "view", view)

    def lacks(self, scopes: frozenset[str]) -> frozenset[str]:
        """Return those of `scopes` that the caller does not hold."""
        return frozenset() if self.scopes is None else scopes - self.scopes


@dataclass(frozen=True, slots=True)
class Call:
    """One request to run one tool, whatever protocol it came by.

    `arguments` are as the caller sent them; `unix` and `started` are the wall clock and
    the monotonic clock, in seconds, when the call began; `deadline` is monotonic too
    and comes from whoever made the call (a chain, say), on top of the tool's own.
    """

    id: str
    tool: str
    arguments: Any
    caller: Caller
    protocol: str
    unix: float
    started: float
    deadline: float = float("inf")
    toolset: str | None = None
    conversation: str | None = None
    idempotency_key: str | None = None
    confirmation: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A call whose arguments the tool has accepted: what a policy or a backend sees.

    `params` are complete (defaults and fixed values filled in); `deadline` is the
    monotonic second at which the whole call has to be over.
    """

    call: Call
    params: dict[str, Any]
    deadline: float

    def context(self) -> dict[str, Any]:
        """Return what an expression may see before there is an answer."""
        call = self.call
        about = {"id": call.id, "conversation": call.conversation, "now": iso(call.unix), "unix": call.unix}
        return {"params": self.params, "caller": call.caller.view, "call": about}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a backend gave back, before it is judged and shaped.

    `body` is JSON-like. `success` is the backend kind's own verdict on the status;
    `broken` says why the body cannot be used (not JSON, cut off), if it cannot.
    `headers` have lower-case names.
    """

    body: Any
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    success: bool = True
    broken: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended: a result, or an error of the tree.

    `cursor` continues a result that was cut; `replayed` marks a stored answer.
    """

    result: Any = None
    error: BridgeError | None = None
    cursor: str | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter as a backend kind sees it.

    `wire` is its name at the backend (`as`); `place` is `in`, None where the kind
    decides; a `fixed` one has its value from the registry, never from the caller.
    """

    name: str
    wire: str
    place: str | None = None
    optional: bool = False
    fixed: bool = False
    secret: bool = False
    allow_slash: bool = False


@dataclass(frozen=True, slots=True)
class Deprecation:
    """Since when a tool is on its way out, what replaces it, and when it is refused (ISO dates)."""

    since: str | None = None
    use: str | None = None
    sunset: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Tool:
    """One tool with everything that could be computed before the first call.

    `output_schema` is what the registry declares, None if it declares none.
    `timeout` is the whole call in seconds. The functions are compiled at load:
    `accept` turns raw arguments into params or raises InvalidParameters; `execute`
    asks the backend; `judge` turns its answer into the result or raises the error
    that the registry maps it to; `check` raises InvalidResult where the result breaks
    `output_schema`; `explain` says what `execute` would send. `secret` names the
    parameters whose values are never shown.
    """

    name: str
    description: str
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any] | None
    backend: str
    accept: Callable[[Any], dict[str, Any]]
    execute: Callable[[Accepted], Answer]
    judge: Callable[[Accepted, Answer], Any]
    check: Callable[[Any], None]
    explain: Callable[[Accepted], Mapping[str, Any]]
    timeout: float
    read_only: bool
    idempotent: bool = False
    destructive: bool = True
    open_world: bool = True
    title: str | None = None
    tags: frozenset[str] = frozenset()
    secret: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    tenants: frozenset[str] | None = None
    internal: bool = False
    hide_without_scope: bool = False
    aliases: Sequence[str] = ()
    deprecated: Deprecation | None = None


class Reach(Protocol):
    """What a served registry asks of a backend as a whole."""

    def health(self) -> Mapping[str, Any]:
        """Return at least `state`: `ok`, `unknown`, `unconfigured` or `failing`; never blocks."""

    def close(self) -> None:
        """Release sockets and threads; calls in flight may end in BACKEND_UNAVAILABLE."""


@dataclass(frozen=True, slots=True, eq=False)
class Registry:
    """One accepted version of the registry, ready to be served.

    `version` is the start of a hash over all its files. `credentials` maps the
    SHA-256 of a token to its caller, `late_credentials` are tokens read from files that
    may change; `anonymous` is the caller without one, None
    where a credential is required. `secrets` are the texts that must never be shown;
    they grow when a file that holds one changes.
    """

    name: str
    version: str
    tools: Mapping[str, Tool]
    backends: Mapping[str, Reach]
    title: str | None = None
    description: str = ""
    instructions: str | None = None
    toolsets: Mapping[str, frozenset[str]] = field(default_factory=dict)
    credentials: Mapping[str, Caller] = field(default_factory=dict)
    late_credentials: Sequence[tuple[Callable[[], str], Caller]] = ()
    callers: Mapping[str, Caller] = field(default_factory=dict)
    anonymous: Caller | None = None
    anonymous_written: bool = False
    secrets: Collection[str] = frozenset()
    warnings: Sequence[Diagnostic] = ()
