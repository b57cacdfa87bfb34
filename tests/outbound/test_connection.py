"""What the engine over libcurl's connections does by itself: sending, giving up, closing, connecting anew."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.errors import BackendTimeout, BackendUnavailable, OutcomeUnknown
from bridge.outbound import Engine, Incoming, Outgoing, open_engine
from bridge.outbound import curl as engine_of_curl
from tests.support.fault_server import CLOSE, HANG, RESET, Connection, FaultServer, answer, eventually

#: More than any socket takes at once.
LARGE = b"x" * 20_000_000

TOO_LARGE = answer(413, b"too large")


def some(connection: Connection) -> None:
    connection.sock.recv(1000)


def send(engine: Engine, server: FaultServer, path: str, body: bytes | None = None, within: float = 10.0) -> Incoming:
    method = "GET" if body is None else "POST"
    return engine.send(Outgoing(method, server.url(path), (), body, body is None, time.monotonic() + within))


@pytest.fixture(params=["plain", "tls"])
def either(request: pytest.FixtureRequest, certificate: Path) -> Iterator[tuple[FaultServer, Engine]]:
    """A server with and without TLS, and an engine that trusts it."""
    server = request.getfixturevalue("server" if request.param == "plain" else "tls_server")
    engine = open_engine("pycurl", concurrency=1, max_answer=1000, ca=str(certificate))
    yield server, engine
    engine.close()


@pytest.mark.parametrize("ending", [CLOSE, HANG], ids=["close", "hang"])
def test_an_answer_that_comes_while_a_large_body_is_sent_is_the_answer(either, ending):
    server, engine = either
    server.greet(some, TOO_LARGE, ending)
    incoming = send(engine, server, "/x", LARGE)
    assert (incoming.status, incoming.body) == (413, b"too large")
    assert eventually(lambda: server.connections() == 0), "the rest of the body would be taken for a request"


def test_a_write_that_breaks_off_in_its_body_was_sent(either):
    server, engine = either
    server.greet(some, RESET)
    with pytest.raises(OutcomeUnknown):
        send(engine, server, "/x", LARGE)
    assert server.accepted == 1


def test_a_write_that_is_late_in_its_body_was_sent(either):
    server, engine = either
    server.greet(some, lambda connection: connection.wait(10))
    began = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        send(engine, server, "/x", LARGE, within=0.3)
    assert time.monotonic() - began < 3.0


def test_a_large_body_arrives_whole(either):
    server, engine = either
    server.on("/x", answer(200))
    body = bytes(range(256)) * 20_000
    send(engine, server, "/x", body)
    send(engine, server, "/x", body)
    assert server.bodies() == [body, body]
    assert server.accepted == 1


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nConnection: close\r\n", b"HTTP/1.0 200 OK\r\n"], ids=["close", "HTTP/1.0"]
)
def test_a_connection_that_does_not_last_is_closed_at_once(either, head):
    server, engine = either
    server.on("/x", head + b"Content-Length: 2\r\n\r\nok", HANG)
    for _ in range(2):
        assert send(engine, server, "/x").body == b"ok"
        assert eventually(lambda: server.connections() == 0)
    assert server.accepted == 2


def test_a_late_backend_is_left_at_once_and_not_asked_again(either):
    server, engine = either
    server.on("/ok", answer(200))
    server.on("/x", HANG)
    send(engine, server, "/ok")
    with pytest.raises(BackendTimeout):
        send(engine, server, "/x", within=0.2)
    assert eventually(lambda: server.connections() == 0)
    assert len(server.requests) == 2


def test_a_read_is_sent_twice_at_most(server, curl):
    server.on("/ok", answer(200))
    server.on("/x", CLOSE)
    send(curl, server, "/ok")
    with pytest.raises(BackendUnavailable):
        send(curl, server, "/x")
    assert [one.connection for one in server.requests] == [1, 1, 2]


def test_a_read_over_a_fresh_connection_is_sent_once(server, curl):
    server.on("/x", CLOSE)
    with pytest.raises(BackendUnavailable):
        send(curl, server, "/x")
    assert len(server.requests) == 1


def test_a_read_takes_no_connection_that_a_network_may_have_forgotten(server, curl, monkeypatch):
    server.on("/x", answer(200))
    send(curl, server, "/x")
    monkeypatch.setattr(engine_of_curl, "_IDLE_FOR_READS", 0.0)
    send(curl, server, "/x")
    assert [one.connection for one in server.requests] == [1, 2]
    assert eventually(lambda: server.connections() == 1)


def test_a_tls_session_outlives_its_connection(tls_server, certificate):
    resumed = []
    tls_server.on("/x", lambda connection: resumed.append(connection.sock.session_reused), answer(200), CLOSE)
    engine = open_engine("pycurl", concurrency=1, max_answer=1000, ca=str(certificate))
    for _ in range(3):
        send(engine, tls_server, "/x")
        assert eventually(lambda: tls_server.connections() == 0)
    engine.close()
    assert resumed == [False, True, True]
