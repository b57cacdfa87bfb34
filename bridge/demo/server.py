"""Serve a WSGI application on a socket that already listens, one thread a connection."""

from __future__ import annotations

import socket
import sys
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class _QuietHandler(WSGIRequestHandler):
    # A connection that says nothing does not hold its thread for ever.
    timeout = 10

    def log_message(self, *_: Any) -> None:
        """Leave the terminal to the bridge's own log."""


class ThreadedServer(ThreadingMixIn, WSGIServer):
    """`serve_forever()`, `shutdown()` and `server_close()` are those of `socketserver`.

    `listener` is taken over: it may come from `socket.create_server` or be inherited.
    """

    def __init__(self, application: WSGIApplication, listener: socket.socket) -> None:
        host, port = listener.getsockname()[:2]
        super().__init__((host, port), _QuietHandler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        # HTTPServer would look its own name up in the DNS here, which can take seconds.
        self.server_name, self.server_port = host, port
        self.setup_environ()
        self.set_app(application)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing about a client that went away or fell silent."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)
