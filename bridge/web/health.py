"""Health: `GET /health/live` for whoever restarts processes, `GET /health/ready` for whoever sends them work.

Live is open and says nothing but that a thread was free to answer. Ready tells strangers its
status only; what is wrong with which backend or registry is for callers (protocols.md, section 5).
"""

from __future__ import annotations

from wsgiref.types import WSGIEnvironment

from bridge.assembly import Bridge
from bridge.core.exchange import JSON, Reply
from bridge.core.parsing import dump_json
from bridge.errors import BridgeError
from bridge.web.answers import NO_STORE
from bridge.web.environ import WireHeaders
from bridge.web.gate import Gate


class Health:
    """The two answers about one bridge."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._gate = Gate(bridge.settings)

    def live(self) -> Reply:
        """Return 200: this process answers."""
        return Reply(200, (JSON, NO_STORE), b'{"status":"ok"}')

    def ready(self, environ: WSGIEnvironment) -> Reply:
        """Return 200 if this process serves what it should, else 503; with details for a caller."""
        health = self._bridge.health()
        shown = health if self._is_caller(environ) else {"status": health["status"]}
        return Reply(200 if health["status"] == "ready" else 503, (JSON, NO_STORE), dump_json(shown))

    def _is_caller(self, environ: WSGIEnvironment) -> bool:
        served = self._bridge.current
        try:
            self._gate.check(environ, served.registry)
            served.authenticator.authenticate(WireHeaders(environ))
        except BridgeError:
            return False
        return True
