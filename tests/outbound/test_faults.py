"""What a read and a write get when the backend fails, one case after another; over both engines."""

from __future__ import annotations

import logging
import re
import time
import tracemalloc
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
from tests.support.fault_server import Step, answer, drip, eventually, flood, refused_port, silent_port
from tests.support.faults import CASES, bomb, coded, within

#: http.client cannot tell a reset among the headers from one before them.
LESS_CLEAR = {("requests", "reset in the headers"): BackendUnavailable}


@pytest.mark.parametrize("name", CASES)
def test_a_read_says_how_the_backend_failed(server, engine, get, name):
    steps, expected, _ = CASES[name]
    server.on("/x", *steps)
    with pytest.raises(LESS_CLEAR.get((engine.name, name), expected)) as caught:
        get(server.url("/x"), within=within(name))
    assert caught.value.message == type(caught.value).default


@pytest.mark.owes("I3")
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


@pytest.mark.owes("I2")
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


@pytest.mark.owes("I1")
@pytest.mark.parametrize(
    "host", ["127.0.0.1:{port}", "a" * 64 + ".invalid", "[x", "[::1", "127.0.0.1:99999", "127.0.0.1:x", "a b"],
    ids=["refused", "unknown", "no address", "half an address", "port too large", "no port", "a space"],
)
def test_a_backend_that_cannot_be_reached_was_sent_nothing(get, post, host):
    url = f"http://{host}/x".format(port=refused_port())
    for ask in (get, post):
        with pytest.raises(BackendUnavailable) as caught:
            ask(url)
        assert caught.value.retry_after


@pytest.mark.owes("I1")
@pytest.mark.parametrize("name", ["pycurl", "requests"])
def test_a_backend_that_lets_nobody_in_is_given_up_after_the_connect_timeout(name):
    with silent_port() as port:
        engine = open_engine(name, concurrency=1, max_answer=10, connect_timeout=0.2)
        began = time.monotonic()
        for safe in (True, False):
            with pytest.raises(BackendUnavailable):
                engine.send(Outgoing("GET", f"http://127.0.0.1:{port}/", (), None, safe, began + 60))
        assert time.monotonic() - began < 10
        engine.close()


def test_a_deadline_that_ends_the_connecting_was_the_deadline_every_time(get, post):
    with silent_port() as port:
        for _ in range(5):
            with pytest.raises(BackendTimeout):
                get(f"http://127.0.0.1:{port}/", within=0.0505)
            with pytest.raises(BackendUnavailable):
                post(f"http://127.0.0.1:{port}/", within=0.0505)


@pytest.mark.owes("I5")
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


@pytest.mark.owes("F2")
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


@pytest.mark.owes("F2")
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


@pytest.mark.owes("I1")
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
