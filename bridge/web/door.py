"""The door: what every request of every protocol passes, in one order, before anything is done for it.

    path and method (404, 405) -> address, Host, Origin (403, 421) -> who is calling, from the
    headers only (401) -> a free slot (503) -> type, size, read, parse (415, 413, 400)
    -> toolset (404) -> the protocol's handler

The order is security. A stranger's body is never read, so what costs memory and time
(bytes, parsing, schemas) is spent on known callers only; and on at most `threads - 4`
of their calls at once, so that four threads are always left for lists and for health.
"""

from __future__ import annotations

import json
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from wsgiref.types import WSGIEnvironment

from bridge.assembly import SPARE_THREADS, Bridge, Served, write_line
from bridge.core.exchange import Headers, Reply, Request, Route
from bridge.core.model import Registry
from bridge.core.redact import Redactor
from bridge.errors import BridgeError, InternalError, MethodNotAllowed, Overloaded, UnknownPath
from bridge.protocols.manifest import refuse as refuse_plainly
from bridge.web.answers import NO_STORE, signed
from bridge.web.body import read_json
from bridge.web.environ import WireHeaders, request_id
from bridge.web.gate import Gate

_SEEN_BY_PAGES = ("Access-Control-Expose-Headers", "X-Request-Id, X-Registry-Version, Retry-After, ETag")
_PREFLIGHT = (
    ("Access-Control-Allow-Methods", "GET, POST"),
    (
        "Access-Control-Allow-Headers",
        "Authorization, Content-Type, If-None-Match, Idempotency-Key, X-Conversation-Id, X-Confirmation, "
        "X-Request-Id, traceparent, tracestate",
    ),
    ("Access-Control-Max-Age", "600"),
)

#: Stands in the environ of a request that found no free slot, for the server that carries it.
SHED = "toolbridge.shed"

Refuse = Callable[[BridgeError, Mapping[str, Any]], Reply]


@dataclass(slots=True)
class Place:
    """One path of one protocol: its routes by method, and how it words an error."""

    refuse: Refuse
    routes: dict[str, Route] = field(default_factory=dict)

    def add(self, route: Route) -> None:
        """Add a route; what can be got can be asked for its headers alone (RFC 9110 section 9.3.2)."""
        self.routes[route.method] = route
        if route.method == "GET":
            self.routes["HEAD"] = route


class Door:
    """The one way in for requests, whoever carries them."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._gate = Gate(bridge.settings)
        self._limit = bridge.settings.max_body
        self._places: dict[str, Place] = {}
        for protocol in bridge.protocols:
            for route in protocol.routes:
                self._places.setdefault(route.path, Place(protocol.refuse)).add(route)
        self.serve_with(bridge.settings.threads)

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths that lead to a protocol, as they are at the root."""
        return tuple(self._places)

    def serve_with(self, threads: int) -> None:
        """Let as many calls run at once as `threads` allow; for the start of a process, not for later."""
        self._slots = deque([None] * max(1, threads - SPARE_THREADS))

    def find(self, path: str) -> tuple[Place | None, str | None]:
        """Return the place at `path` and the toolset that `/sets/<toolset>` in front of it names."""
        place = self._places.get(path)
        if place is not None or not path.startswith("/sets/"):
            return place, None
        toolset, slash, rest = path[6:].partition("/")
        return self._places.get(slash + rest), toolset

    def answer(self, environ: WSGIEnvironment) -> Reply:
        """Answer one request; never raises."""
        served = self._bridge.current
        name = request_id(environ)
        place, toolset = self.find(environ["PATH_INFO"])
        refuse = refuse_plainly if place is None else place.refuse
        extra: Headers = (NO_STORE,)
        try:
            reply = self._pass(environ, place, toolset, served, name)
            if environ["REQUEST_METHOD"] != "POST":
                extra = ()
        except BridgeError as error:
            reply = refuse(error, served.service.options)
        except Exception:
            report(name, served.registry)
            reply = refuse(InternalError(), served.service.options)
        if "HTTP_ORIGIN" in environ:
            extra += self._for_pages(environ["HTTP_ORIGIN"])
        return signed(reply, name, served.registry.version, extra)

    def _pass(
        self, environ: WSGIEnvironment, place: Place | None, toolset: str | None, served: Served, name: str
    ) -> Reply:
        if place is None:
            raise UnknownPath
        route = place.routes.get(environ["REQUEST_METHOD"])
        if route is None and not self._is_preflight(environ):
            raise MethodNotAllowed(tuple(place.routes))
        self._gate.check(environ, served.registry)
        if route is None:
            return Reply(204, _PREFLIGHT, b"")
        headers = WireHeaders(environ)
        caller = served.authenticator.authenticate(headers)

        def handle(body: Any) -> Reply:
            if toolset is not None and not (
                caller.toolset in (None, toolset) and served.service.catalogue.has_toolset(toolset)
            ):
                raise UnknownPath("There is no toolset of this name")
            query = environ.get("QUERY_STRING", "")
            request = Request(route.method, route.path, query, headers, body, caller, name, toolset)
            return route.handle(request, served.service)

        return self._in_a_slot(environ, handle) if route.method == "POST" else handle(None)

    def _in_a_slot(self, environ: WSGIEnvironment, handle: Callable[[Any], Reply]) -> Reply:
        slots = self._slots
        try:
            slots.pop()
        except IndexError:
            environ[SHED] = True
            raise Overloaded(retry_after=1) from None
        try:
            return handle(read_json(environ, self._limit))
        finally:
            slots.append(None)

    def _is_preflight(self, environ: WSGIEnvironment) -> bool:
        """Say whether a browser asks on behalf of a listed origin (Fetch standard, CORS preflight)."""
        asks = environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
        return asks and self._gate.lists(environ.get("HTTP_ORIGIN", ""))

    def _for_pages(self, origin: str) -> Headers:
        """Return the headers that let pages of a listed origin read the answer."""
        if not self._gate.lists(origin):
            return ()
        return ("Access-Control-Allow-Origin", origin), ("Vary", "Origin"), _SEEN_BY_PAGES


def report(request_id: str, registry: Registry) -> None:
    """Log the exception being handled, whole but for secrets, as one JSON line under the request's id."""
    line = json.dumps({"event": "internal_error", "request_id": request_id, "traceback": traceback.format_exc()})
    write_line(Redactor(registry.secrets).text(line) + "\n")
