"""Ways for a backend to fail once it has a request, and what a read and a write get for it."""

from __future__ import annotations

import gzip
import zlib

from bridge.errors import BackendTimeout, BackendUnavailable, BridgeError, InvalidResult, OutcomeUnknown
from tests.support.fault_server import CLOSE, HANG, RESET, Step, answer, drip, flood

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
LETTERS = gzip.compress(b"hello" * 50)


def coded(coding: str, body: bytes) -> bytes:
    return answer(200, body, ("Content-Encoding", coding))


def bomb() -> bytes:
    """Return about 200 KB of gzip that hold 200 MB."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(bytes(1_000_000)) for _ in range(200)), packer.flush()])


#: The wait before a reset lets the client read what came before it.
RESET_LATER: tuple[Step, ...] = (0.1, RESET)

#: name: (what the server does once it has read the request, what a read gets, what a write gets).
CASES: dict[str, tuple[tuple[Step, ...], type[BridgeError], type[BridgeError]]] = {
    "reset before the answer": ((RESET,), BackendUnavailable, OutcomeUnknown),
    "closed before the answer": ((CLOSE,), BackendUnavailable, OutcomeUnknown),
    "reset in the headers": ((OK + b"Content-Le", *RESET_LATER), InvalidResult, OutcomeUnknown),
    "closed in the headers": ((OK + b"Content-Le", CLOSE), InvalidResult, OutcomeUnknown),
    "closed after a header": ((OK + b"Content-Type: text/plain\r\n", CLOSE), InvalidResult, OutcomeUnknown),
    "reset in the body": ((OK + b"Content-Length: 9\r\n\r\nabc", *RESET_LATER), InvalidResult, OutcomeUnknown),
    "closed in the body": ((OK + b"Content-Length: 9\r\n\r\nabc", CLOSE), InvalidResult, OutcomeUnknown),
    "reset where the end was due": ((OK + b"\r\nabc", *RESET_LATER), InvalidResult, OutcomeUnknown),
    "closed in a chunk": ((CHUNKED + b"5\r\nab", CLOSE), InvalidResult, OutcomeUnknown),
    "closed before the last chunk": ((CHUNKED + b"2\r\nab\r\n", CLOSE), InvalidResult, OutcomeUnknown),
    "a chunk of no size": ((CHUNKED + b"zz\r\nab\r\n0\r\n\r\n", CLOSE), InvalidResult, OutcomeUnknown),
    "two lengths": ((OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc",), InvalidResult, OutcomeUnknown),
    "a list of lengths": ((OK + b"Content-Length: 2, 3\r\n\r\nabc", CLOSE), InvalidResult, OutcomeUnknown),
    "a length beyond all numbers": (
        (OK + b"Content-Length: " + b"9" * 30 + b"\r\n\r\nabc", CLOSE), InvalidResult, OutcomeUnknown
    ),
    "101 headers": ((OK + b"X-A: b\r\n" * 101 + b"\r\n", CLOSE), InvalidResult, OutcomeUnknown),
    "headers of 70 KB": (
        (OK + (b"X-A: " + b"b" * 7000 + b"\r\n") * 10 + b"Content-Length: 0\r\n\r\n",), InvalidResult, OutcomeUnknown
    ),
    "a header of 1 MB": ((OK + b"X-A: " + b"b" * 1_000_000 + b"\r\n\r\n", CLOSE), InvalidResult, OutcomeUnknown),
    "headers without end": ((OK, flood(b"X-A: b\r\n")), InvalidResult, OutcomeUnknown),
    "not HTTP": ((b"hello there\r\n\r\n", CLOSE), InvalidResult, OutcomeUnknown),
    "a status that is none": ((b"HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n", CLOSE), InvalidResult, OutcomeUnknown),
    "a body over the cap": ((answer(200, b"x" * 100_001),), InvalidResult, InvalidResult),
    "a body without end": ((OK + b"\r\n", flood(b"x" * 10_000)), InvalidResult, InvalidResult),
    "chunks without end": ((CHUNKED, flood(b"2710\r\n" + b"x" * 10_000 + b"\r\n")), InvalidResult, InvalidResult),
    "not gzip": ((coded("gzip", b"hello"),), InvalidResult, InvalidResult),
    "gzip cut off": ((coded("gzip", LETTERS[:20]),), InvalidResult, InvalidResult),
    "a gzip bomb": ((coded("gzip", gzip.compress(bytes(200_000))),), InvalidResult, InvalidResult),
    "gzip in gzip": ((coded("gzip, gzip", gzip.compress(LETTERS)),), InvalidResult, InvalidResult),
    "deflate": ((coded("deflate", zlib.compress(b"hello")),), InvalidResult, InvalidResult),
    "an unknown coding": ((coded("foo", b"hello"),), InvalidResult, InvalidResult),
    "silence": ((HANG,), BackendTimeout, OutcomeUnknown),
    "silence in the headers": ((OK + b"Content-Le", HANG), BackendTimeout, OutcomeUnknown),
    "silence in the body": ((OK + b"Content-Length: 9\r\n\r\nabc", HANG), BackendTimeout, OutcomeUnknown),
    "a dripping body": (
        (OK + b"Content-Length: 900\r\n\r\n", drip(b"x" * 900, 0.01)), BackendTimeout, OutcomeUnknown
    ),
}  # fmt: skip


def within(name: str) -> float:
    """Return the seconds that a call may take in this case."""
    return 0.4 if name.startswith(("silence", "a dripping")) else 10.0
