from __future__ import annotations

import gc
import os
import threading
import time
import warnings

import pytest

from bridge.errors import Overloaded
from bridge.outbound import Outgoing, open_engine
from bridge.outbound.pool import Pool
from tests.support.fault_server import answer, eventually


class Line:
    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


def soon() -> float:
    return time.monotonic() + 30


def test_the_line_given_back_last_is_lent_first():
    pool = Pool(3, Line)
    first, second = pool.take(soon()), pool.take(soon())
    pool.give(first)
    pool.give(second)
    assert [pool.take(soon()), pool.take(soon())] == [second, first]


def test_no_line_is_made_before_it_is_needed():
    made: list[Line] = []

    def make() -> Line:
        made.append(Line())
        return made[-1]

    pool = Pool(3, make)
    for _ in range(5):
        pool.give(pool.take(soon()))
    assert len(made) == 1


def test_a_full_pool_sheds_the_caller_after_a_second():
    pool = Pool(1, Line)
    pool.take(soon())
    began = time.monotonic()
    with pytest.raises(Overloaded) as caught:
        pool.take(soon())
    assert 0.9 < time.monotonic() - began < 10
    assert caught.value.headers == (("Retry-After", "1"),)


def test_nobody_waits_for_a_line_past_the_deadline():
    pool = Pool(1, Line)
    pool.take(soon())
    began = time.monotonic()
    with pytest.raises(Overloaded):
        pool.take(began + 0.05)
    assert time.monotonic() - began < 0.9


def test_who_waits_gets_the_line_that_comes_back():
    pool = Pool(1, Line)
    line = pool.take(soon())
    threading.Timer(0.05, pool.give, [line]).start()
    assert pool.take(soon()) is line


def test_a_line_that_cannot_be_made_costs_no_place():
    broken = True

    def make() -> Line:
        if broken:
            raise MemoryError
        return Line()

    pool = Pool(1, make)
    for _ in range(3):
        with pytest.raises(MemoryError):
            pool.take(soon())
    broken = False
    pool.take(soon())


def test_a_closed_pool_keeps_nothing_and_still_serves_a_late_call():
    pool = Pool(2, Line)
    idle, lent = pool.take(soon()), pool.take(soon())
    pool.give(idle)
    pool.close()
    assert (idle.closed, lent.closed) == (True, False)
    pool.give(lent)
    late = pool.take(soon())
    pool.give(late)
    assert lent.closed
    assert late.closed
    assert late not in (idle, lent)


def test_a_backend_that_is_frozen_takes_only_its_own_lines(server, engine, get):
    release = threading.Event()
    server.on("/x", lambda connection: release.wait(30), answer(200))
    callers = [threading.Thread(target=get, args=(server.url("/x"),), kwargs={"within": 30}) for _ in range(4)]
    for caller in callers:
        caller.start()
    server.wait_until(lambda: len(server.requests) == 4)
    with pytest.raises(Overloaded):
        get(server.url("/x"))
    assert server.accepted == 4
    release.set()
    for caller in callers:
        caller.join()
    assert get(server.url("/x")).status == 200


def in_child(work) -> int:
    """Run `work` in a forked child; return its exit status, 0 for True."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: the test's server has threads
        child = os.fork()
    if child == 0:
        try:
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("name", ["pycurl", "requests"])
def test_a_forked_child_opens_its_own_connections_and_leaves_its_parents_alone(tls_server, certificate, name):
    engine = open_engine(name, concurrency=1, max_answer=10, ca=str(certificate))
    tls_server.on("/x", answer(200))

    def ask() -> bool:
        return engine.send(Outgoing("GET", tls_server.url("/x"), (), None, True, soon())).status == 200

    def ask_and_tidy() -> bool:
        done = ask() and ask()
        gc.collect()
        return done

    assert ask()
    assert in_child(ask_and_tidy) == 0
    assert eventually(lambda: tls_server.connections() == 1)
    assert ask()
    assert [one.connection for one in tls_server.requests] == [1, 2, 2, 1]
    engine.close()


def test_a_child_forked_while_every_line_is_lent_finds_room(server):
    pool = Pool(1, Line)
    pool.take(soon())
    assert in_child(lambda: pool.take(soon()) is not None) == 0


def test_no_more_than_half_as_many_wait_as_there_are_lines():
    """Whoever waits holds a thread; the rest is told at once, so that other backends have theirs."""
    pool = Pool(4, Line)
    far = time.monotonic() + 60
    for _ in range(4):
        pool.take(far)

    def wait() -> None:
        with pytest.raises(Overloaded):
            pool.take(far)

    waiters = [threading.Thread(target=wait) for _ in range(2)]
    for waiter in waiters:
        waiter.start()
    while pool._waiting < 2:
        time.sleep(0.001)
    with pytest.raises(Overloaded):
        pool.take(far)
    assert pool._waiting == 2, "the last one was told while the others still waited"
    for waiter in waiters:
        waiter.join()
