"""The bytes of a request alone."""

from __future__ import annotations

import pytest

from bridge import __version__
from bridge.outbound import Outgoing
from bridge.outbound.request import written

USUAL = f"User-Agent: toolbridge/{__version__}\r\nAccept-Encoding: gzip\r\n"


def outgoing(url: str, *headers: tuple[str, str], method: str = "GET", body: bytes | None = None) -> Outgoing:
    return Outgoing(method, url, headers, body, True, 0.0)


def test_a_request_is_a_line_headers_and_a_body():
    origin, data = written(outgoing("http://h/x?a=1", ("X-A", "1"), ("X-Empty", ""), method="POST", body=b"{}"))
    assert origin.url == "http://h:80/"
    assert data.decode() == (
        f"POST /x?a=1 HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nX-Empty:\r\n{USUAL}Content-Length: 2\r\n\r\n{{}}"
    )


@pytest.mark.parametrize(
    ("url", "connected", "host", "target"),
    [
        ("http://h", "http://h:80/", "h", "/"),
        ("HTTP://Host:80/", "http://Host:80/", "Host", "/"),
        ("http://h:/", "http://h:80/", "h", "/"),
        ("https://h:443/", "https://h:443/", "h", "/"),
        ("https://h:80/", "https://h:80/", "h:80", "/"),
        ("http://h:8080?q", "http://h:8080/", "h:8080", "/?q"),
        ("http://[::1]:8080/a", "http://[::1]:8080/", "[::1]:8080", "/a"),
        ("http://[::1]/a", "http://[::1]:80/", "[::1]", "/a"),
        ("http://h/a/../%2e%2e//b?x=%20&y#part", "http://h:80/", "h", "/a/../%2e%2e//b?x=%20&y"),
        ("http://h/#part", "http://h:80/", "h", "/"),
    ],
)
def test_a_url_says_whom_to_connect_to_and_what_to_ask_for_as_it_is(url, connected, host, target):
    origin, data = written(outgoing(url))
    assert (origin.url, origin.host) == (connected, host)
    assert data.decode() == f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{USUAL}\r\n"


@pytest.mark.parametrize(
    "url",
    [
        "", "nonsense", "/x", "http:/h/", "http:///x", "ftp://h/", "file:///etc/passwd", "http://u:p@h/", "http://u@h/",
        "http://h:99999999/", "http://h:x/", "http://h:-1/", "http://[::1/", "http://::1/", "http://a b/", "http://h\\x/",
        "http://h/a b", "http://h/a\r\nX: 1", "http://h/a\n", "http://h/\x7f", "http://h/é", "http://é/", "http://h/\0",
        "http://h/x#a\nb", "http://%68/",
    ],
)  # fmt: skip
def test_a_url_that_cannot_be_sent_as_it_is_is_not_sent(url):
    with pytest.raises(ValueError, match="no URL"):
        written(outgoing(url))
