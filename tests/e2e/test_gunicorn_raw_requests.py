"""Raw requests played at the real server: the corpus of third-party files, and smuggling attempts of our own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.raw_client import RawAnswer
from tests.support.server import Server, serving
from tests.support.small_bridge import TOKEN

SMALL = "tests.support.small_bridge:app()"
AIM = f"Host: localhost\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n".encode()
CALL = b"POST /call HTTP/1.1\r\n" + AIM
BODY = b'{"name": "echo", "arguments": {"n": 1}}'

#: How the corpus writes what an editor would not keep.
ESCAPES = ((rb"\r", b"\r"), (rb"\n", b"\n"), (rb"\t", b"\t"), (rb"\0", b"\0"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(app=SMALL) as running:
        yield running


def as_sent(path: Path) -> bytes:
    """Return the bytes that a corpus file stands for: line ends are written out in it."""
    data = path.read_bytes().replace(b"\n", b"")
    for written, meant in ESCAPES:
        data = data.replace(written, meant)
    return re.sub(rb"\\x([0-9a-fA-F]{2})", lambda found: bytes([int(found[1], 16)]), data)


def aimed(request: bytes) -> bytes:
    """Return the request with a target that exists and a caller who may, so that its body is read."""
    line, end, rest = request.partition(b"\r\n")
    if line.count(b" ") != 2:
        return request
    method, _, version = line.split(b" ")
    return method.replace(b"GET", b"POST") + b" /call " + version + end + AIM + rest


def answers(server: Server, request: bytes) -> list[RawAnswer]:
    """Return every answer that one connection gives to these bytes and their end."""
    found = []
    with server.connect() as client:
        try:
            client.send(request).end()
            while True:
                found.append(client.read())
        except (EOFError, ConnectionError):
            return found


def corpus(kind: str, test_data: Path) -> list[tuple[str, bytes]]:
    files = sorted((test_data / "raw-requests" / kind).glob("*.http"))
    assert len(files) > 40
    return [(path.name, as_sent(path)) for path in files]


def assert_plain(name: str, answer: RawAnswer) -> None:
    assert b"<html" not in answer.body.lower(), name
    assert answer.header("Content-Type") in ("application/json", None), name
    assert answer.header("X-Content-Type-Options") == "nosniff", name
    assert answer.header("X-Request-Id"), name
    assert b"Traceback" not in answer.body, name


def test_an_invalid_request_gets_one_refusal_in_json_or_none(server: Server, test_data: Path) -> None:
    before = server.workers()
    for name, request in corpus("invalid", test_data):
        for form in (request, aimed(request)):
            found = answers(server, form)
            assert len(found) <= 1, (name, found)
            for answer in found:
                assert 400 <= answer.status < 500, (name, answer)
                assert_plain(name, answer)
    assert server.workers() == before


def test_a_valid_request_never_gets_a_server_error_nor_html(server: Server, test_data: Path) -> None:
    before = server.workers()
    for name, request in corpus("valid", test_data):
        for form in (request, aimed(request)):
            for answer in answers(server, form):
                assert answer.status < 500, (name, answer)
                assert_plain(name, answer)
    assert server.workers() == before


SMUGGLED = b"POST /call HTTP/1.1\r\nHost: localhost\r\nX-Smuggled: 1\r\nContent-Length: 0\r\n\r\n"


def smuggling() -> dict[str, bytes]:
    """Return requests that two readers could take for different ones, each hiding a second request."""
    chunk = b"0\r\n\r\n" + SMUGGLED
    length = b"Content-Length: %d\r\n" % len(chunk)
    heads = {
        "both lengths": length + b"Transfer-Encoding: chunked\r\n",
        "both lengths, turned": b"Transfer-Encoding: chunked\r\n" + length,
        "two lengths": length + b"Content-Length: 0\r\n",
        "a list of lengths": b"Content-Length: 0, %d\r\n" % len(chunk),
        "the same length twice": length + length,
        "a signed length": b"Content-Length: +%d\r\n" % len(chunk),
        "a hexadecimal length": b"Content-Length: 0x10\r\n",
        "a length with a space inside": b"Content-Length: 1 0\r\n",
        "space before the colon": b"Transfer-Encoding : chunked\r\n",
        "xchunked": b"Transfer-Encoding: xchunked\r\n",
        "chunked, identity": b"Transfer-Encoding: chunked, identity\r\n",
        "chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "chunked in quotes": b'Transfer-Encoding: "chunked"\r\n',
        "chunked and more": b"Transfer-Encoding: chunked;x\r\n",
        "vertical tab": b"Transfer-Encoding: \x0bchunked\r\n",
        "a folded header": b"Transfer-Encoding:\r\n chunked\r\n",
        "a bare line feed": b"X: y\nTransfer-Encoding: chunked\r\n",
        "a bare carriage return": b"X: y\rTransfer-Encoding: chunked\r\n",
        "a NUL": b"X: y\0z\r\nTransfer-Encoding: chunked\r\n",
        "two hosts": b"Host: evil\r\n" + length,
        "two content types": b"Content-Type: text/html\r\n" + length,
    }
    found = {name: CALL + head + b"\r\n" + chunk for name, head in heads.items()}
    chunked = CALL + b"Transfer-Encoding: chunked\r\n\r\n"
    found |= {
        "a truncated chunk": chunked + b"ff\r\n" + BODY + b"\r\n" + chunk,
        "a chunk without its end": chunked + b"2\r\n{}0\r\n\r\n" + SMUGGLED,
        "a negative chunk": chunked + b"-1\r\n\r\n" + chunk,
        "a chunk size in words": chunked + b"two\r\n{}\r\n" + chunk,
        "a chunk size too large": chunked + b"f" * 20 + b"\r\n{}\r\n" + chunk,
        "a chunk size without end": chunked + b"0" * 20_000,
        "a chunk extension with a line feed": chunked + b"2;x\n=y\r\n{}\r\n" + chunk,
        "a trailer that frames": chunked + b"2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n" + SMUGGLED,
        "a trailer that authorises": chunked + b"2\r\n{}\r\n0\r\nAuthorization: Bearer x\r\n\r\n" + SMUGGLED,
        "chunks in HTTP/1.0": CALL.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n" + chunk,
    }
    return found


@pytest.mark.parametrize("name", smuggling())
def test_a_hidden_request_is_never_answered(server: Server, name: str) -> None:
    found = answers(server, smuggling()[name])
    assert len(found) <= 1, found
    for answer in found:
        assert 400 <= answer.status < 500, answer
        assert answer.header("Connection") == "close"
        assert_plain(name, answer)


@pytest.mark.owes("A9")
@pytest.mark.parametrize(("request_line", "status"), [
    (b"GET", 400), (b"GET /", 400), (b"GET / HTTP/9.9", 400), (b"get / HTTP/1.1", 400), (b"GET /\xff HTTP/1.1", 400), (b"GET * HTTP/1.1", 400),
    (b"GET /" + b"a" * 16_000 + b" HTTP/1.1", 414), (b"\x16\x03\x01\x02\x00\x01\x00", 400), (b"GET  / HTTP/1.1", 400),
    (b"PRI * HTTP/2.0", 400),
])  # fmt: skip
def test_a_request_line_that_is_none_is_refused_in_the_envelope(server: Server, request_line: bytes, status: int) -> None:
    (answer,) = answers(server, request_line + b"\r\nHost: localhost\r\n\r\n")
    assert answer.status == status
    assert answer.json()["error"]["type"] == "INVALID_REQUEST"
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("X-Registry-Version") == "c0ffee"


@pytest.mark.owes("A9")
def test_too_many_and_too_large_headers_are_a_431(server: Server) -> None:
    for headers in (b"".join(b"X-%d: y\r\n" % n for n in range(150)), b"X: " + b"y" * 10_000 + b"\r\n", b"X: " + b"y" * 10_000_000):
        (answer,) = answers(server, b"GET /tools HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n")
        assert answer.status == 431
        assert answer.json()["error"]["message"] == "The request headers are too large or too many"


def test_an_expectation_that_cannot_be_met_is_a_417(server: Server) -> None:
    (answer,) = answers(server, CALL + b"Expect: the-impossible\r\nContent-Length: 2\r\n\r\n{}")
    assert answer.status == 417


@pytest.mark.owes("A12")
@pytest.mark.parametrize(("target", "status"), [
    (b"http://localhost/call", 200), (b"http://localhost:1/call", 200), (b"http://evil.example/call", 421),
    (b"http://u:p@localhost/call", 421), (b"//evil.example/call", 404), (b"/call#x", 200),
])  # fmt: skip
def test_an_absolute_target_has_to_name_the_host(server: Server, target: bytes, status: int) -> None:
    request = CALL.replace(b"/call", target) + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
    assert [answer.status for answer in answers(server, request)] == [status]


@pytest.mark.owes("A12")
def test_hop_by_hop_and_proxy_headers_change_nothing(server: Server) -> None:
    head = b"GET /tools HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sesame\r\n"
    plain = answers(server, head + b"Connection: close\r\n\r\n")
    for header in (b"X-Forwarded-Proto: https", b"X-Forwarded-For: 1.2.3.4", b"SCRIPT-NAME: /x", b"SCRIPT_NAME: /x", b"PATH_INFO: /call", b"Transfer_Encoding: chunked", b"X-Http-Method-Override: DELETE"):
        assert [answer.body for answer in answers(server, head + header + b"\r\nConnection: close\r\n\r\n")] == [plain[0].body]
