"""A backend that fails, in front of a whole application: what a caller of a read and of a write gets, when, and what is left."""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import (
    BackendRejected,
    BackendTimeout,
    BackendUnavailable,
    BridgeError,
    InvalidResult,
    OutcomeUnknown,
)
from tests.support.bridged import DOORS, Bridged, bridged
from tests.support.fault_server import (
    CLOSE,
    HANG,
    FaultServer,
    Step,
    answer,
    drip,
    eventually,
    flood,
    refused_port,
    silent_port,
)
from tests.support.faults import CASES, CHUNKED, OK, bomb, coded
from tests.support.server import serving
from tests.support.strict_json import Answered

JSON = ("Content-Type", "application/json")
RIGHT = answer(200, b'{"right": true}', JSON)
#: Seconds that a call has, and what a busy machine may add to the 250 ms of the promise.
DEADLINE, LENIENCE = 0.3, 2.5

REGISTRY = """
bridge: 1
name: faults
backends:
  crm: {type: http, base_url: 'URL', timeout: 300ms, headers: {X-Tool: the-tool}}
tools:
  read: {description: A read., backend: crm, parameters: {case: string}, call: 'GET /{case}'}
  write: {description: A write., backend: crm, parameters: {case: string, text: string}, call: 'POST /{case}'}
"""


@contextmanager
def crm_and_bridge(folder: Path, **settings: Any) -> Iterator[tuple[FaultServer, Bridged]]:
    with FaultServer() as crm, bridged(REGISTRY.replace("URL", crm.url("")), folder, max_answer=100_000, **settings) as served:
        crm.on("/right", RIGHT)
        yield crm, served


def ask(served: Bridged, door: str, tool: str, case: str) -> tuple[Answered, float]:
    """Call the tool; return the answer and how many seconds it took."""
    arguments = {"case": case} | ({"text": "one"} if tool == "write" else {})
    began = time.monotonic()
    return served.post(door, tool, arguments), time.monotonic() - began


def worded(door: str, kind: type[BridgeError], wait: int | None) -> tuple[int, Mapping[str, Any]]:
    """Return the whole answer that an error is at a door: the words are ours, nothing of the backend is in them."""
    more = {} if wait is None else {"retry_after": wait}
    if door == "/api/execute":
        return kind.status, {"status": "error", "error": {"type": kind.code, "message": kind.default, **more}}
    return 200, {"success": False, "error": kind.default, "error_type": kind.code, **more}


def assert_failed(got: Answered, door: str, kind: type[BridgeError], wait: int | None = None) -> None:
    if kind is BackendUnavailable and wait is None:
        wait = int(got.headers["retry-after"]) if door == "/api/execute" else got.json["retry_after"]
        assert 1 <= wait <= 5
    assert (got.status, got.json) == worded(door, kind, wait)


@pytest.mark.owes("I1", "I2", "I3", "I5")
@pytest.mark.parametrize("name", CASES)
def test_a_fault_has_its_code_its_time_and_its_words_at_every_door(name, tmp_path):
    steps, read, write = CASES[name]
    with crm_and_bridge(tmp_path) as (crm, served):
        crm.on("/case", *steps)
        for door in DOORS:
            for tool, kind in (("read", read), ("write", write)):
                before = len(crm.bodies("/case"))
                got, seconds = ask(served, door, tool, "case")
                assert_failed(got, door, kind)
                assert seconds < DEADLINE + LENIENCE
                if tool == "write":
                    assert crm.bodies("/case")[before:] == [b'{"text":"one"}']
                right, _ = ask(served, door, tool, "right")
                assert (right.status, right.json[DATA[door]]) == (200, {"right": True})


DATA = {"/api/execute": "result", "/call": "data", "/mcp/call": "data"}


@pytest.mark.owes("I1")
@pytest.mark.parametrize(("host", "read"), [
    ("refused", BackendUnavailable), ("nosuch.invalid" + "x" * 60, BackendUnavailable), ("silent", BackendTimeout),
])  # fmt: skip
def test_a_backend_that_cannot_be_reached_was_sent_nothing_and_is_given_up_in_time(host, read, tmp_path):
    with silent_port() as silent:
        address = {"refused": f"127.0.0.1:{refused_port()}", "silent": f"127.0.0.1:{silent}"}.get(host, host)
        with bridged(REGISTRY.replace("URL", f"http://{address}"), tmp_path) as served:
            for door in DOORS:
                for tool, kind in (("read", read), ("write", BackendUnavailable)):
                    got, seconds = ask(served, door, tool, "x")
                    assert_failed(got, door, kind)
                    assert seconds < DEADLINE + LENIENCE


@pytest.mark.owes("I1")
def test_a_thousand_faults_leave_no_socket(tmp_path):
    quick = [name for name, (steps, _, _) in CASES.items() if all(isinstance(step, bytes) or step is CLOSE for step in steps)]
    with crm_and_bridge(tmp_path) as (crm, served):
        for number, name in enumerate(quick):
            crm.on(f"/{number}", *CASES[name][0])
        for turn in range(1_000):
            tool = ("read", "write")[turn % 2]
            got, _ = ask(served, list(DOORS)[turn % 3], tool, str(turn % len(quick)))
            assert_failed(got, list(DOORS)[turn % 3], CASES[quick[turn % len(quick)]][1 + turn % 2])
        assert eventually(lambda: crm.connections() <= 1)
        assert len([one for one in crm.requests if one.method == "POST"]) == 500
        served.bridge.close()
        assert eventually(lambda: crm.connections() == 0)


@pytest.mark.owes("I2")
@pytest.mark.parametrize("steps", [
    (drip(RIGHT, 0.05),), (OK + b"Content-Length: 2\r\n", drip(b"X-A: b\r\n" * 90, 0.01)), (flood(b"HTTP/1.1 100 Continue\r\n\r\n", 0.01),),
    (flood(b"HTTP/1.1 100 Continue\r\n\r\n"),), (flood(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),), (CHUNKED, drip(b"1\r\nx\r\n" * 500, 0.01)),
], ids=["a byte at a time", "headers drip", "continue", "continue at once", "hints", "chunks drip"])  # fmt: skip
def test_no_drip_and_no_flood_outlasts_the_deadline(steps: tuple[Step, ...], tmp_path):
    with crm_and_bridge(tmp_path) as (crm, served):
        crm.on("/case", *steps)
        for tool, kinds in (("read", (BackendTimeout, InvalidResult)), ("write", (OutcomeUnknown,))):
            got, seconds = ask(served, "/api/execute", tool, "case")
            assert (got.status, got.json) in [worded("/api/execute", kind, None) for kind in kinds]
            assert seconds < DEADLINE + LENIENCE
        assert len(crm.bodies("/case")) == 2
        assert crm.bodies("/case")[1] == b'{"text":"one"}'


@pytest.mark.owes("I3")
@pytest.mark.parametrize("tool", ["read", "write"])
@pytest.mark.parametrize("extra", [b"x", RIGHT, b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"])
def test_bytes_behind_an_answer_answer_nobody(tool, extra, tmp_path):
    with crm_and_bridge(tmp_path) as (crm, served):
        crm.on("/case", answer(200, b'{"mine": 1}', JSON) + extra)
        for _ in range(5):
            assert ask(served, "/api/execute", tool, "case")[0].json == {"status": "success", "result": {"mine": 1}}
        crm.on("/next", answer(200, b'{"mine": 2}', JSON))
        assert ask(served, "/api/execute", tool, "next")[0].json["result"] == {"mine": 2}


@pytest.mark.owes("I4")
@pytest.mark.parametrize(("given", "result"), [
    (answer(200, b"", JSON), None), (answer(204), None), (answer(200, b" \n ", JSON), InvalidResult), (answer(200), None),
    (answer(200, b"not json", JSON), InvalidResult), (answer(200, b'{"a": 1', JSON), InvalidResult), (OK + b'Content-Type: application/json\r\n\r\n{"a"', InvalidResult),
    (answer(200, b"<html>Traceback", ("Content-Type", "text/html")), InvalidResult), (answer(200, b"<html>", ("Content-Type", "TEXT/HTML; charset=x")), InvalidResult),
    (answer(200, b'{"a": NaN}', JSON), InvalidResult), (answer(200, b"[1e999]", JSON), InvalidResult), (answer(200, b'{"a":1,"a":2}', JSON), InvalidResult),
    (answer(200, b"\xef\xbb\xbf{}", JSON), InvalidResult), (answer(200, b'{"a": "\xff"}', JSON), InvalidResult), (answer(200, '{"a": 1}'.encode("utf-16"), JSON), InvalidResult),
    (answer(200, b'"\\ud800"', JSON), InvalidResult), (answer(200, b"[" * 100_000, JSON), InvalidResult), (answer(200, b"[" * 65 + b"]" * 65, JSON), InvalidResult),
    (answer(200, b"text", ("Content-Type", "text/plain")), "text"), (answer(200, b"\xe9", ("Content-Type", "text/plain; charset=iso-8859-1")), "é"), (answer(200, b"\xe9", ("Content-Type", "text/plain; charset=rot13")), InvalidResult),
    (answer(200, b"\xe9", ("Content-Type", "text/plain; charset=utf-8")), InvalidResult), (answer(200, b"x", ("Content-Type", "text/plain; charset=nonsense")), InvalidResult),
    (answer(200, b"\xff\1", ("Content-Type", "application/octet-stream")), InvalidResult), (answer(200, b"GIF89a\xff", ("Content-Type", "image/gif")), InvalidResult),
    (answer(200, b'{"a": 1}', ("Content-Type", "application/vnd.x+json")), {"a": 1}), (answer(200, b'{"a": "\\u0000"}', JSON), {"a": "\0"}),
    (answer(418, b"the vendor says no", JSON), BackendRejected), (answer(401, b'{"key": "the-tool"}', JSON), BackendRejected),
    (answer(302, b"", ("Location", "http://127.0.0.1:9/")), BackendRejected),
])  # fmt: skip
def test_each_kind_of_answer_has_its_outcome(given: bytes, result: Any, tmp_path):
    with crm_and_bridge(tmp_path) as (crm, served):
        crm.on("/case", given, *(() if b"Content-Length" in given else (CLOSE,)))
        for door in DOORS:
            for tool in ("read", "write"):
                got, _ = ask(served, door, tool, "case")
                if isinstance(result, type):
                    assert_failed(got, door, result)
                else:
                    assert (got.status, got.json[DATA[door]]) == (200, result)
        assert len(crm.requests) == 6


def raw_deflate() -> bytes:
    packer = zlib.compressobj(9, wbits=-15)
    return packer.compress(bytes(10_000_000)) + packer.flush()


@pytest.mark.owes("I5")
def test_bombs_cost_a_worker_little_more_memory_than_the_cap(tmp_path):
    path = tmp_path / "registry.yaml"
    nested = gzip.compress(gzip.compress(bytes(100_000_000)))
    bombs = [
        coded("gzip", bomb()), coded("x-gzip", bomb()), coded("gzip, gzip", nested), coded("gzip", nested + b"x"), coded("deflate", raw_deflate()),
        coded("deflate", zlib.compress(bytes(10_000_000))), coded("br", bytes(1_000_000)), coded("zstd", b"\x28\xb5\x2f\xfd" + bytes(1_000_000)),
        coded("identity, gzip", bomb()), coded("gzip", b"hello"), answer(200, b"x" * 5_242_881), CHUNKED + b"600000\r\n" + b"x" * 0x600000 + b"\r\n0\r\n\r\n",
    ]  # fmt: skip
    with FaultServer() as crm:
        path.write_text(REGISTRY.replace("URL", crm.url("")).replace("300ms", "20s"))
        crm.on("/right", answer(200, b'"' + b"x" * 5_000_000 + b'"', JSON))
        for number, given in enumerate(bombs):
            crm.on(f"/{number}", given)
        with serving(path, workers=1) as server:
            body = {"name": "read", "arguments": {"case": "right"}}
            # As much as an allowed answer of nearly 5 MiB takes, in whichever thread, is no growth.
            for _ in range(20):
                assert server.request("POST", "/call", body).status == 200
            before, workers = server.memory(), server.workers()
            for number in range(len(bombs)):
                for tool in ("read", "write"):
                    arguments = {"case": str(number)} | ({"text": "one"} if tool == "write" else {})
                    got = server.request("POST", "/api/execute", {"tool": tool, "parameters": arguments})
                    assert (got.status, got.json) == worded("/api/execute", InvalidResult, None), number
            assert server.memory() - before < 20_000_000
            assert server.workers() == workers
            assert len(crm.bodies("/0")) == 2


def dated(seconds: float) -> str:
    return formatdate(time.time() + seconds, usegmt=True)


YEARS = 10 * 365 * 24 * 3600


@pytest.mark.owes("I6")
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("given", "least", "most"), [
    ("7", 7, 7), ("60", 60, 60), ("0", 1, 1), (500, 470, 501), (-500, 1, 1), ("-5", 5, 5), (str(YEARS), 3600, 3600), (YEARS, 3600, 3600),
    ("9" * 5000, 3600, 3600), ("soon", 5, 5), ("", 5, 5), ("1.5", 5, 5), ("1e9", 5, 5), ("\xb2", 5, 5), ("7, 8", 5, 5), ("Wed, 99 Foo 2026 99:99:99", 5, 5), (None, 5, 5),
])  # fmt: skip
def test_a_backends_wish_to_wait_becomes_ours_within_bounds(status, given, least, most, tmp_path):
    """A number stands for the date so many seconds from now."""
    given = dated(given) if isinstance(given, int) else given
    with crm_and_bridge(tmp_path) as (crm, served):
        crm.on("/case", answer(status, b'{"upstream": "busy"}', JSON, *(() if given is None else (("Retry-After", given),))))
        for tool in ("read", "write"):
            direct, _ = ask(served, "/api/execute", tool, "case")
            wait = int(direct.headers["retry-after"])
            assert least <= wait <= most
            assert_failed(direct, "/api/execute", BackendUnavailable, wait)
            for door in ("/call", "/mcp/call"):
                got, _ = ask(served, door, tool, "case")
                assert least <= got.json["retry_after"] <= most
                assert_failed(got, door, BackendUnavailable, got.json["retry_after"])
        assert len(crm.requests) == 6


@pytest.mark.owes("I1", "I2")
def test_many_callers_of_a_silent_backend_are_all_answered_in_time(tmp_path):
    path = tmp_path / "registry.yaml"
    with FaultServer() as crm:
        path.write_text(REGISTRY.replace("URL", crm.url("")))
        crm.on("/case", HANG)
        with serving(path, workers=1) as server:
            clients = [server.connect() for _ in range(20)]
            body = b'{"name": "write", "arguments": {"case": "case", "text": "one"}}'
            head = b"POST /call HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            began = time.monotonic()
            for client in clients:
                client.send(head % len(body) + body)
            answers = [client.read().json() for client in clients]
            assert time.monotonic() - began < DEADLINE + LENIENCE
            for client in clients:
                client.close()
        assert answers == [worded("/call", OutcomeUnknown, None)[1]] * 20
        assert len(crm.bodies("/case")) == 20
