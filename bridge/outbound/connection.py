"""One connection: libcurl makes it (names, addresses, TLS, in time), and bytes go both ways over it until a deadline.

libcurl runs with `CONNECT_ONLY`: `perform()` connects and does no HTTP. Then `send` and `recv`, which never block and
release the GIL, move bytes, and `poll` waits for the socket.

"Sent" is what `send` took. Over TLS that is exact because it gets no more than a record at once: of a longer block,
OpenSSL may hand over some records and say that it took nothing. A part of a record is nothing that a server could read.
"""

from __future__ import annotations

import contextlib
import select
import time
from math import ceil
from typing import Any

import pycurl

from bridge.outbound.engine import Options
from bridge.outbound.request import Origin
from bridge.outbound.response import AnswerReader

#: A URL that leads nowhere at once.
_NOWHERE = "nowhere:"

#: Bytes sent at once: what a record of TLS holds.
_RECORD = 16_384
#: Bytes received at once: more than a record, so that none is left where a poll cannot see it.
_BLOCK = 65_536

_ALWAYS: tuple[tuple[int, Any], ...] = (
    (pycurl.CONNECT_ONLY, 1),
    (pycurl.NOSIGNAL, 1),
    (pycurl.PROXY, ""),
    (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
    (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
    (pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2),
    (pycurl.SSL_VERIFYPEER, 1),
    (pycurl.SSL_VERIFYHOST, 2),
)


class Connection:
    """A connection that can be opened again and again, so that TLS sessions and the certificates to trust are kept.

    `sent` says whether a byte of the last request was handed over. Its methods raise ConnectionError, TimeoutError
    where `until` (monotonic seconds) has passed, and what the reader raises.
    """

    def __init__(self, options: Options) -> None:
        self.sent = False
        self._origin: Origin | None = None
        self._used = 0.0
        self._poll = select.poll()
        # A handle that only connects has no place of its own for the TLS sessions that come with an answer.
        self._sessions = pycurl.CurlShare()
        self._sessions.setopt(pycurl.SH_SHARE, pycurl.LOCK_DATA_SSL_SESSION)
        self._curl = pycurl.Curl()
        self._curl.setopt(pycurl.SHARE, self._sessions)
        for option, value in _ALWAYS:
            self._curl.setopt(option, value)
        self._curl.setopt(pycurl.CONNECTTIMEOUT_MS, int(options.connect_timeout * 1000))
        self._curl.setopt(pycurl.CAINFO, options.ca)

    def is_fit(self, origin: Origin, longest: float) -> bool:
        """Say whether it leads there, was idle for at most so many seconds, still stands and has nothing to read."""
        return self._origin == origin and time.monotonic() - self._used <= longest and not self._poll.poll(0)

    def open(self, origin: Origin, until: float) -> None:
        """Connect, in place of what was connected before."""
        self.sent = False
        self._origin = None
        curl = self._curl
        curl.setopt(pycurl.URL, origin.url)
        # Rounded up: whoever asks afterwards whether the deadline has passed must find that it has.
        curl.setopt(pycurl.TIMEOUT_MS, max(1, ceil((until - time.monotonic()) * 1000)))
        try:
            curl.perform()
        except pycurl.error as error:
            raise _ended(error) from None
        self._poll = self._watch(select.POLLIN)
        self._origin = origin

    def close(self) -> None:
        """Disconnect."""
        self._origin = None
        # libcurl disconnects before it connects anew, and this never connects. Closing the handle would do it too, but
        # throws away the certificates to trust, which take it milliseconds to read.
        self._curl.setopt(pycurl.URL, _NOWHERE)
        with contextlib.suppress(pycurl.error):
            self._curl.perform()

    def end(self) -> None:
        """Disconnect for good."""
        self._curl.close()

    def exchange(self, request: bytes, reader: AnswerReader, until: float) -> None:
        """Send the request and give the reader its answer; disconnect unless another request may follow."""
        self.sent = False
        # Nobody finds it fit until all went well, whatever is raised.
        origin, self._origin = self._origin, None
        whole = self._sent_whole(request, reader, until)
        if whole:
            _wait(self._poll, until)
        while not reader.done:
            if time.monotonic() >= until:
                raise _passed()
            reader.feed(self._received(until))
        if whole and reader.reusable:
            self._origin, self._used = origin, time.monotonic()
        else:
            self.close()

    def _sent_whole(self, request: bytes, reader: AnswerReader, until: float) -> bool:
        """Send the request; say False where the server answered, or hung up, before it had all of it."""
        rest = memoryview(request)
        rest = rest[self._send(rest) :]
        if not rest:
            return True
        both = self._watch(select.POLLIN | select.POLLOUT)
        while rest:
            if _wait(both, until) != select.POLLOUT and self._listened(reader):
                return False
            try:
                rest = rest[self._send(rest) :]
            except ConnectionError:
                if not self.sent:
                    raise
                # What the server said before it hung up may be there to read.
                return False
        return True

    def _send(self, data: memoryview) -> int:
        try:
            taken: int = self._curl.send(data[:_RECORD])
        except BlockingIOError:
            return 0
        except pycurl.error as error:
            raise _ended(error) from None
        self.sent = True
        return taken

    def _listened(self, reader: AnswerReader) -> bool:
        """Read what has come, without waiting; say whether it is a whole answer."""
        data = self._receive()
        return data is not None and reader.feed(data)

    def _received(self, until: float) -> bytes:
        """Return the next bytes, empty at an orderly end."""
        while (data := self._receive()) is None:
            _wait(self._poll, until)
        return data

    def _receive(self) -> bytes | None:
        try:
            data: bytes = self._curl.recv(_BLOCK)
        except BlockingIOError:
            return None
        except pycurl.error as error:
            raise _ended(error) from None
        return data

    def _watch(self, events: int) -> select.poll:
        poll = select.poll()
        poll.register(self._curl.getinfo(pycurl.ACTIVESOCKET), events)
        return poll


def _wait(poll: select.poll, until: float) -> int:
    """Wait for the socket; return what happened to it."""
    left = until - time.monotonic()
    found = poll.poll(left * 1000) if left > 0 else ()
    if not found:
        raise _passed()
    return found[0][1]


def _passed() -> TimeoutError:
    return TimeoutError("the deadline passed")


def _ended(error: pycurl.error) -> ConnectionError:
    return ConnectionError("libcurl {}: {}".format(*error.args))
