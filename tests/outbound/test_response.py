"""The reader of answers alone: bytes in, an answer or one of two errors out."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.outbound.message import UnusableBodyError
from bridge.outbound.response import AnswerReader, BrokenAnswerError

CAP = 1000
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def read(*blocks: bytes, method: str = "GET", ended: bool = True) -> AnswerReader:
    """Feed blocks until the answer is whole; then, if it is not, the end of the connection."""
    reader = AnswerReader(method, CAP)
    for block in blocks:
        if block and reader.feed(block):
            return reader
    if ended:
        assert reader.feed(b"")
    return reader


def outcome(*blocks: bytes, method: str = "GET") -> object:
    try:
        reader = read(*blocks, method=method)
    except (BrokenAnswerError, UnusableBodyError) as error:
        return type(error)
    return reader.status, reader.headers, reader.body


@pytest.mark.parametrize(
    ("data", "method", "body"),
    [
        (OK + b"Content-Length: 3\r\n\r\nabc", "GET", b"abc"),
        (OK + b"Content-Length: 0\r\n\r\n", "GET", b""),
        (OK + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "GET", b"abc"),
        (OK + b"Content-Length: 3, 3\r\n\r\nabc", "GET", b"abc"),
        (OK + b"Content-Length: 99999999\r\n\r\n", "HEAD", b""),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", "HEAD", b""),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n", "GET", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", "GET", b""),
        (CHUNKED + b"0\r\n\r\n", "GET", b""),
        (CHUNKED + b"3\r\nabc\r\n00A ;x=\"y\"\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n", "GET", b"abc0123456789"),
        (OK + b"Transfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "GET", b"a"),
        (CONTINUE + b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\nz", "GET", b"z"),
        (b"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nz", "GET", b"z"),
        (b"HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nz", "GET", b"z"),
        (b"HTTP/1.1 200 OK\nContent-Length: 1\n\nz", "GET", b"z"),
        (OK + b"Content-Length:1\t\r\n\r\nz", "GET", b"z"),
        (OK + b"Content-Length: 1\r\n\r\n" + b"z" + OK, "GET", b"z"),
    ],
)
def test_an_answer_that_says_its_length_is_read_to_its_end(data, method, body):
    reader = read(data, method=method, ended=False)
    assert (reader.done, reader.body) == (True, body)


@pytest.mark.parametrize("head", [OK + b"\r\n", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n"])
def test_an_answer_that_says_no_length_is_whole_when_the_connection_ends(head):
    assert not read(head + b"abc", ended=False).done
    reader = read(head, b"ab", b"c")
    assert (reader.body, reader.reusable) == (b"abc", False)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200",
        OK,
        OK + b"Content-Length: 3\r\n\r\nab",
        CHUNKED,
        CHUNKED + b"3\r\nabc\r\n",
        CHUNKED + b"3\r\nabc\r\n0\r\n",
        CONTINUE,
        CONTINUE * 101 + OK + b"Content-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"hello there\r\n\r\n",
        b"\r\n" + OK + b"Content-Length: 0\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.2 200 OK\r\n\r\n",
        b"http/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1  200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 000 OK\r\n\r\n",
        b"HTTP/1.1 +20 OK\r\n\r\n",
        b"HTTP/1.1 200 O\0K\r\n\r\n",
        OK + b"no colon\r\n\r\n",
        OK + b": no name\r\n\r\n",
        OK + b"Content-Length : 0\r\n\r\n",
        OK + b"bad name: 1\r\n\r\n",
        OK + b"N\xe4me: 1\r\n\r\n",
        OK + b"X: a\0b\r\n\r\n",
        OK + b"X: a\rb\r\n\r\n",
        OK + b" folded: into nothing\r\n\r\n",
        OK + b"X: 1\r\n" * 101 + b"\r\n",
        OK + b"X: " + b"x" * 65_536 + b"\r\n\r\n",
        OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        OK + b"Content-Length: 1, 2\r\n\r\nab",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Content-Length: +1\r\n\r\na",
        OK + b"Content-Length: 1.0\r\n\r\na",
        OK + b"Content-Length: 0x1\r\n\r\na",
        OK + b"Content-Length: \xb2\r\n\r\nab",
        OK + b"Content-Length: \r\n\r\n",
        OK + b"Content-Length: 9999999999999999999\r\n\r\n",
        OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n",
        OK + b"Transfer-Encoding: \r\n\r\n",
        CHUNKED + b"\r\n",
        CHUNKED + b"x\r\n",
        CHUNKED + b"-1\r\n",
        CHUNKED + b"0x1\r\na\r\n0\r\n\r\n",
        CHUNKED + b"1_0\r\n",
        CHUNKED + b"1\na\n0\n\n",
        CHUNKED + b"1\r\nab\r\n0\r\n\r\n",
        CHUNKED + b"1;x=\ny\r\na\r\n0\r\n\r\n",
        CHUNKED + b"1" * 16 + b"\r\n",
        CHUNKED + b"1;" + b"x" * 66_000 + b"\r\na\r\n0\r\n\r\n",
        CHUNKED + (b"1;" + b"x" * 1000 + b"\r\na\r\n") * 80 + b"0\r\n\r\n",
        CHUNKED + b"0\r\n" + b"X: 1\r\n" * 101 + b"\r\n",
        CHUNKED + b"0\r\n" + (b"X: " + b"x" * 1000 + b"\r\n") * 80 + b"\r\n",
    ],
)
def test_what_is_not_a_whole_answer_with_one_meaning_is_broken(data):
    assert outcome(data) is BrokenAnswerError


@pytest.mark.parametrize(
    "data",
    [
        OK + b"Content-Length: 1001\r\n\r\n",
        OK + b"\r\n" + b"x" * 1001,
        CHUNKED + b"3e9\r\n",
        CHUNKED + b"1f4\r\n" + b"x" * 500 + b"\r\n1f5\r\n",
    ],
)
def test_a_body_over_the_cap_is_unusable_when_that_is_known(data):
    reader = AnswerReader("GET", CAP)
    with pytest.raises(UnusableBodyError):
        reader.feed(data)
    assert reader.status == 200


@pytest.mark.parametrize("data", [b"SSH-2.0", b"\x15\x03\x01", OK + CONTINUE * 4000, CHUNKED + b"1" * 70_000])
def test_nobody_waits_for_the_end_of_what_cannot_become_an_answer(data):
    with pytest.raises(BrokenAnswerError):
        read(data, ended=False)


@pytest.mark.parametrize(
    ("head", "rest", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"", True),
        (b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n", b"", True),
        (b"HTTP/1.1 200 OK\r\nConnection: x, Close\r\n", b"", False),
        (b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nConnection: close\r\n", b"", False),
        (b"HTTP/1.0 200 OK\r\n", b"", False),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n", b"", True),
        (b"HTTP/1.1 200 OK\r\n", b"H", False),
    ],
)
def test_a_connection_may_be_used_again_where_both_sides_know_that_it_lasts(head, rest, reusable):
    assert read(head + b"Content-Length: 1\r\n\r\nx" + rest).reusable is reusable


@pytest.mark.parametrize(("version", "reusable"), [(b"1", True), (b"0", False)])
def test_a_server_of_http_1_0_that_sends_chunks_is_heard_once(version, reusable):
    head = b"HTTP/1." + version + b" 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
    reader = read(head + b"1\r\na\r\n0\r\n\r\n", ended=False)
    assert (reader.body, reader.reusable) == (b"a", reusable)


def test_headers_are_joined_by_lower_case_name_and_unfolded():
    reader = read(OK + b"X-A: 1\r\nx-a:\t2 \r\nX-F: a\r\n \t b\r\nX-E:\r\nX-L: \xe4\r\nContent-Length: 0\r\n\r\n")
    assert reader.headers == {"x-a": "1, 2", "x-f": "a b", "x-e": "", "x-l": "ä", "content-length": "0"}


def test_interim_answers_leave_no_header():
    assert read(b"HTTP/1.1 103 Hints\r\nX-I: 1\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n").headers == {
        "content-length": "0"
    }


def test_whether_anything_came_is_known():
    reader = AnswerReader("GET", CAP)
    assert not reader.begun
    reader.feed(b"H")
    assert reader.begun


#: Pieces of which answers, good and bad, are made, so that chance gets far into the reader.
PIECES = st.sampled_from(
    [
        OK, b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 204 X\r\n", CONTINUE, CHUNKED, b"\r\n", b"\n", b"\r", b" ", b"\0",
        b"Content-Length: 3\r\n", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n",
        b"X-A: b\r\n", b"X-A: b\n c\r\n", b"abc", b"3\r\nabc\r\n", b"1;e=f\r\nx\r\n", b"0\r\n\r\n", b"0\r\n",
        b"X: " + b"y" * 40_000 + b"\r\n", b"3e8\r\n", b"z" * 600,
    ]
)  # fmt: skip
ANSWERS = st.lists(st.one_of(PIECES, PIECES, PIECES, st.binary(max_size=8)), max_size=12).map(b"".join)
METHODS = st.sampled_from(["GET", "HEAD"])


@given(data=ANSWERS, method=METHODS, cuts=st.lists(st.integers(1, 50_000), max_size=6))
@settings(max_examples=400, deadline=None)
@example(data=OK + b"Content-Length: 3\r\n\r\nabc", method="GET", cuts=[])
@example(data=CHUNKED + b"1;e=f\r\nx\r\n0\r\nA: b\r\n\r\n", method="GET", cuts=[3])
def test_how_the_bytes_were_cut_makes_no_difference(data, method, cuts):
    whole = outcome(data, method=method)
    ends = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    assert outcome(*(data[start:end] for start, end in pairwise(ends)), method=method) == whole
    if len(data) < 5000:
        assert outcome(*(bytes((byte,)) for byte in data), method=method) == whole


@given(data=st.one_of(st.binary(max_size=2000), st.binary(max_size=200).map(OK.__add__), ANSWERS), method=METHODS)
@settings(max_examples=400, deadline=None)
def test_whatever_comes_is_an_answer_within_bounds_or_one_of_two_errors(data, method):
    result = outcome(data, method=method)
    if isinstance(result, tuple):
        status, headers, body = result
        assert 200 <= status <= 999
        assert len(body) <= CAP
        assert len(headers) <= 100
        assert sum(len(name) + len(text) for name, text in headers.items()) <= 65_536
    else:
        assert result in (BrokenAnswerError, UnusableBodyError)
