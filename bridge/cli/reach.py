"""One way to ask a bridge: the running one behind an address, or one made here from its registry file.

Both are asked with the messages of the protocols, so `tools` and `call` say the same
whichever it is; the one made here just needs no socket.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

import click

from bridge.core.exchange import Request, Route
from bridge.core.located import did_you_mean
from bridge.core.model import Caller
from bridge.core.parsing import dump_json, parse_json
from bridge.errors import BridgeError
from bridge.outbound import Engine, Outgoing, header_value, open_engine
from bridge.settings import Settings

if TYPE_CHECKING:
    from bridge.assembly import Bridge, Served
    from bridge.protocols import WireProtocol

#: Seconds that a running bridge has for one answer: more than any call may take there.
PATIENCE = 150.0


class Asked(Protocol):
    """A bridge that can be asked."""

    def ask(self, method: str, path: str, body: Any = None) -> Mapping[str, Any]:
        """Return the JSON object that answers. Raises click.ClickException where there is none."""


@contextmanager
def reach(source: Path | str, caller: str | None = None, token: str | None = None) -> Iterator[Asked]:
    """Yield the bridge at an address, or one made over a registry file.

    A file's bridge takes `caller`, the name of one of its callers; without it and without
    a `token` whoever holds the file may do everything.
    """
    if isinstance(source, Path):
        with _opened(source) as bridge:
            yield _Here(bridge.current, caller, token)
    elif caller is not None:
        raise click.UsageError("A running bridge knows its callers by their credentials: give --token, not --as.")
    else:
        with _engine() as engine:
            yield _There(source, token, engine)


@contextmanager
def _opened(file: Path) -> Iterator[Bridge]:
    from bridge.assembly import Bridge

    # With an empty state folder nothing is served but the file itself, and nothing is left beside it.
    with TemporaryDirectory(prefix="toolbridge-") as state:
        bridge = Bridge(Settings(registry=file, state=Path(state), log=True), write=_remark)
        try:
            yield bridge
        finally:
            bridge.close()


def _remark(line: str) -> None:
    """Show what a caller is not told and the log is, such as a backend's own words."""
    detail = json.loads(line).get("detail")
    if detail is not None:
        click.echo(f"Log: {detail}", err=True)


@contextmanager
def _engine() -> Iterator[Engine]:
    settings = Settings()
    engine = open_engine(settings.engine, concurrency=1, max_answer=settings.max_answer)
    try:
        yield engine
    finally:
        engine.close()


class _Here:
    """A bridge in this process, asked through the protocols' own handlers."""

    def __init__(self, served: Served, caller: str | None, token: str | None) -> None:
        from bridge.protocols import PROTOCOLS

        self._service = served.service
        self._caller = _who(served, caller, token)
        protocols = [PROTOCOLS[name] for name in PROTOCOLS]
        self._routes: dict[tuple[str, str], tuple[Route, WireProtocol]] = {
            (route.method, route.path): (route, protocol) for protocol in protocols for route in protocol.routes
        }

    def ask(self, method: str, path: str, body: Any = None) -> Mapping[str, Any]:
        """Return what the protocol answers."""
        route, protocol = self._routes[method, path]
        request = Request(method, path, "", {}, body, self._caller, "cli")
        try:
            reply = route.handle(request, self._service)
        except BridgeError as error:
            reply = protocol.refuse(error, self._service.options)
        body = reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)
        answer: Mapping[str, Any] = parse_json(body, max_nodes=None)
        return answer


def _who(served: Served, name: str | None, token: str | None) -> Caller:
    if token is not None:
        return served.authenticator.authenticate({"authorization": f"Bearer {token}"})
    if name is None:
        return Caller("cli")
    callers = served.registry.callers
    if name not in callers:
        raise click.UsageError(f"The registry has no caller '{name}'{did_you_mean(name, callers)}.")
    return callers[name]


class _There:
    """A running bridge, asked over HTTP."""

    def __init__(self, url: str, token: str | None, engine: Engine) -> None:
        self._url = url
        self._engine = engine
        self._headers: tuple[tuple[str, str], ...] = (("Accept", "application/json"),)
        if token is not None:
            self._headers += (("Authorization", header_value("Authorization", f"Bearer {token}")),)

    def ask(self, method: str, path: str, body: Any = None) -> Mapping[str, Any]:
        """Return what the server answers, if that is a JSON object."""
        try:
            status, answer = self._send(method, path, body)
        except BridgeError as error:
            raise click.ClickException(f"{self._url} does not answer. {error.log or error.message}") from None
        try:
            document = parse_json(answer, max_nodes=None)
        except BridgeError:
            document = None
        if not isinstance(document, dict):
            raise click.ClickException(f"{self._url} is no bridge: {path} answers with {status} and no JSON object.")
        return document

    def _send(self, method: str, path: str, body: Any) -> tuple[int, bytes]:
        headers = self._headers if body is None else (*self._headers, ("Content-Type", "application/json"))
        payload = None if body is None else dump_json(body)
        deadline = time.monotonic() + PATIENCE
        incoming = self._engine.send(Outgoing(method, self._url + path, headers, payload, method == "GET", deadline))
        return incoming.status, incoming.body
