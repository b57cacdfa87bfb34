"""Which connection a request goes over, and how often; over both engines."""

from __future__ import annotations

import time

import pytest

from bridge.errors import BackendUnavailable, OutcomeUnknown
from bridge.outbound import Outgoing
from tests.support.fault_server import CLOSE, RESET, answer, eventually

ENDINGS = pytest.mark.parametrize("ending", [CLOSE, RESET])


@ENDINGS
def test_a_write_that_a_reused_connection_swallows_is_sent_once_and_its_outcome_is_unknown(server, get, post, ending):
    server.on("/ok", answer(200))
    server.on("/x", ending)
    get(server.url("/ok"))
    with pytest.raises(OutcomeUnknown):
        post(server.url("/x"), body=b"one")
    assert server.bodies("/x") == [b"one"]
    assert [one.connection for one in server.requests] == [1, 1]


@ENDINGS
def test_a_write_never_goes_over_a_connection_that_has_ended(server, post, ending):
    server.on("/ok", answer(200), ending)
    server.on("/x", answer(201), ending)
    for path in ("/ok", "/x", "/x", "/ok", "/x"):
        assert post(server.url(path), body=b"one").status in (200, 201)
        assert eventually(lambda: server.connections() == 0)
    assert server.bodies() == [b"one"] * 5
    assert [one.connection for one in server.requests] == [1, 2, 3, 4, 5]


def test_a_write_trusts_only_a_connection_that_was_used_a_moment_ago(server, curl):
    server.on("/x", answer(200))

    def send(method: str, *, idle: float = 0.0) -> None:
        time.sleep(idle)
        curl.send(Outgoing(method, server.url("/x"), (), None, method == "GET", time.monotonic() + 5))

    send("POST")
    send("POST")
    assert server.accepted == 1
    send("GET", idle=1.1)
    send("POST")
    assert server.accepted == 1
    send("POST", idle=1.1)
    assert server.accepted == 2


@ENDINGS
def test_a_read_never_fails_because_an_idle_connection_has_ended(server, get, ending):
    server.on("/ok", answer(200), ending)
    for _ in range(3):
        assert get(server.url("/ok")).status == 200
        assert eventually(lambda: server.connections() == 0)
    assert len(server.requests) == 3


@ENDINGS
def test_a_read_that_a_reused_connection_swallows_may_be_asked_again(server, engine, get, ending):
    server.on("/ok", answer(200))
    server.on("/x", ending, times=1)
    server.on("/x", answer(200, b"now"))
    get(server.url("/ok"))
    if engine.name == "pycurl":
        assert get(server.url("/x")).body == b"now"
    else:
        with pytest.raises(BackendUnavailable):
            get(server.url("/x"))


def test_bytes_that_nobody_asked_for_answer_nobody(server, get, post):
    server.on("/first", answer(200, b"first"), 0.05, answer(200, b"evil"))
    server.on("/next", answer(200, b"next"))
    for ask in (get, post):
        assert get(server.url("/first")).body == b"first"
        time.sleep(0.2)
        assert ask(server.url("/next")).body == b"next"


def test_bytes_after_the_end_of_an_answer_answer_nobody(server, get, post):
    server.on("/first", answer(200, b"first") + answer(200, b"evil"))
    server.on("/next", answer(200, b"next"))
    for ask in (get, post):
        assert get(server.url("/first")).body == b"first"
        assert ask(server.url("/next")).body == b"next"


def test_a_read_and_a_write_may_take_turns_after_a_fault(server, get, post):
    server.on("/x", CLOSE, times=1)
    server.on("/x", answer(200))
    with pytest.raises(OutcomeUnknown):
        post(server.url("/x"))
    assert post(server.url("/x")).status == get(server.url("/x")).status == 200
    assert [one.connection for one in server.requests] == [1, 2, 2]


@pytest.mark.owes("D3")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(server, get, post, status):
    other = f"http://localhost:{server.port}/stolen"
    server.on("/x", answer(status, b"", ("Location", other)))
    for ask in (get, post):
        incoming = ask(server.url("/x"), ("Authorization", "Bearer t"), ("X-Api-Key", "k"), ("Cookie", "c=1"))
        assert (incoming.status, incoming.headers["location"]) == (status, other)
    assert [one.target for one in server.requests] == ["/x", "/x"]


@pytest.mark.parametrize("location", ["/x", "ftp://127.0.0.1/", "http://[bad", "file:///etc/passwd", ""])
def test_a_redirect_to_nowhere_is_an_answer_all_the_same(server, get, location):
    server.on("/x", answer(302, b"gone", ("Location", location)))
    assert get(server.url("/x")).body == b"gone"
    assert len(server.requests) == 1


def test_an_answer_to_another_backend_does_not_disturb_the_first(server, engine, get):
    server.on("/x", answer(200))
    for host in ("127.0.0.1", "localhost", "127.0.0.1"):
        outgoing = Outgoing("GET", f"http://{host}:{server.port}/x", (), None, True, time.monotonic() + 5)
        assert engine.send(outgoing).status == 200
    assert [one.header("Host") for one in server.requests] == [
        f"{host}:{server.port}" for host in ("127.0.0.1", "localhost", "127.0.0.1")
    ]
    assert eventually(lambda: server.connections() == 1)
