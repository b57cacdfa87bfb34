"""The small WSGI carrier: answers the hot routes in front of Flask, through the same door."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from bridge.assembly import Bridge
from bridge.core.model import Registry
from bridge.web.answers import send
from bridge.web.door import Door


class Carrier:
    """A WSGI application in front of another.

    Where no worker class of ours starts the bridge, the first request of a process does.
    """

    def __init__(self, bridge: Bridge, door: Door, behind: WSGIApplication) -> None:
        self._bridge = bridge
        self._door = door
        self._behind = behind
        self._carries = bridge.settings.carrier
        self._started = False
        self._starting = Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        if not self._started:
            self.start()
        if self._carries and environ["REQUEST_METHOD"] == "POST" and self._is_hot(environ["PATH_INFO"]):
            return send(self._door.answer(environ), start_response)
        return self._behind(environ, start_response)

    def _is_hot(self, path: str) -> bool:
        place, _ = self._door.find(path)
        return place is not None and "POST" in place.routes and place.routes["POST"].hot

    @property
    def registry(self) -> Registry:
        """The registry that is served now."""
        return self._bridge.current.registry

    def start(self, threads: int | None = None) -> None:
        """Start the bridge in this process, once; `threads` is what the server really has."""
        with self._starting:
            if not self._started:
                if threads is not None:
                    self._door.serve_with(threads)
                self._bridge.start()
                self._started = True

    def stop(self) -> None:
        """Close the bridge of this process."""
        self._bridge.close()


def carrier_of(app: Any) -> Carrier:
    """Return the carrier of an application that `create_app` made."""
    carrier: Carrier = app.extensions["toolbridge"]
    return carrier
