"""Slow clients hold connections, not threads: what they can and cannot do to a server of few threads (facts A10, 1.1)."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from select import select

import pytest

from tests.support.raw_client import RawClient
from tests.support.server import Server, serving
from tests.support.small_bridge import TOKEN

ANN = {"Authorization": f"Bearer {TOKEN}"}
HEAD = f"POST /call HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n".encode()
CALL = {"name": "echo"}
SMALL = "tests.support.small_bridge:app()"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(None, "--threads", "8", app=SMALL, workers=1) as running:
        yield running


@pytest.fixture(scope="module")
def hurried() -> Iterator[Server]:
    """A server that waits a second where it would wait ten or thirty."""
    env = {"TOOLBRIDGE_MAX_BODY": "20000000"}
    with serving(None, "--threads", "5", app="tests.support.small_bridge:hurried_app()", workers=1, env=env) as running:
        yield running


def many(server: Server, count: int, data: bytes, stack: ExitStack) -> list[RawClient]:
    """Return connections that have sent `data` and go on to say nothing."""
    return [stack.enter_context(server.connect()).send(data) for _ in range(count)]


def answered(clients: list[RawClient], count: int) -> list[RawClient]:
    """Wait until at least `count` of the connections have an answer, and return those that have."""
    until, found = time.monotonic() + 10, []
    while len(found) < count and time.monotonic() < until:
        found, _, _ = select([client._wire.sock for client in clients], [], [], 1.0)
        time.sleep(0.05)
    return [client for client in clients if client._wire.sock in found]


def drip(client: RawClient, count: int) -> None:
    """Send so many bytes, ten a second."""
    for _ in range(count):
        client.send(b" ")
        time.sleep(0.1)


def test_half_a_head_takes_no_thread(server: Server) -> None:
    with ExitStack() as stack:
        many(server, 150, b"", stack)
        many(server, 150, b"POST /call HTTP/1.1\r\nHost: loc", stack)
        for _ in range(20):
            assert server.request("POST", "/call", CALL, **ANN).status == 200


def test_a_head_that_drips_takes_no_thread(server: Server) -> None:
    with ExitStack() as stack:
        dripping = many(server, 40, b"POST /call HTTP/1.1\r\n", stack)
        for byte in b"Host: localhost\r\nX-Drip: ":
            for client in dripping:
                client.send(bytes([byte]))
            assert server.request("GET", "/health/live").status == 200


def test_a_stranger_s_body_that_never_comes_takes_no_thread(server: Server) -> None:
    with ExitStack() as stack:
        for client in many(server, 100, b"POST /call HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n", stack):
            assert client.read().status == 401
        for _ in range(20):
            assert server.request("POST", "/call", CALL, **ANN).status == 200


def test_connections_that_end_do_not_hold_up_others(server: Server) -> None:
    """Twenty clients that get a refusal and do not close: each would stop the event loop for two seconds by itself."""
    with ExitStack() as stack:
        ending = many(server, 20, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", stack)
        began = time.monotonic()
        assert server.request("GET", "/health/live").status == 200
        assert time.monotonic() - began < 20
        for client in ending:
            assert client.read().status == 400


def test_callers_bodies_that_never_come_take_calls_but_neither_lists_nor_health(server: Server) -> None:
    with ExitStack() as stack:
        stalled = many(server, 12, HEAD + b"Content-Length: 1000\r\n\r\n", stack)
        refused = answered(stalled, 8)
        assert [client.read().status for client in refused] == [503] * 8
        assert server.request("POST", "/call", CALL, **ANN).status == 503
        assert server.request("GET", "/tools", **ANN).status == 200
        assert server.request("GET", "/health/live").status == 200
    assert server.request("GET", "/health/live").status == 200


def test_a_head_is_waited_for_until_its_deadline_however_it_drips(hurried: Server) -> None:
    with hurried.connect() as client:
        client.send(b"GET /tools HTTP/1.1\r\nX: ")
        with pytest.raises(ConnectionError):
            drip(client, 100)


def test_a_head_that_never_ends_is_a_408(hurried: Server) -> None:
    with hurried.connect() as client:
        answer = client.send(b"GET /tools HTTP/1.1\r\nHost: localhost\r\n").read()
        assert (answer.status, answer.header("Connection")) == (408, "close")
        assert answer.json()["error"]["message"] == "The request did not arrive in time"


@pytest.mark.parametrize("framing", [b"Content-Length: 1000\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n{"])
def test_a_body_is_waited_for_until_its_deadline_and_frees_its_slot(hurried: Server, framing: bytes) -> None:
    with hurried.connect() as client, hurried.connect() as second:
        client.send(HEAD + framing)
        answer = client.read()
        assert (answer.status, answer.header("Connection")) == (400, "close")
        assert answer.json() == {"error": "The request body came broken, cut off or too slowly"}
        second.send(HEAD + framing)
        drip(second, 8)
        assert second.read().status == 400
    assert hurried.request("POST", "/call", CALL, **ANN).status == 200


def test_a_client_that_does_not_read_its_answer_is_left(hurried: Server) -> None:
    body = b'{"name": "echo", "arguments": {"x": "%s"}}' % (b"y" * 15_000_000)
    with ExitStack() as stack:
        for _ in range(5):
            (client,) = many(hurried, 1, HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body, stack)
            assert client._wire.exactly(12) == b"HTTP/1.1 200"
        assert hurried.request("GET", "/health/live").status == 200
    assert hurried.request("POST", "/call", CALL, **ANN).status == 200


def test_more_connections_than_files_do_not_end_the_worker() -> None:
    limited = "import os, resource; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)); os.execv(os.sys.argv[1], os.sys.argv[1:])"
    with ExitStack() as stack:
        server = stack.enter_context(serving(None, "--threads", "8", app=SMALL, workers=1, before=(sys.executable, "-c", limited)))
        before = server.workers()
        idle = many(server, 400, b"", stack)
        for client in idle[:300]:
            client.close()
        assert server.request("POST", "/call", CALL, **ANN).status == 200
        assert server.workers() == before


def test_clients_that_ask_and_never_read_take_no_thread(server: Server) -> None:
    """Each asks for more than the system keeps for it; the rest of the answers waits, and nobody with it."""
    asked = b"GET /tools HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2_000
    with ExitStack() as stack:
        deaf = [stack.enter_context(socket.socket()) for _ in range(24)]
        for client in deaf:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
            client.connect((server.host, server.port))
            client.setblocking(False)
        for _ in range(200):
            for client in deaf:
                with suppress(BlockingIOError):
                    client.send(asked)
        for _ in range(5):
            began = time.monotonic()
            assert server.request("GET", "/health/live").status == 200
            assert server.request("POST", "/call", CALL, **ANN).status == 200
            assert time.monotonic() - began < 5


def test_slow_clients_leave_nothing_in_the_log(server: Server, hurried: Server) -> None:
    for line in server.lines + hurried.lines:
        assert "Traceback" not in line
        assert "internal_error" not in line
