"""The engine for every backend: libcurl through pycurl, one easy handle per connection.

A handle keeps one HTTP/1.1 connection (the pool shares nothing between handles, so HTTP/2 would multiplex
nothing, and "was it sent?" has one answer per connection). `perform()` releases the GIL; the callbacks take
it back, so they are few: a header line costs one call of `list.append`, a block of the body one of `_take`.

Two habits of libcurl need a guard each (both measured with 8.23):

- It trusts a connection that it checked within the last second. A server may have closed it meanwhile, or
  sent bytes nobody asked for, which would become the answer to the next request. So the socket is polled
  before every request, and a connection with anything to read is not used again. What a poll cannot see is a
  close that is under way, so a write takes no connection that was idle for longer than servers dare to promise.
- It sends a request again over a fresh connection when a reused one ends unanswered. That suits a read. For a
  write, `PREREQFUNCTION`, called before each sending, refuses the second.
"""

from __future__ import annotations

import select
import time
from collections.abc import Mapping
from functools import lru_cache
from math import ceil
from typing import Any

import pycurl

from bridge.errors import BridgeError
from bridge.outbound.engine import Options
from bridge.outbound.faults import Fault
from bridge.outbound.message import (
    MAX_HEAD,
    MAX_HEADERS,
    Fields,
    Incoming,
    Outgoing,
    UnusableBodyError,
    decoded,
    joined,
    standing,
    wire_body,
)

#: Seconds of idleness after which a write gets a connection of its own; the shortest keep-alive in common use is two.
_IDLE_FOR_WRITES = 1.0

#: What libcurl adds by itself.
_UNWANTED = ("Accept", "Content-Type", "Expect")

_ALWAYS: tuple[tuple[int, Any], ...] = (
    (pycurl.NOSIGNAL, 1),
    (pycurl.PROXY, ""),
    (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
    (pycurl.FOLLOWLOCATION, 0),
    (pycurl.PATH_AS_IS, 1),
    (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
    (pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2),
    (pycurl.SSL_VERIFYPEER, 1),
    (pycurl.SSL_VERIFYHOST, 2),
    (pycurl.MAXCONNECTS, 1),
)

#: Failures after a complete head that are the body's own fault.
_UNUSABLE = frozenset({pycurl.E_WRITE_ERROR, pycurl.E_FILESIZE_EXCEEDED})
#: Failures that mean "bytes came, but not an HTTP answer" even where no header line was seen.
_NOT_HTTP = frozenset({pycurl.E_UNSUPPORTED_PROTOCOL, pycurl.E_FTP_WEIRD_SERVER_REPLY})


class CurlLine:
    """One easy handle, its connection, and the answer that it is receiving."""

    def __init__(self, options: Options) -> None:
        self._max_answer = options.max_answer
        self._head: list[bytes] = []
        self._body: list[bytes] = []
        self._size = 0
        self._sendings = 0
        self._shape: tuple[str, bool, bool] | None = None
        self._fresh = False
        self._used = 0.0
        self._watched = -1
        self._poll = select.poll()
        self._curl = pycurl.Curl()
        own = (
            (pycurl.CONNECTTIMEOUT_MS, int(options.connect_timeout * 1000)),
            (pycurl.CAINFO, options.ca),
            (pycurl.MAXFILESIZE_LARGE, options.max_answer),
            (pycurl.HEADERFUNCTION, self._head.append),
            (pycurl.WRITEFUNCTION, self._take),
        )
        for option, value in (*_ALWAYS, *own):
            self._curl.setopt(option, value)

    def close(self) -> None:
        """Close the connection."""
        self._curl.close()

    def exchange(self, outgoing: Outgoing, left: float) -> Incoming:
        """Send the request and return the answer; see `engine.Line`."""
        self._prepare(outgoing, left)
        try:
            self._curl.perform()
            return self._incoming(outgoing)
        except pycurl.error as error:
            raise self._fault(outgoing, *error.args) from None
        finally:
            self._body.clear()
            self._used = time.monotonic()

    def _prepare(self, outgoing: Outgoing, left: float) -> None:
        curl = self._curl
        self._head.clear()
        self._size = self._sendings = 0
        self._shape_for(outgoing)
        curl.setopt(pycurl.URL, outgoing.url)
        curl.setopt(pycurl.HTTPHEADER, _header_lines(outgoing.headers))
        # Rounded up: whoever asks afterwards whether the deadline has passed must find that it has.
        curl.setopt(pycurl.TIMEOUT_MS, ceil(left * 1000))
        fresh = self._is_stale() or (not outgoing.safe and time.monotonic() - self._used > _IDLE_FOR_WRITES)
        if fresh != self._fresh:
            curl.setopt(pycurl.FRESH_CONNECT, fresh)
            self._fresh = fresh

    def _shape_for(self, outgoing: Outgoing) -> None:
        """Set what rarely changes between two requests of one handle, and the body."""
        curl = self._curl
        body = wire_body(outgoing)
        shape = (outgoing.method, body is not None, outgoing.safe)
        if shape != self._shape:
            curl.setopt(pycurl.HTTPGET if body is None else pycurl.POST, 1)
            curl.setopt(pycurl.NOBODY, outgoing.method == "HEAD")
            curl.setopt(pycurl.CUSTOMREQUEST, outgoing.method)
            curl.setopt(pycurl.PREREQFUNCTION, None if outgoing.safe else self._send_once)
            self._shape = shape
        if body is not None:
            curl.setopt(pycurl.POSTFIELDS, body)

    def _is_stale(self) -> bool:
        """Say whether the idle connection, if there is one, was closed or has unasked-for bytes to read."""
        socket: int = self._curl.getinfo(pycurl.ACTIVESOCKET)
        if socket != self._watched:
            if self._watched >= 0:
                self._poll.unregister(self._watched)
            if socket >= 0:
                self._poll.register(socket, select.POLLIN)
            self._watched = socket
        return socket >= 0 and bool(self._poll.poll(0))

    def _send_once(self, *_: object) -> int:
        self._sendings += 1
        return pycurl.PREREQFUNC_OK if self._sendings == 1 else pycurl.PREREQFUNC_ABORT

    def _take(self, block: bytes) -> int | None:
        # MAXFILESIZE would do from libcurl 8.4 on; before, it looked at declared lengths only.
        self._size += len(block)
        if self._size > self._max_answer:
            return 0
        self._body.append(block)
        return None

    def _incoming(self, outgoing: Outgoing) -> Incoming:
        head = _final_head(self._head)
        if head is None:
            raise Fault.BROKEN.error(outgoing, "the headers have no end")
        if len(self._head) > MAX_HEADERS + 2 or sum(map(len, self._head)) > MAX_HEAD:
            raise Fault.BROKEN.error(outgoing, "too many headers")
        try:
            return Incoming(*head, decoded(head[1], b"".join(self._body), self._max_answer))
        except UnusableBodyError as error:
            raise Fault.UNUSABLE.error(outgoing, f"status {head[0]}: {error}") from None

    def _fault(self, outgoing: Outgoing, code: int, text: str) -> BridgeError:
        why = f"libcurl {code}: {text}" if self._sendings < 2 else "a reused connection ended unanswered"
        if not self._curl.getinfo(pycurl.REQUEST_SIZE):
            return (Fault.EXPIRED if time.monotonic() >= outgoing.deadline else Fault.NOT_SENT).error(outgoing, why)
        if code == pycurl.E_OPERATION_TIMEDOUT:
            return Fault.LATE.error(outgoing, why)
        if code in _UNUSABLE and _final_head(self._head):
            return Fault.UNUSABLE.error(outgoing, why)
        if self._head or code in _NOT_HTTP:
            return Fault.BROKEN.error(outgoing, why)
        return Fault.GONE.error(outgoing, why)


def _header_lines(fields: Fields) -> list[str]:
    """Write headers as libcurl reads them; `Name;` is its way to send an empty value."""
    lines = [f"{name}: {text}" if text else f"{name};" for name, text in fields]
    lines += _added_lines(tuple([name for name, _ in fields]))
    return lines


@lru_cache(1024)
def _added_lines(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the lines beside those of headers with these names; `Name:` keeps libcurl from adding its own."""
    given = {name.lower() for name in names}
    unwanted = (f"{name}:" for name in _UNWANTED if name.lower() not in given)
    return (*(f"{name}: {text}" for name, text in standing(names)), *unwanted)


def _final_head(lines: list[bytes]) -> tuple[int, Mapping[str, str]] | None:
    """Return status and headers of the final answer; None unless the empty line after them came.

    `lines` may begin with interim answers (1xx) and end with trailers, which are no headers.
    """
    empty = b"\r\n" if b"\r\n" in lines else b"\n"
    start = 0
    try:
        while (status := int(lines[start][9:12])) < 200:
            start = lines.index(empty, start) + 1
        end = lines.index(empty, start)
    except (IndexError, ValueError):
        return None
    return status, joined([line.decode("latin-1").partition(":")[::2] for line in lines[start + 1 : end]])
