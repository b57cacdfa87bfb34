"""The engine for every backend: libcurl connects, and the HTTP/1.1 exchange over the connection is ours.

libcurl's own exchange cost half of a call, and had to be watched: it sends a request again where a reused connection
ends unanswered, and trusts a connection that it checked within the last second. Here a request is sent by one loop,
so "was it sent?" has one answer, and three rules say which connection it takes:

- A server may have closed an idle connection, or sent bytes nobody asked for, which would become the answer to the
  next request. So the socket is polled before every request, and one with anything to read is not used again.
- What a poll cannot see is a close that is under way, so a write takes no connection that was idle for longer than
  servers dare to promise. A network may forget a connection without a word, so a read takes none that is minutes old.
- A read that a reused connection swallowed is sent once more, over a fresh one. A write never is.
"""

from __future__ import annotations

import time

from bridge.errors import BridgeError
from bridge.outbound.connection import Connection
from bridge.outbound.engine import Options
from bridge.outbound.faults import Fault
from bridge.outbound.message import Incoming, Outgoing, UnusableBodyError, decoded
from bridge.outbound.request import written
from bridge.outbound.response import AnswerReader, BrokenAnswerError

#: Seconds of idleness after which a write gets a fresh connection; the shortest keep-alive in common use is two.
_IDLE_FOR_WRITES = 1.0
#: The same for a read; libcurl's own limit.
_IDLE_FOR_READS = 118.0


class CurlLine:
    """One connection, made when it is needed and made again when it is gone."""

    def __init__(self, options: Options) -> None:
        self._max_answer = options.max_answer
        self._connection = Connection(options)

    def close(self) -> None:
        """Close the connection."""
        self._connection.end()

    def exchange(self, outgoing: Outgoing, left: float) -> Incoming:
        """Send the request and return the answer; see `engine.Line`."""
        until = time.monotonic() + left
        try:
            origin, request = written(outgoing)
        except ValueError as error:
            raise Fault.NOT_SENT.error(outgoing, str(error)) from None
        connection = self._connection
        reused = connection.is_fit(origin, _IDLE_FOR_READS if outgoing.safe else _IDLE_FOR_WRITES)
        while True:
            reader = AnswerReader(outgoing.method, self._max_answer)
            try:
                if not reused:
                    connection.open(origin, until)
                connection.exchange(request, reader, until)
                return Incoming(reader.status, reader.headers, decoded(reader.headers, reader.body, self._max_answer))
            except (ConnectionError, TimeoutError, BrokenAnswerError, UnusableBodyError) as error:
                connection.close()
                if not (reused and outgoing.safe and _is_swallowed(reader, error)):
                    raise self._fault(outgoing, reader, error) from None
                reused = False

    def _fault(self, outgoing: Outgoing, reader: AnswerReader, error: Exception) -> BridgeError:
        if isinstance(error, UnusableBodyError):
            return Fault.UNUSABLE.error(outgoing, f"status {reader.status}: {error}")
        if not self._connection.sent:
            fault = Fault.EXPIRED if time.monotonic() >= outgoing.deadline else Fault.NOT_SENT
        elif isinstance(error, TimeoutError):
            fault = Fault.LATE
        else:
            fault = Fault.BROKEN if reader.begun else Fault.GONE
        return fault.error(outgoing, str(error))


def _is_swallowed(reader: AnswerReader, error: Exception) -> bool:
    """Say whether the connection ended before a byte of the answer came."""
    return not reader.begun and not isinstance(error, TimeoutError)
