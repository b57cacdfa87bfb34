"""The engines by name, and what they share: a guarded request, a line from the pool, a deadline that has not passed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import certifi

from bridge.kinds import Kinds
from bridge.outbound.faults import Fault
from bridge.outbound.message import Incoming, Outgoing, check_headers
from bridge.outbound.pool import Pool
from bridge.settings import SettingError


class Engine(Protocol):
    """Something that exchanges an Outgoing for an Incoming."""

    name: str

    def send(self, outgoing: Outgoing) -> Incoming:
        """Return the answer, whatever its status.

        Raises InvalidParameters for a header value that must not be sent (nothing was), Overloaded where
        no connection came free within a second, and what `faults.Fault` lists for everything else.
        """

    def close(self) -> None:
        """Close idle connections now and those in use once they are done; a late call opens one of its own."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a line has to know: bytes of a decoded body, seconds to connect, a file of certificates to trust."""

    max_answer: int
    connect_timeout: float
    ca: str


class Line(Protocol):
    """One connection of an engine; the part that differs between them."""

    def exchange(self, outgoing: Outgoing, left: float) -> Incoming:
        """Send the request and return the answer within `left` seconds; raise what Fault lists."""

    def close(self) -> None:
        """Close the connection."""


#: A deadline further away than this (a day) is brought near, since no library takes infinity for an answer.
_LONGEST = 86_400.0

#: What makes a line, by the engine's name.
ENGINES: Kinds[Callable[[Options], Line]] = Kinds(
    {"pycurl": "bridge.outbound.curl:CurlLine", "requests": "bridge.outbound.fallback:RequestsLine"}
)


class PooledEngine:
    """An engine over at most `concurrency` lines, made when first needed and never shared with a forked child."""

    def __init__(self, name: str, make: Callable[[], Line], concurrency: int) -> None:
        self.name = name
        self._pool = Pool(concurrency, make)

    def send(self, outgoing: Outgoing) -> Incoming:
        """Return the answer; see `Engine.send`."""
        check_headers(outgoing)
        line = self._pool.take(outgoing.deadline)
        try:
            left = min(outgoing.deadline - time.monotonic(), _LONGEST)
            if left <= 0:
                raise Fault.EXPIRED.error(outgoing, "no time was left")
            return line.exchange(outgoing, left)
        finally:
            self._pool.give(line)

    def close(self) -> None:
        """Close every connection as soon as it is idle."""
        self._pool.close()


def open_engine(
    name: str, *, concurrency: int, max_answer: int, connect_timeout: float = 3.0, ca: str | None = None
) -> Engine:
    """Return the engine of that name; nothing is connected before the first request.

    `name` is auto, pycurl or requests; auto is pycurl, or requests where pycurl cannot be imported (said once, as a
    warning). `concurrency` is the most requests at once, `max_answer` the most bytes of a decoded body,
    `connect_timeout` seconds for connecting, TLS included. `ca` is a file of certificates (PEM) to trust instead of
    certifi's. Raises SettingError for a name that is unknown or cannot be had here.
    """
    name = _best() if name == "auto" else name
    if name not in ENGINES:
        raise SettingError(f"there is no engine {name!r}; write auto, {' or '.join(ENGINES)}")
    try:
        line = ENGINES[name]
    except ImportError as error:
        raise SettingError(f"the engine {name} cannot be loaded here: {error}") from None
    options = Options(max_answer, connect_timeout, ca or certifi.where())
    return PooledEngine(name, lambda: line(options), concurrency)


@cache
def _best() -> str:
    try:
        ENGINES["pycurl"]
    except ImportError as error:
        logging.getLogger(__name__).warning(
            "pycurl cannot be loaded (%s): backends are called through requests, which keeps deadlines less well", error
        )
        return "requests"
    return "pycurl"
