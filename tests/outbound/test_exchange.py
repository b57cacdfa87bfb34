"""What goes over the wire and what comes back while everybody behaves; over both engines."""

from __future__ import annotations

import gzip
import threading
import time

import pytest

from bridge import __version__
from bridge.errors import InvalidParameters
from bridge.outbound import Outgoing, open_engine
from tests.outbound.conftest import MAX_ANSWER
from tests.support.fault_server import CLOSE, answer


def echo(connection):
    connection.send(answer(200, connection.request.body, ("X-Target", connection.request.target)))


def test_an_answer_comes_back_whole(server, get):
    server.on("/x", answer(200, b'{"a": 1}', ("Content-Type", "application/json"), ("X-A", "1"), ("x-a", " 2 ")))
    incoming = get(server.url("/x"))
    assert (incoming.status, incoming.body) == (200, b'{"a": 1}')
    assert incoming.headers == {"content-type": "application/json", "x-a": "1, 2", "content-length": "8"}


@pytest.mark.parametrize("status", [201, 204, 304, 400, 401, 404, 408, 417, 429, 500, 503, 599])
def test_every_final_status_is_an_answer_and_is_asked_for_once(server, get, post, status):
    server.on("/x", answer(status, b"", ("Retry-After", "1"), ("Location", "/y"), ("WWW-Authenticate", "Basic")))
    assert get(server.url("/x")).status == post(server.url("/x")).status == status
    assert [one.method for one in server.requests] == ["GET", "POST"]


def test_a_request_says_what_it_was_told_and_hardly_more(server, get):
    server.on("/x", answer(200))
    get(server.url("/x?a=1&b=%20"), ("X-One", "1"), ("Accept", "application/json"), ("X-Empty", ""))
    request = server.requests[0]
    assert request.target == "/x?a=1&b=%20"
    assert dict(request.headers) == {
        "Host": f"127.0.0.1:{server.port}",
        "User-Agent": f"toolbridge/{__version__}",
        "Accept-Encoding": "gzip",
        "X-One": "1",
        "Accept": "application/json",
        "X-Empty": "",
    }


def test_a_body_is_sent_byte_for_byte_with_its_length_and_no_invented_type(server, post):
    server.on("/x", answer(200))
    body = bytes(range(256)) * 10
    post(server.url("/x"), body=body)
    request = server.requests[0]
    assert (request.method, request.body, request.header("Content-Length")) == ("POST", body, str(len(body)))
    names = {name.lower() for name, _ in request.headers}
    assert names == {"host", "user-agent", "accept-encoding", "content-length"}


def test_a_large_body_is_sent_without_asking_for_leave(server, post):
    server.on("/x", answer(200))
    post(server.url("/x"), body=b"x" * 3_000_000)
    assert len(server.requests[0].body) == 3_000_000
    assert server.requests[0].header("Expect") is None


def test_a_post_without_a_body_says_so(server, post):
    server.on("/x", answer(200))
    post(server.url("/x"), body=None)
    assert server.requests[0].header("Content-Length") == "0"
    assert server.requests[0].header("Content-Type") is None


def test_the_methods_take_turns_on_one_connection(server, engine):
    server.on("/x", echo)
    server.on("/head", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    sent = [
        ("GET", "/x", None), ("POST", "/x", b"one"), ("DELETE", "/x", None), ("HEAD", "/head", None),
        ("PUT", "/x", b"two"), ("GET", "/x", None), ("PATCH", "/x", b"three"), ("DELETE", "/x", b"four"),
        ("HEAD", "/head", None), ("POST", "/x", b""), ("OPTIONS", "/x", None), ("GET", "/x", b"five"),
    ]  # fmt: skip
    for method, path, body in sent:
        safe = method in ("GET", "HEAD", "OPTIONS")
        incoming = engine.send(Outgoing(method, server.url(path), (), body, safe, time.monotonic() + 5))
        assert (incoming.status, incoming.body) == (200, body or b"")
    assert [(one.method, one.target, one.body or None) for one in server.requests] == [
        (method, path, body or None) for method, path, body in sent
    ]
    assert server.accepted == 1


def test_nothing_of_one_request_is_left_in_the_next(server, get, post):
    server.on("/x", answer(200))
    post(server.url("/x"), ("X-One", "1"), ("Content-Type", "application/json"), body=b"secret")
    get(server.url("/x"))
    after = server.requests[1]
    assert (after.method, after.body, after.header("X-One"), after.header("Content-Type")) == ("GET", b"", None, None)
    assert after.header("Content-Length") is None


@pytest.mark.parametrize(
    "path", ["/a/%2e%2e/b", "/a/../b", "/a/./b", "//a//b", "/a%2fb", "/a;p=1/b", "/a:b@c", "/a?x=../y&z=%2e", "/a%00b"]
)
def test_a_path_is_sent_as_it_is(server, get, path):
    server.on("*", answer(200))
    get(server.url(path))
    # urllib3 writes the hexadecimal digits of an escape in capitals; no engine may do more.
    assert server.requests[0].target.lower() == path
    assert server.requests[0].header("Host") == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize("text", ["a\r\nX-Evil: 1", "a\nb", "a\0", "é", " canary", "x" * 10_000])
def test_a_header_that_must_not_be_sent_is_refused_before_any_connection(server, get, post, text):
    for ask in (get, post):
        with pytest.raises(InvalidParameters, match="X-Name") as caught:
            ask(server.url("/x"), ("X-Name", text))
        assert text not in str(caught.value)
    assert server.accepted == 0


def test_one_connection_serves_one_caller_after_another(server, get):
    server.on("/x", answer(200, b"{}"))
    for _ in range(10):
        get(server.url("/x"))
    assert (server.accepted, len(server.requests)) == (1, 10)


def test_a_refused_answer_keeps_the_connection_too(server, get):
    server.on("/x", answer(404, b"no"))
    for _ in range(3):
        assert get(server.url("/x")).body == b"no"
    assert server.accepted == 1


def test_a_gzip_answer_is_decoded(server, get):
    server.on("/x", answer(200, gzip.compress(b"hello"), ("Content-Encoding", "gzip")))
    assert get(server.url("/x")).body == b"hello"
    assert server.requests[0].header("Accept-Encoding") == "gzip"


def test_an_answer_in_chunks_is_joined_and_its_trailers_are_no_headers(server, get):
    server.on(
        "/x",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: head\r\n\r\n3\r\nabc\r\n",
        b"4;ext=1\r\ndefg\r\n0\r\nX-A: tail\r\nX-B: tail\r\n\r\n",
    )
    for _ in range(2):
        incoming = get(server.url("/x"))
        assert incoming.body == b"abcdefg"
        assert (incoming.headers["x-a"], "x-b" in incoming.headers) == ("head", False)


def test_an_answer_that_ends_with_the_connection_is_whole(server, get):
    server.on("/x", b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nabc", CLOSE)
    assert get(server.url("/x")).body == b"abc"


def test_interim_answers_are_passed_over(server, get, post):
    hint = b"HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n"
    server.on("/x", hint + hint + answer(200, b"ok"))
    for ask in (get, post):
        incoming = ask(server.url("/x"))
        assert (incoming.status, incoming.body, "x-interim" in incoming.headers) == (200, b"ok", False)


def test_a_header_continued_on_the_next_line_is_one_header(server, get):
    server.on("/x", b"HTTP/1.1 200 OK\r\nX-A: a\r\n  b\r\nContent-Length: 0\r\n\r\n")
    assert get(server.url("/x")).headers["x-a"].split() == ["a", "b"]


def test_a_cookie_is_not_given_back(server, get):
    server.on("/x", answer(200, b"", ("Set-Cookie", "sid=1; Path=/")))
    get(server.url("/x"))
    get(server.url("/x"))
    assert server.requests[1].header("Cookie") is None


def test_thirty_two_callers_each_get_their_own_answer(server, engine):
    # Half as many may wait as there are lines, so 22 lines are enough for all of them.
    crowded = open_engine(engine.name, concurrency=22, max_answer=MAX_ANSWER)

    def slow_echo(connection):
        connection.wait(0.002)
        echo(connection)

    server.on("/x", slow_echo)
    crossed: list[object] = []

    def call(number: int) -> None:
        for turn in range(20):
            text = f"{number}-{turn}".encode()
            incoming = crowded.send(Outgoing("POST", server.url(f"/x?{number}"), (), text, False, time.monotonic() + 30))
            if (incoming.body, incoming.headers["x-target"]) != (text, f"/x?{number}"):
                crossed.append((text, incoming))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    crowded.close()
    assert crossed == []
    assert len(server.requests) == 640
    assert server.accepted <= 22
