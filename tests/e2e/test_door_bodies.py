"""Bodies over a real socket: too large, too deep, cut off, never sent, one behind the other (facts A1, A7 to A9)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.support.raw_client import RawAnswer, RawClient
from tests.support.server import Server, serving
from tests.support.small_bridge import TOKEN

LIMIT = 1_048_576
ANN = {"Authorization": f"Bearer {TOKEN}"}
HEAD = f"POST /call HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n".encode()


@pytest.fixture(scope="module", params=["1", "0"], ids=["carrier", "flask"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving(app="tests.support.small_bridge:app()", env={"TOOLBRIDGE_CARRIER": request.param}) as running:
        yield running


def call_of(size: int) -> bytes:
    """Return a call of exactly `size` bytes."""
    frame = b'{"name": "echo", "arguments": {"x": "%s"}}'
    return frame % (b"y" * (size - len(frame) + 2))


def sized(body: bytes) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


def chunked(body: bytes, size: int = 65_536) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"


def once(server: Server, request: bytes) -> RawAnswer:
    with server.connect() as client:
        with suppress(ConnectionError):
            client.send(request)
        return client.read()


@pytest.mark.owes("A1")
@pytest.mark.parametrize("body", [b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000])
def test_a_hundred_thousand_brackets_are_a_400_and_the_worker_lives(server: Server, body: bytes) -> None:
    before = server.workers()
    for frame in (sized, chunked):
        assert once(server, frame(body)).status == 400
    assert server.workers() == before


@pytest.mark.owes("A9")
def test_a_hundred_thousand_small_members_are_a_400(server: Server) -> None:
    body = b"{" + b",".join(b'"%06x":1' % n for n in range(95_000)) + b"}"
    assert LIMIT * 0.9 < len(body) < LIMIT
    assert once(server, sized(body)).status == 400


@pytest.mark.owes("A8")
@pytest.mark.parametrize("frame", [sized, chunked], ids=["length", "chunks"])
@pytest.mark.parametrize(("size", "status"), [(LIMIT - 1, 200), (LIMIT, 200), (LIMIT + 1, 413), (3 * LIMIT, 413)])
def test_the_limit_is_exact(server: Server, frame: object, size: int, status: int) -> None:
    answer = once(server, frame(call_of(size)))
    assert answer.status == status
    assert status == 200 or answer.json() == {"error": f"The request body is larger than {LIMIT} bytes"}


@pytest.mark.owes("A8")
def test_an_upload_without_end_is_a_413_and_takes_no_memory(server: Server) -> None:
    once(server, chunked(call_of(LIMIT)))
    before, workers = server.memory(), server.workers()
    for _ in range(2):
        with server.connect() as client:
            client.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
            with suppress(ConnectionError):
                for _ in range(64):
                    client.send(b"100000\r\n" + b"x" * LIMIT + b"\r\n")
    with server.connect() as client:
        client.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"200000\r\n" + b"x" * (2 * LIMIT))
        assert client.read().status == 413
    assert server.memory() - before < 10 * LIMIT
    assert server.workers() == workers


@pytest.mark.owes("A8")
@pytest.mark.parametrize("header", [b"Content-Encoding: gzip\r\n", b"Content-Encoding: br\r\n"])
def test_a_compressed_body_is_a_415(server: Server, header: bytes) -> None:
    request = sized(call_of(100)).replace(b"Content-Length", header + b"Content-Length")
    assert once(server, request).status == 415


@pytest.mark.owes("A7")
@pytest.mark.parametrize(("given", "status"), [
    (b"", 415), (b"Content-Type: text/plain\r\n", 415), (b"Content-Type: application/json;charset=utf-7\r\n", 415),
    (b"Content-Type: multipart/form-data; boundary=x\r\n", 415), (b"Content-Type: application/json\r\n" * 2, 400),
    (b"Content-Type: application/json\r\nContent-Type: text/plain\r\n", 400), (b"Content-Type: application/vnd.x+json\r\n", 200),
])  # fmt: skip
def test_content_types(server: Server, given: bytes, status: int) -> None:
    assert once(server, sized(call_of(100)).replace(b"Content-Type: application/json\r\n", given)).status == status


def test_a_stranger_is_refused_before_its_body_is_sent(server: Server) -> None:
    for path in (b"/call", b"/api/execute", b"/sets/none/call"):
        with server.connect() as client:
            client.send(b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" % path)
            answer = client.read()
            assert (answer.status, answer.header("Connection")) == (401, "close")
            assert client.is_closed_by_server()


@pytest.mark.parametrize(("request_line", "status"), [
    (b"GET /call HTTP/1.1", 405), (b"POST /nowhere HTTP/1.1", 404), (b"POST /health/live HTTP/1.1", 405), (b"GET /tools HTTP/1.1", 200),
])  # fmt: skip
def test_a_body_that_nobody_wants_is_not_waited_for(server: Server, request_line: bytes, status: int) -> None:
    with server.connect() as client:
        client.send(HEAD.replace(b"POST /call HTTP/1.1", request_line) + b"Content-Length: 1000000\r\n\r\n")
        answer = client.read()
        assert (answer.status, answer.header("Connection")) == (status, "close")
        assert client.is_closed_by_server()


def test_only_a_body_that_will_be_read_is_asked_for(server: Server) -> None:
    expecting = HEAD + b"Expect: 100-continue\r\n"
    body = call_of(100)
    with server.connect() as client:
        client.send(expecting + b"Content-Length: 100\r\n\r\n")
        assert client._wire.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(body)
        assert client.read().status == 200
    for refused, status in ((HEAD.replace(b"Bearer", b"Basic"), 401), (HEAD + b"Content-Encoding: br\r\n", 415), (HEAD, 413)):
        with server.connect() as client:
            client.send(refused + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % (LIMIT + 1))
            assert client._wire.until(b" ") + client._wire.until(b" ") == b"HTTP/1.1 %d " % status


def test_a_body_that_is_cut_off_is_a_400_and_the_worker_lives(server: Server) -> None:
    before = server.workers()
    body = call_of(100)
    short = HEAD + b"Content-Length: 200\r\n\r\n" + body
    chunk = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    for request in (short, chunk + b"c8\r\n" + body, chunk + b"64\r\n" + body + b"\r\n", chunk + b"64\r\n" + body + b"\r\n0\r\n"):
        with server.connect() as client:
            assert client.send(request).end().read().status == 400
            assert client.is_closed_by_server()
    for request in (short, chunk + b"c8\r\n" + body):
        with server.connect() as client:
            client.send(request)
    assert server.request("GET", "/tools", **ANN).status == 200
    assert server.workers() == before
    assert not any("Traceback" in line or "internal_error" in line for line in server.lines)


def test_requests_sent_at_once_are_answered_in_their_order(server: Server) -> None:
    bodies = [b'{"name": "echo", "arguments": {"n": %d}}' % n for n in range(20)]
    with server.connect() as client:
        client.send(b"".join((sized if n % 2 else chunked)(body) for n, body in enumerate(bodies)))
        assert [client.read().json()["data"]["n"] for _ in bodies] == list(range(20))


def test_a_refusal_with_a_small_body_leaves_the_connection_in_step(server: Server) -> None:
    good = sized(b'{"name": "echo", "arguments": {"n": 1}}')
    with server.connect() as client:
        client.send(good.replace(b"application/json", b"text/plain") + good.replace(b"/call", b"/nope") + good.replace(b"Bearer", b"X") + good)
        assert [client.read().status for _ in range(4)] == [415, 404, 401, 200]


def test_an_answer_to_head_has_no_body_and_the_next_one_is_in_step(server: Server) -> None:
    head = HEAD.replace(b"POST /call", b"HEAD /tools") + b"\r\n"
    with server.connect() as client:
        client.send(head + head.replace(b"HEAD", b"GET"))
        first, second = client.read(head_only=True), client.read()
    assert first.header("Content-Length") == second.header("Content-Length") == str(len(second.body))
    assert json.loads(second.body)["tools"]


def test_a_request_that_comes_byte_by_byte_is_served(server: Server) -> None:
    with server.connect() as client:
        client._wire.sock.setsockopt(6, 1, 1)
        for byte in sized(b'{"name": "echo"}'):
            client.send(bytes([byte]))
        assert client.read().status == 200


def test_http_1_0_gets_one_answer_and_the_end(server: Server) -> None:
    with RawClient(server.host, server.port) as client:
        client.send(sized(b'{"name": "echo"}').replace(b"HTTP/1.1", b"HTTP/1.0"))
        answer = client.read()
        assert (answer.status, answer.header("Connection")) == (200, "close")
        assert client.is_closed_by_server()
