"""gunicorn's threaded worker with the bridge's manners.

What gunicorn refuses by itself (bad request lines, headers, chunks, sizes) is answered in
JSON. A slow client holds a connection, never a thread, until the head of its request is there.
A connection that ends is parted from beside the event loop's other work.
"""

from __future__ import annotations

import resource
import socket
from collections import deque
from contextlib import suppress
from datetime import timedelta
from functools import partial
from math import inf
from selectors import EVENT_READ, EVENT_WRITE
from time import monotonic, sleep
from typing import Any

from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

from bridge.web import refusals
from bridge.web.carrier import carrier_of
from bridge.web.connection import (
    PARTING_SECONDS,
    READ_SECONDS,
    Draining,
    Invitation,
    Parting,
    RequestTimeout,
    WholeResponse,
    is_ahead,
    is_read,
    is_waiting,
    reader_of,
)
from bridge.web.crew import Crew
from bridge.web.door import SHED, report
from bridge.web.environ import new_id
from bridge.web.parsed import body_of, environ_of

#: Seconds to wait before accepting again where the system has no room.
FULL_SECONDS = 0.05
#: Seconds between two looks for connections whose time is up.
LOOK_SECONDS = 0.5
#: Requests of one connection that a thread serves in a row while others may be waiting.
TURN = 20
#: Open files of a worker that are neither connections nor backends' sockets.
OTHER_FILES = 100


def room_for(connections: int, *, beside: int) -> int:
    """Return how many connections fit into the limit of open files, after raising it as far as it needs and may go.

    `beside` is how many sockets to backends must fit as well.
    """
    others = beside + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + others if hard == resource.RLIM_INFINITY else min(hard, connections + others)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return connections if soft == resource.RLIM_INFINITY else max(1, min(connections, soft - others))


class BridgeWorker(ThreadWorker):
    """The worker class that `bridge.web.gunicorn_conf` names."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._slow: deque[Parting | Draining] = deque()
        self._next_look = 0.0

    def run(self) -> None:
        """Serve until told to stop; the bridge lives as long as the worker does."""
        # Looking a setting up costs half a microsecond, and gunicorn does it thirty times a request.
        vars(self.cfg).update({name: setting.get() for name, setting in self.cfg.settings.items()})
        self._carrier = carrier_of(self.wsgi)
        self._carrier.start(self.cfg.threads)
        self.worker_connections = room_for(self.worker_connections, beside=self.cfg.threads)
        try:
            super().run()
        finally:
            self._carrier.stop()

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection; where the system has no room for one, let it wait instead of dying of it."""
        try:
            super().accept(listener)
        except OSError as error:
            self.log.warning("Cannot accept a connection: %s", error)
            sleep(FULL_SECONDS)

    def get_thread_pool(self) -> Any:
        """Return the threads that serve requests (gunicorn's hook)."""
        self._crew = Crew(self.cfg.threads, self._serve, partial(self.method_queue.defer, self._part))
        return self._crew

    def enqueue_req(self, conn: Any) -> None:
        """Let the threads wait for what a new connection has to say."""
        conn.timeout = monotonic() + max(self.cfg.keepalive, READ_SECONDS)
        conn.shed = conn.ahead = False
        conn.draining = None
        self._crew.welcome(conn)

    def _serve(self, conn: Any) -> bool:
        """Serve the requests that have arrived, up to a turn of them; True keeps the connection."""
        try:
            for turn in range(TURN, 0, -1):
                if not self.handle(conn):
                    return False
                conn.ahead = is_ahead(conn)
                if not conn.ahead or turn == 1:
                    waits = is_waiting(conn)
                    conn.timeout = conn.parser.unreader.deadline if waits else monotonic() + self.cfg.keepalive
                    return True
        except Exception:
            report(new_id(), self._carrier.registry)
        return False

    def handle(self, conn: Any) -> bool:
        """Serve one request if its head is there; True keeps the connection."""
        if self.cfg.is_ssl:
            return bool(super().handle(conn))
        request = None
        try:
            if not reader_of(conn).has_head():
                return bool(self.alive)
            request = next(conn.parser)
            return self.handle_request(request, conn)
        except (StopIteration, errors.NoMoreData, OSError) as error:
            self.log.debug("The client went away: %r", error)
        except Exception as error:
            self.handle_error(request, conn.sock, conn.client, error)
        return False

    def handle_request(self, req: Any, conn: Any) -> bool:
        """Answer one request; True if the connection can take another."""
        began = monotonic()
        asks, req._expected_100_continue = req._expected_100_continue, False
        response = WholeResponse(req, conn.sock, self.cfg)
        environ = environ_of(req, conn)
        environ["wsgi.input"] = Invitation(req.body, conn.sock) if asks else body_of(req)
        start: Any = response.start_response
        pieces = self.wsgi(environ, start)
        conn.shed = SHED in environ
        if self._is_last() or not is_read(req, conn.parser.unreader):
            response.force_close()
        try:
            for piece in pieces:
                response.write(piece)
            response.close()
        except Exception as error:
            if isinstance(error, OSError) or not response.headers_sent:
                raise
            # Half an answer is out: a second one behind it would be taken for its rest.
            report(environ.get("HTTP_X_REQUEST_ID", ""), self._carrier.registry)
            return False
        finally:
            if hasattr(pieces, "close"):
                pieces.close()
            self.log.access(response, req, environ, timedelta(seconds=monotonic() - began))
        keeps = not response.should_close()
        if response.rest:
            conn.draining = Draining(conn, response.rest, keeps)
        return keeps and not response.rest

    def _is_last(self) -> bool:
        """Count a request; say whether its connection ends with it."""
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False
        return not self.alive or not self.cfg.keepalive

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Answer a request that ended outside the application: a refusal of gunicorn's, or a bug."""
        name = new_id()
        reply = refusals.word(exc)
        if reply.status >= 500:
            report(name, self._carrier.registry)
        else:
            self.log.info("Refused a request from %s: %s", (addr or ("a socket",))[0], type(exc).__name__)
        with suppress(OSError):
            client.setblocking(False)  # gunicorn's loop may be the one that refuses, and waits for nobody
            client.send(refusals.as_bytes(reply, name, self._carrier.registry.version))

    def _part(self, conn: Any) -> None:
        """Take a connection that no thread needs to see again: to send what is left of its answer, or to end it."""
        draining, conn.draining = conn.draining, None
        self._watch_slow(draining or Parting(conn), EVENT_READ if draining is None else EVENT_WRITE)

    def _watch_slow(self, slow: Parting | Draining, event: int) -> None:
        if slow.is_over():
            self._pass_on(slow)
        else:
            self._slow.append(slow)
            self.poller.register(slow.conn.sock, event, partial(self._on_slow, slow))

    def _on_slow(self, slow: Parting | Draining, _: object) -> None:
        if slow.is_over():
            self._slow.remove(slow)
            self.poller.unregister(slow.conn.sock)
            self._pass_on(slow)

    def _pass_on(self, slow: Parting | Draining) -> None:
        """Leave a connection that has ended; one that has its whole answer goes on, or ends now."""
        if isinstance(slow, Parting):
            self._leave(slow.conn)
        elif slow.keeps and self.alive:
            slow.conn.timeout = monotonic() + self.cfg.keepalive
            slow.conn.ahead = is_ahead(slow.conn)
            self._crew.keep(slow.conn)
        else:
            self._part(slow.conn)

    def _leave(self, conn: Any) -> None:
        self.nr_conns -= 1
        conn.close()

    def murder_keepalived(self, force: bool = False) -> None:
        """Close connections that have rested too long (gunicorn's hook, called whenever its loop turns)."""
        self._crew.resume()
        now = monotonic()
        if now < self._next_look and not force:
            return
        self._next_look = now + LOOK_SECONDS
        if not self.alive:
            self._crew.hurry(now + PARTING_SECONDS)
        dismissed: list[Any] = self._crew.dismiss(inf if force else now)
        for conn in dismissed:
            if is_waiting(conn):
                self.handle_error(None, conn.sock, conn.client, RequestTimeout())
            self._part(conn)
        for slow in tuple(self._slow):
            self._on_slow(slow, None)
