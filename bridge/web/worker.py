"""gunicorn's threaded worker with the bridge's manners.

What gunicorn refuses by itself (bad request lines, headers, chunks, sizes) is answered in
JSON. A slow client holds a connection, never a thread, until the head of its request is there.
A connection that ends is parted from beside the event loop's other work.
"""

from __future__ import annotations

import resource
import socket
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from functools import partial
from selectors import EVENT_READ
from time import sleep
from typing import Any

from gunicorn.http import errors, wsgi
from gunicorn.workers.gthread import _DEFER, ThreadWorker  # type: ignore[attr-defined] # types-gunicorn is a version behind

from bridge.web import refusals
from bridge.web.carrier import carrier_of
from bridge.web.connection import WRITE_SECONDS, Invitation, Parting, WholeResponse, is_read, reader_of
from bridge.web.crew import Crew
from bridge.web.door import report
from bridge.web.environ import new_id

#: Seconds to wait before accepting again where the system has no room.
FULL_SECONDS = 0.05
#: Open files of a worker that are neither connections nor backends' sockets.
OTHER_FILES = 100


def _done(result: Any) -> Future[Any]:
    done: Future[Any] = Future()
    done.set_result(result)
    return done


#: How a request can leave its connection, as gunicorn wants to be told: three answers that serve for all.
_KEEP, _WAIT, _END = _done(True), _done(_DEFER), _done(False)


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
        self._partings: deque[Parting] = deque()

    def run(self) -> None:
        """Serve until told to stop; the bridge lives as long as the worker does."""
        # Looking a setting up costs half a microsecond, and gunicorn does it thirty times a request.
        vars(self.cfg).update({name: setting.get() for name, setting in self.cfg.settings.items()})
        self._carrier = carrier_of(self.wsgi)
        self._carrier.start(self.cfg.threads)
        self.worker_connections = room_for(self.worker_connections, beside=self.cfg.threads)
        self.max_keepalived = self.worker_connections - self.cfg.threads
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
        return Crew(self.cfg.threads, self._serve)

    def enqueue_req(self, conn: Any) -> None:
        """Give a connection that has something to say to a thread."""
        crew: Any = self.tpool
        crew.hand(conn)

    def _serve(self, conn: Any) -> None:
        outcome = _END
        try:
            result = self.handle(conn)
            outcome = _WAIT if result is _DEFER else _KEEP if result else _END
        except Exception:
            report(new_id(), self._carrier.registry)
        self.method_queue.defer(self.finish_request, conn, outcome)

    def handle(self, conn: Any) -> Any:
        """Serve one request if its head is there; True keeps the connection, False ends it."""
        if self.cfg.is_ssl:
            return super().handle(conn)
        request = None
        try:
            if not reader_of(conn).has_head():
                return _DEFER if self.alive else False
            request = next(conn.parser)
            return self.handle_request(request, conn)
        except (StopIteration, errors.NoMoreData, OSError) as error:
            self.log.debug("The client went away: %r", error)
        except Exception as error:
            self.handle_error(request, conn.sock, conn.client, error)
        return False

    def handle_request(self, req: Any, conn: Any) -> bool:
        """Answer one request; True if the connection can take another."""
        began = datetime.now()
        asks, req._expected_100_continue = req._expected_100_continue, False
        response, environ = wsgi.create(req, conn.sock, conn.client, conn.server, self.cfg, WholeResponse)
        environ["wsgi.multithread"] = True
        if asks:
            environ["wsgi.input"] = Invitation(req.body, conn.sock)
        start: Any = response.start_response
        pieces = self.wsgi(environ, start)
        if self._is_last(conn) or not is_read(req, conn.parser.unreader):
            response.force_close()
        conn.sock.settimeout(WRITE_SECONDS)
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
            self.log.access(response, req, environ, datetime.now() - began)
        return not response.should_close()

    def _is_last(self, conn: Any) -> bool:
        """Count a request; say whether its connection, or the whole worker, ends with it."""
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False
        return not self.alive or len(self.keepalived_conns) >= self.max_keepalived

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Answer a request that ended outside the application: a refusal of gunicorn's, or a bug."""
        name = new_id()
        reply = refusals.word(exc)
        if reply.status >= 500:
            report(name, self._carrier.registry)
        else:
            self.log.info("Refused a request from %s: %s", (addr or ("a socket",))[0], type(exc).__name__)
        with suppress(OSError):
            client.settimeout(WRITE_SECONDS)
            client.sendall(refusals.as_bytes(reply, name, self._carrier.registry.version))

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """Take a connection back from its thread: wait for its next request, or part from it."""
        if fs is not _END:
            super().finish_request(conn, fs)
            return
        parting = Parting(conn)
        if parting.is_over():
            self._leave(conn)
        else:
            self._partings.append(parting)
            self.poller.register(conn.sock, EVENT_READ, partial(self._on_parting, parting))

    def _on_parting(self, parting: Parting, _: object) -> None:
        if parting.is_over():
            self._partings.remove(parting)
            self.poller.unregister(parting.conn.sock)
            self._leave(parting.conn)

    def _leave(self, conn: Any) -> None:
        self.nr_conns -= 1
        conn.close()

    def murder_pending(self) -> None:
        """Close what has waited too long: for a request's head, or for a client to close."""
        super().murder_pending()
        for parting in tuple(self._partings):
            self._on_parting(parting, None)
