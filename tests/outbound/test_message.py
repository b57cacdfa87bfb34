from __future__ import annotations

import gzip
import zlib

import pytest

from bridge.errors import InvalidParameters
from bridge.outbound.message import UnusableBodyError, decoded, header_value


@pytest.mark.parametrize("text", ["", "a", "Bearer abc.def-123", "a b\tc", "!~", "x" * 8192])
def test_a_sendable_header_value_comes_back_as_it_is(text):
    assert header_value("X-Name", text) == text


@pytest.mark.parametrize(
    "text",
    ["a\r\nX: 1", "a\nb", "a\rb", "a\0b", "a\n", "\n", "ü", "€", "\x7f", "\x1b[0m", " a", "a ", "\ta", " ", "a\u2028b"],
)
def test_a_value_that_could_not_stand_in_a_header_is_refused(text):
    with pytest.raises(InvalidParameters, match="header X-Name may hold only visible ASCII"):
        header_value("X-Name", text)


def test_a_header_value_over_8_kib_is_refused():
    with pytest.raises(InvalidParameters, match="X-Name is longer than 8192"):
        header_value("X-Name", "x" * 8193)


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip"])
def test_gzip_is_undone(coding):
    assert decoded({"content-encoding": coding}, gzip.compress(b"hello"), 5) == b"hello"


@pytest.mark.parametrize("headers", [{}, {"content-encoding": ""}, {"content-encoding": "identity"}])
def test_a_plain_body_stays_as_it_is(headers):
    assert decoded(headers, b"hello", 5) == b"hello"


def test_an_empty_body_needs_no_decoding():
    assert decoded({"content-encoding": "gzip"}, b"", 5) == b""


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("br", b"hello"),
        ("deflate", zlib.compress(b"hello")),
        ("zstd", b"hello"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"hello"))),
        ("gzip", b"hello"),
        ("gzip", zlib.compress(b"hello")),
        ("gzip", gzip.compress(b"hello")[:-1]),
        ("gzip", gzip.compress(b"hello")[:-8] + b"\0" * 8),
        ("gzip", gzip.compress(b"hello") + b"junk"),
        ("gzip", gzip.compress(b"hello" * 2)),
    ],
)
def test_a_body_that_cannot_be_decoded_whole_is_unusable(coding, body):
    with pytest.raises(UnusableBodyError):
        decoded({"content-encoding": coding}, body, 5)
