"""A bridge without a registry file: enough of one to stand behind the door, its calls played by the test.

    bridge = SmallBridge(lambda call: Outcome(result=call.arguments), threads=8)
    door = Door(bridge)

`python -m gunicorn 'tests.support.small_bridge:app()'` serves one whose tool `echo` answers its arguments,
and whose tool `sleep` answers after `seconds`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from bridge.assembly import Served, SystemClock
from bridge.auth.anonymous import OpenAuthenticator
from bridge.auth.tokens import TokenAuthenticator, digest
from bridge.core.catalogue import ToolCatalogue
from bridge.core.exchange import Service
from bridge.core.model import Answer, Call, Caller, Outcome, Registry, Tool
from bridge.errors import InvalidRequest
from bridge.protocols import PROTOCOLS
from bridge.settings import Settings
from bridge.web import connection, worker
from bridge.web.app import create_app

TOKEN = "sesame"
ANN = Caller("ann", scopes=frozenset())
EVERYBODY = Caller("anonymous")

Run = Callable[[Call], Outcome]


def echo_or_sleep(call: Call) -> Outcome:
    """Play the two tools: `sleep` takes its time, every other answers its arguments."""
    if call.tool == "sleep":
        time.sleep(call.arguments["seconds"])
    return Outcome(result=call.arguments)


class PlayedCalls:
    """The port Calls over one function."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def resume(self, caller: Caller, cursor: str) -> Outcome:
        return Outcome(error=InvalidRequest(f"{caller.id} has no {cursor}"))


def tool(name: str) -> Tool:
    """Return a tool that can be listed; its calls are played, so its functions are never used."""
    schema: Mapping[str, Any] = {"type": "object", "properties": {}, "additionalProperties": True}
    return Tool(
        name, f"The tool {name}", schema, None, "none",
        accept=dict, execute=lambda _: Answer(None), judge=lambda _, answer: answer.body,
        check=lambda _: None, explain=lambda _: {}, timeout=1.0, read_only=True,
    )  # fmt: skip


class SmallBridge:
    """What the web side asks of a bridge. `open` is one where nobody has to authenticate."""

    def __init__(
        self,
        run: Run = echo_or_sleep,
        *,
        open: bool = False,  # noqa: A002
        written: bool = False,
        version: str = "c0ffee",
        **given: Any,
    ) -> None:
        self.settings = Settings(MappingProxyType({}), **given)
        self.clock = SystemClock()
        self.protocols = tuple(PROTOCOLS[name] for name in PROTOCOLS)
        self.started = self.closed = 0
        self.status = "ready"
        registry = Registry(
            name="small",
            version=version,
            tools={name: tool(name) for name in ("echo", "sleep")},
            backends={},
            toolsets={"some": frozenset({"echo"})},
            credentials={} if open else {digest(TOKEN): ANN, digest("only-some"): Caller("bob", toolset="some")},
            anonymous=EVERYBODY if open or written else None,
            anonymous_written=written,
        )
        catalogue = ToolCatalogue(registry, self.clock)
        options = {"manifest_error_status": self.settings.manifest_error_status}
        service = Service(PlayedCalls(run), catalogue, self.clock, registry.name, "", registry.version, options)
        tokens = TokenAuthenticator(registry.credentials, (), registry.anonymous)
        self.current = Served(registry, service, OpenAuthenticator(EVERYBODY) if open else tokens)

    def start(self) -> None:
        self.started += 1

    def close(self) -> None:
        self.closed += 1

    def health(self) -> Mapping[str, Any]:
        return {"status": self.status, "registry": {"name": "small"}, "backends": {"crm": {"state": "ok"}}}


def app() -> Any:
    """Return an application for a server in a process of its own, as its variables say."""
    given = Settings()
    kept = {name: getattr(given, name) for name in ("threads", "max_body", "carrier", "public_url")}
    return create_app(SmallBridge(**kept))


def open_app() -> Any:
    """Return one where nobody has to authenticate."""
    return create_app(SmallBridge(open=True))


def hurried_app() -> Any:
    """Return one in a server that waits a second where it would wait ten or thirty."""
    connection.READ_SECONDS = connection.WRITE_SECONDS = worker.READ_SECONDS = 1.0
    worker.WRITE_SECONDS = 1.0
    return app()
