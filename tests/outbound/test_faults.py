"""What a read and a write get when the backend fails, one case after another; over both engines."""

from __future__ import annotations

import gzip
import logging
import re
import time
import tracemalloc
import zlib
from pathlib import Path

import pytest

from bridge.errors import (
    BackendTimeout,
    BackendUnavailable,
    BridgeError,
    InvalidResult,
    OutcomeUnknown,
    walk,
)
from bridge.outbound import Outgoing, faults, open_engine
from tests.support.fault_server import CLOSE, HANG, RESET, Step, answer, drip, eventually, flood, refused_port

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

#: http.client cannot tell a reset among the headers from one before them.
LESS_CLEAR = {("requests", "reset in the headers"): BackendUnavailable}


def within(name: str) -> float:
    return 0.4 if name.startswith(("silence", "a dripping")) else 10.0


@pytest.mark.parametrize("name", CASES)
def test_a_read_says_how_the_backend_failed(server, engine, get, name):
    steps, expected, _ = CASES[name]
    server.on("/x", *steps)
    with pytest.raises(LESS_CLEAR.get((engine.name, name), expected)) as caught:
        get(server.url("/x"), within=within(name))
    assert caught.value.message == type(caught.value).default


@pytest.mark.parametrize("name", CASES)
def test_a_write_says_what_is_certain_and_is_sent_once(server, post, name):
    steps, _, expected = CASES[name]
    server.on("/x", *steps)
    with pytest.raises(expected) as caught:
        post(server.url("/x"), body=b"one", within=within(name))
    assert caught.value.message == type(caught.value).default
    assert server.bodies() == [b"one"]


@pytest.mark.parametrize("name", CASES)
def test_after_a_fault_the_next_answer_is_the_right_one(server, get, post, name):
    server.on("/x", *CASES[name][0])
    server.on("/ok", answer(200, b"right"))
    for ask in (get, post):
        with pytest.raises(BridgeError):
            ask(server.url("/x"), within=within(name))
        assert ask(server.url("/ok")).body == b"right"


def test_no_header_flood_or_drip_outlasts_the_deadline(server, curl):
    scripts: dict[str, tuple[Step, ...]] = {
        "/drip": (drip(answer(200, b"x"), 0.02),),
        "/interim": (flood(b"HTTP/1.1 100 Continue\r\n\r\n", 0.01),),
        "/fast": (flood(b"HTTP/1.1 100 Continue\r\n\r\n"),),
    }
    for path, steps in scripts.items():
        server.on(path, *steps)
        for safe in (True, False):
            began = time.monotonic()
            with pytest.raises((BackendTimeout, InvalidResult) if safe else OutcomeUnknown):
                curl.send(Outgoing("GET", server.url(path), (), None, safe, began + 0.3))
            assert time.monotonic() - began < 3.0


def test_a_deadline_that_has_passed_sends_nothing(server, get, post):
    with pytest.raises(BackendTimeout):
        get(server.url("/x"), within=-1.0)
    with pytest.raises(BackendUnavailable):
        post(server.url("/x"), within=-1.0)
    assert server.accepted == 0


def test_a_deadline_far_away_is_no_deadline(server, engine):
    server.on("/x", answer(200))
    assert engine.send(Outgoing("GET", server.url("/x"), (), None, True, float("inf"))).status == 200


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "a" * 64 + ".invalid"], ids=["refused", "unknown"])
def test_a_backend_that_cannot_be_reached_was_sent_nothing(get, post, host):
    url = f"http://{host}/x".format(port=refused_port())
    for ask in (get, post):
        with pytest.raises(BackendUnavailable) as caught:
            ask(url)
        assert caught.value.retry_after


def test_a_backend_that_lets_nobody_in_is_given_up_after_the_connect_timeout(silent_port):
    for name in ("pycurl", "requests"):
        engine = open_engine(name, concurrency=1, max_answer=10, connect_timeout=0.2)
        began = time.monotonic()
        for safe in (True, False):
            with pytest.raises(BackendUnavailable):
                engine.send(Outgoing("GET", f"http://127.0.0.1:{silent_port}/", (), None, safe, began + 60))
        assert time.monotonic() - began < 10
        engine.close()


def test_a_200_mb_bomb_costs_little_more_memory_than_the_cap(server):
    server.on("/x", coded("gzip", bomb()))
    for name in ("pycurl", "requests"):
        engine = open_engine(name, concurrency=1, max_answer=5_242_880)
        tracemalloc.start()
        with pytest.raises(InvalidResult):
            engine.send(Outgoing("GET", server.url("/x"), (), None, True, time.monotonic() + 60))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20_000_000
        engine.close()


def test_the_log_has_the_truth_and_no_secret(engine):
    secret = "canary-7f3a"
    url = f"http://{secret}:{secret}@127.0.0.1:{refused_port()}/{secret}?key={secret}"
    outgoing = Outgoing("GET", url, (("Authorization", secret),), None, True, time.monotonic() + 5)
    with pytest.raises(BackendUnavailable) as caught:
        engine.send(outgoing)
    error = caught.value
    assert error.log
    assert re.fullmatch(r"GET http://127\.0\.0\.1:\d+: NOT_SENT: .+", error.log)
    assert secret not in error.log + error.message
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None


@pytest.mark.parametrize("name", ["silence in the body", "closed in the headers", "two lengths", "not gzip", "not HTTP"])
def test_no_fault_shows_a_secret(server, post, name, caplog):
    caplog.set_level(logging.DEBUG)
    secret = "canary-7f3a"
    server.on("/" + secret, *CASES[name][0])
    with pytest.raises(BridgeError) as caught:
        post(
            server.url(f"/{secret}?key={secret}"), ("X-Key", secret), body=secret.encode(), within=within(name)
        )
    assert secret not in f"{caught.value.log} {caught.value.message} {caplog.text}"


def test_two_hundred_faults_leave_no_socket(server, engine, get, post):
    open_files = Path("/proc/self/fd")
    if not open_files.exists():
        pytest.skip("no /proc here: open files cannot be counted")
    names = [name for name, (steps, _, _) in CASES.items() if 0.1 not in steps and within(name) > 1]
    server.on("/ok", answer(200))
    for number, name in enumerate(names):
        server.on(f"/{number}", *CASES[name][0])
    get(server.url("/ok"))
    assert eventually(lambda: server.connections() <= 1)
    before = len(list(open_files.iterdir()))
    for turn in range(200):
        with pytest.raises(BridgeError):
            (get if turn % 2 else post)(server.url(f"/{turn % len(names)}"))
    get(server.url("/ok"))
    assert eventually(lambda: server.connections() <= 1)
    assert len(list(open_files.iterdir())) <= before
    engine.close()
    assert eventually(lambda: server.connections() == 0)


def test_the_table_in_the_module_is_the_table_in_the_code():
    codes = {kind.__name__: kind.code for kind in walk()}
    rows = re.findall(
        r"^    ([A-Z_]+) +[a-z].*?([A-Z]+_[A-Z]+) +([A-Z]+_[A-Z]+)$", faults.__doc__ or "", re.MULTILINE | re.DOTALL
    )
    assert {name: (read, write) for name, read, write in rows} == {
        fault.name: tuple(codes[kind.__name__] for kind in fault.value) for fault in faults.Fault
    }
