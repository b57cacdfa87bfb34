"""One HTTP/1.1 connection under gunicorn: a request that comes slowly, an answer that goes out whole, the end.

A thread is precious, a connection is not. So a thread is given to a request only when its
whole head has arrived; what the head promises has to follow by a deadline; a body that
nobody read is never waited for: the connection ends after the answer instead. It ends in two
steps (RFC 9112 section 9.6): we stop sending, and what the client still sends is dropped for a
moment, so that the answer is not lost in a reset.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from io import SEEK_END
from time import monotonic, time
from typing import Any

from gunicorn import SERVER
from gunicorn.http.body import LengthReader
from gunicorn.http.errors import LimitRequestHeaders, ParseException
from gunicorn.http.message import TOKEN_RE
from gunicorn.http.unreader import SocketUnreader
from gunicorn.http.wsgi import HEADER_VALUE_RE, Response
from gunicorn.util import http_date, is_hoppish

from bridge.web.parsed import PlainParser

#: Seconds from a request's first byte to its last.
READ_SECONDS = 10.0
#: Seconds that a client may take to accept an answer.
WRITE_SECONDS = 30.0
#: Seconds and bytes that a client gets to finish sending after its last answer.
PARTING_SECONDS = 2.0
PARTING_BYTES = 16 * 1_048_576
#: The request line and all headers together, in bytes.
MAX_HEAD = 65_536

_PIECE = 262_144


class RequestTimeout(ParseException):
    """The request did not arrive by its deadline."""


class PatientUnreader(SocketUnreader):
    """Reads a socket until the request's deadline; sending single bytes gains nobody time.

    `deadline` is in monotonic seconds; `waiting` says that a head is there in part.
    """

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.deadline = 0.0
        self.waiting = False

    def has_head(self) -> bool:
        """Take what has arrived, without waiting, and say whether the parser can go to work.

        It can with a whole head, with lines that do not end as they should, and when
        nothing more will come: the parser has the right words for each.
        """
        if not self.waiting:
            self.deadline = monotonic() + READ_SECONDS
        head = self.buf.getvalue()
        ready = _ends(head)
        if not ready and (piece := self._arrived()) is not None:
            self.buf.seek(0, SEEK_END)
            self.buf.write(piece)
            head += piece
            ready = not piece or _ends(head)
        self.waiting = not ready and head != b""
        if self.waiting and len(head) > MAX_HEAD:
            raise LimitRequestHeaders("request head")
        return ready

    def _arrived(self) -> bytes | None:
        if self.sock.gettimeout() != 0:  # setting it is a system call, and most requests need none
            self.sock.setblocking(False)
        try:
            return self.sock.recv(self.mxchunk)
        except BlockingIOError:
            return None

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Return the next bytes of a body, none at its end. Raises RequestTimeout."""
        left = self.deadline - monotonic()
        if left <= 0:
            raise RequestTimeout
        self.sock.settimeout(left)
        try:
            return super().chunk(size_hint)  # type: ignore[call-arg] # types-gunicorn is a version behind
        except TimeoutError:
            raise RequestTimeout from None


def _ends(head: bytes) -> bool:
    return b"\r\n\r\n" in head or b"\n\n" in head


def reader_of(conn: Any) -> PatientUnreader:
    """Return the reader of a plain connection, made with its parser for its first request."""
    if conn.parser is None:
        conn.parser = PlainParser(conn.cfg, conn.sock, conn.client)
        conn.parser.unreader = PatientUnreader(conn.sock)
        conn.initialized = True
    reader: PatientUnreader = conn.parser.unreader
    return reader


def is_read(request: Any, unreader: SocketUnreader) -> bool:
    """Say whether the next byte belongs to another request; what has arrived of this one's body is dropped."""
    reader = request.body.reader
    if not isinstance(reader, LengthReader):
        return bool(reader.parser is None)
    if 0 < reader.length <= unreader.buf.getbuffer().nbytes:
        request.body.read()
    return reader.length == 0


def is_waiting(conn: Any) -> bool:
    """Say whether the head of a request is there in part."""
    return conn.parser is not None and getattr(conn.parser.unreader, "waiting", False)


def is_ahead(conn: Any) -> bool:
    """Say whether another request has begun to arrive, behind one that was served."""
    return conn.parser.unreader.buf.getbuffer().nbytes > 0 and not is_waiting(conn)


class Invitation:
    """A body that is asked for (`100 Continue`) when somebody wants to read it (RFC 9110 section 10.1.1)."""

    def __init__(self, body: Any, sock: socket.socket) -> None:
        self._body = body
        self._sock = sock
        self._sent = False

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes of the body."""
        if not self._sent:
            self._sent = True
            self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        return bytes(self._body.read(size))


class WholeResponse(Response):
    """Sends the head and a body of known length in one piece: one system call and one packet less.

    What gunicorn does for every header of every answer is done here for all of them at once, or
    once for answers that are alike; whatever is out of the ordinary is left to gunicorn. `rest` is
    what the client has not taken yet.
    """

    rest = b""

    def process_headers(self, headers: Iterable[tuple[str, str]]) -> None:
        """Take the application's headers, checked as strictly as gunicorn does it."""
        given = list(headers)
        length = _length_among(tuple([name for name, _ in given]))
        # A class of characters fits all values in a row exactly when it fits each.
        if length is None or not HEADER_VALUE_RE.fullmatch("".join([value for _, value in given])):
            super().process_headers(given)
            return
        if length >= 0:
            self.response_length = int(given[length][1])
        self.headers = given

    def default_headers(self) -> list[str]:
        """Return the lines that every answer begins with; they are the same for a second."""
        if self.chunked or self.upgrade:
            return list(super().default_headers())
        return [_beginning(self.req.version, self.status, self.should_close(), int(time()))]

    def write(self, arg: bytes) -> None:
        """Send a piece of the body, after the head."""
        if self.headers_sent or self.response_length != len(arg) or self.req.method == "HEAD":
            super().write(arg)
            return
        self.headers_sent = True
        self.sent = len(arg)
        lines = (*self.default_headers(), *[f"{name}: {value}\r\n" for name, value in self.headers], "\r\n")
        self._send("".join(lines).encode("latin-1") + arg)

    def send_headers(self) -> None:
        """Send the head by itself; it and what follows may take their time."""
        if not self.headers_sent:
            self.sock.settimeout(WRITE_SECONDS)
        super().send_headers()

    def _send(self, answer: bytes) -> None:
        """Send as much as the system takes at once, nearly always all; no thread waits for the client to read."""
        if self.cfg.is_ssl:
            self.sock.settimeout(WRITE_SECONDS)
            self.sock.sendall(answer)
            return
        sent = 0
        self.sock.setblocking(False)
        with suppress(BlockingIOError):
            sent = self.sock.send(answer)
        self.rest = answer[sent:]


@lru_cache(maxsize=64)
def _length_among(names: tuple[str, ...]) -> int | None:
    """Return where Content-Length stands (-1: nowhere); None where gunicorn has to look at the headers one by one."""
    plain = all(TOKEN_RE.fullmatch(name) and not is_hoppish(name) for name in names)
    lengths = [number for number, name in enumerate(names) if name.lower() == "content-length"]
    if not plain or len(lengths) > 1:
        return None
    return lengths[0] if lengths else -1


@lru_cache(maxsize=64)
def _beginning(version: tuple[int, int], status: str, ends: bool, unix: int) -> str:
    connection = "close" if ends else "keep-alive"
    first = f"HTTP/{version[0]}.{version[1]} {status}\r\n"
    return f"{first}Server: {SERVER}\r\nDate: {http_date(unix)}\r\nConnection: {connection}\r\n"


class Draining:
    """The rest of an answer: sent as the client takes it, by a deadline; `keeps` lets the connection go on then."""

    def __init__(self, conn: Any, rest: bytes, keeps: bool) -> None:
        self.conn = conn
        self.keeps = keeps
        self._rest = memoryview(rest)
        self._until = monotonic() + WRITE_SECONDS

    def is_over(self) -> bool:
        """Send some more; say whether all is out, or the client has gone or has had its time."""
        try:
            self._rest = self._rest[self.conn.sock.send(self._rest) :]
        except BlockingIOError:
            pass
        except OSError:
            self.keeps = False
            return True
        late = monotonic() > self._until
        self.keeps = self.keeps and not late
        return late or not self._rest


class Parting:
    """The end of a connection: nothing more is sent, what still comes is dropped, within limits."""

    def __init__(self, conn: Any) -> None:
        self.conn = conn
        self._until = monotonic() + PARTING_SECONDS
        self._left = PARTING_BYTES
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
        except OSError:
            self._left = 0

    def is_over(self) -> bool:
        """Drop some of what has arrived; say whether the client has closed, or has had its chance."""
        if self._left <= 0 or monotonic() > self._until:
            return True
        try:
            piece = self.conn.sock.recv(_PIECE)
        except BlockingIOError:
            return False
        except OSError:
            return True
        self._left -= len(piece)
        return not piece
