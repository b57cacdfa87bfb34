"""`serve`: gunicorn around the bridge, with one set of options however it is started."""

from __future__ import annotations

from typing import Any, NoReturn

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from bridge import __version__
from bridge.assembly import build_bridge, keep_from_collection, write_line
from bridge.settings import Settings
from bridge.web.app import create_app
from bridge.web.carrier import carrier_of
from bridge.web.gate import is_loopback, is_open

#: Connections beyond those that have a thread: idle ones, slow ones, ending ones.
SPARE_CONNECTIONS = 1_000


def options(settings: Settings) -> dict[str, Any]:
    """Return gunicorn's options by name; the limits it has by default (line 4094, headers 100 x 8190) are kept.

    The registry is loaded before the fork, so that workers share its memory. Nothing a
    proxy says about itself is believed, and no control socket is opened.
    """
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return {
        "bind": [f"{host}:{settings.port}"],
        "workers": settings.workers,
        "threads": settings.threads,
        "worker_class": "bridge.web.worker.BridgeWorker",
        "worker_connections": settings.threads + SPARE_CONNECTIONS,
        "preload_app": True,
        # Longer than load balancers keep an idle connection (60 s), so that they close it, not we.
        "keepalive": 75,
        "graceful_timeout": 30,
        "forwarded_allow_ips": "",
        "forwarder_headers": "",
        "secure_scheme_headers": {},
        "control_socket_disable": True,
        # The parser in C takes a bare line feed for a line's end; where it is installed, gunicorn would choose it.
        "http_parser": "python",
        "on_starting": refuse_an_open_address,
        "pre_fork": share_memory,
    }


def refuse_an_open_address(server: Arbiter) -> None:
    """Gunicorn's hook: exit where nobody has to authenticate and strangers could connect."""
    registry = carrier_of(server.app.wsgi()).registry
    addresses = [address[0] for address in server.cfg.address if isinstance(address, tuple)]
    strange = [address for address in addresses if not is_loopback(address)]
    if strange and is_open(registry):
        raise SystemExit(
            f"toolbridge: will not listen on {strange[0]}, because nobody has to authenticate: the registry has "
            "neither `callers` nor `auth`. Name callers, write `auth: {anonymous: true}` if everybody may "
            "call, or listen on 127.0.0.1."
        )


def share_memory(server: Arbiter, worker: Worker) -> None:
    """Gunicorn's hook before each fork: what is loaded by now stays in pages that all workers share."""
    keep_from_collection()


def announce(server: Arbiter) -> None:
    """Gunicorn's hook: say what is served where."""
    registry = carrier_of(server.app.wsgi()).registry
    where = " and ".join(str(listener) for listener in server.LISTENERS)
    write_line(f"toolbridge {__version__} serves {registry.name} at {where} (Ctrl-C ends it)\n")


class _Server(BaseApplication):
    """gunicorn's master with our options instead of its command line."""

    def __init__(self, settings: Settings, app: Flask) -> None:
        self._settings = settings
        self._app = app
        super().__init__()

    def load_config(self) -> None:
        given = options(self._settings) | {"loglevel": "warning", "when_ready": announce, "proc_name": "toolbridge"}
        for name, value in given.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        return self._app


def serve(settings: Settings) -> NoReturn:
    """Serve until told to stop, then exit. Raises RegistryError where there is nothing to serve."""
    _Server(settings, create_app(build_bridge(settings))).run()
    raise SystemExit(0)
