"""A strict reader of one HTTP/1.1 answer: bytes go in, a status, headers and a body come out; it waits for nothing.

RFC 9112 leaves a client some choices. They fall so that an answer has one meaning or none:

- Lines of the head may end in a bare LF, and a header may go on in the next line (sections 2.2 and
  5.2 let a client take both, and old CGI programs need it). Lines between chunks end in CRLF and nothing else.
- A header needs a token for a name, right before its colon; no value holds a CR or NUL.
- A body has one length. Several Content-Length are one if they are equal; beside a Transfer-Encoding none is right.
  The only transfer coding is `chunked`: no other was asked for.
- Interim answers (1xx) are passed over, but 101: nobody asked for another protocol.
- Head, interim answers, chunk extensions and trailers share one allowance of MAX_HEAD bytes and MAX_HEADERS lines.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping

from bridge.outbound.message import MAX_HEAD, MAX_HEADERS, UnusableBodyError, joined

_status = re.compile(r"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\0]*)?").fullmatch
_fields = re.compile(r"^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([^\r\n\0]*)\r?\n", re.MULTILINE).findall
_unfolded = re.compile(r"\r?\n[ \t]+").sub
_end_of_head = re.compile(rb"\r?\n\r?\n").search
_length = re.compile(r"[0-9]{1,18}").fullmatch
_chunk = re.compile(rb"([0-9A-Fa-f]{1,15})([ \t]*(?:;[^\r\n\0]*)?)").fullmatch

_START = b"HTTP/1."
_BODILESS = frozenset({204, 304})


class BrokenAnswerError(Exception):
    """What came is not a whole answer, or not HTTP/1.1; says why."""


class AnswerReader:
    """Reads the final answer to one request.

    `status`, `headers` (as in `message.Incoming`) and `body`, its transfer coding undone, hold once it is
    `done`; `begun` says whether a byte came at all. A body over `max_body` bytes is refused when that is known.
    """

    def __init__(self, method: str, max_body: int) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.body = b""
        self.begun = self.done = False
        self._bodiless = method == "HEAD"
        self._cap = max_body
        self._lasts = False
        self._lines, self._bytes = MAX_HEADERS, MAX_HEAD
        self._buffer = bytearray()
        self._ended = False
        self._steps = self._answer()

    def feed(self, data: bytes) -> bool:
        """Take what was received, `b""` for the end of the connection; say whether the answer is whole.

        Raises BrokenAnswerError, and UnusableBodyError for a body over the cap; the reader is used up by
        either, and by True.
        """
        if data:
            self.begun = True
            self._buffer += data
        else:
            self._ended = True
        self.done = next(self._steps, True)
        return self.done

    @property
    def reusable(self) -> bool:
        """Say whether the connection may carry another request after a whole answer: it lasts, nothing came after."""
        return self._lasts and not self._buffer and not self._ended

    def _answer(self) -> Iterator[bool]:
        """Go through the answer; yield False for more bytes, and end where it ends."""
        version = 1
        while self.status < 200:
            end = yield from self._head_end()
            version = self._head(end)
        headers = self.headers
        options = headers.get("connection", "").lower().replace(" ", "").split(",")
        self._lasts = "close" not in options and (version == 1 or "keep-alive" in options)
        coding, length = headers.get("transfer-encoding"), headers.get("content-length")
        if self._bodiless or self.status in _BODILESS:
            return
        if coding is not None:
            self._lasts = self._lasts and version == 1
            yield from self._chunks(coding, length)
        elif length is not None:
            size = _size(length)
            self._allow(size)
            yield from self._until_held(size)
            self.body = self._taken(size)
        else:
            yield from self._rest()

    def _head_end(self) -> Generator[bool, None, int]:
        """Wait for the empty line after the headers; return where the head ends."""
        seen = 0
        while not (found := _end_of_head(self._buffer, max(0, seen - 3))):
            seen = len(self._buffer)
            if seen > self._bytes:
                raise BrokenAnswerError("too many headers")
            if not _START.startswith(self._buffer[: len(_START)]):
                raise BrokenAnswerError("not HTTP/1")
            yield from self._more()
        return found.end()

    def _head(self, end: int) -> int:
        """Take a head of so many bytes; return the minor version."""
        self._spend(1, end)
        first, _, rest = self._taken(end).decode("latin-1").partition("\n")
        line = _status(first.removesuffix("\r"))
        if not line:
            raise BrokenAnswerError("no status line of HTTP/1")
        self.status = int(line[2])
        if self.status == 101:
            raise BrokenAnswerError("a change of protocol that was not asked for")
        rest = rest.removesuffix("\n").removesuffix("\r")
        if "\n " in rest or "\n\t" in rest:
            rest = _unfolded(" ", rest)
        fields = _fields(rest)
        if len(fields) != rest.count("\n"):
            raise BrokenAnswerError("a line among the headers that is no header")
        self._spend(len(fields), 0)
        self.headers = joined(fields)
        return int(line[1])

    def _chunks(self, coding: str, length: str | None) -> Iterator[bool]:
        if coding.lower() != "chunked" or length is not None:
            raise BrokenAnswerError("a length that is doubtful")
        body = bytearray()
        while True:
            line = _chunk((yield from self._line()))
            if not line:
                raise BrokenAnswerError("a chunk without a size")
            self._spend(0, len(line[2]))
            size = int(line[1], 16)
            if not size:
                break
            self._allow(len(body) + size)
            yield from self._until_held(size + 2)
            body += self._buffer[:size]
            if self._taken(size + 2)[size:] != b"\r\n":
                raise BrokenAnswerError("a chunk longer than its size")
        while trailer := (yield from self._line()):
            self._spend(1, len(trailer))
        self.body = bytes(body)

    def _line(self) -> Generator[bool, None, bytes]:
        """Wait for a line; return it without its CRLF."""
        seen = 0
        while (end := self._buffer.find(b"\r\n", max(0, seen - 1))) < 0:
            seen = len(self._buffer)
            if seen > self._bytes + 16:
                raise BrokenAnswerError("a line without end between chunks")
            yield from self._more()
        return self._taken(end + 2)[:-2]

    def _rest(self) -> Iterator[bool]:
        self._lasts = False
        while not self._ended:
            self._allow(len(self._buffer))
            yield False
        self._allow(len(self._buffer))
        self.body = self._taken(len(self._buffer))

    def _until_held(self, size: int) -> Iterator[bool]:
        while len(self._buffer) < size:
            yield from self._more()

    def _more(self) -> Iterator[bool]:
        if self._ended:
            raise BrokenAnswerError("the connection ended before the answer did")
        yield False

    def _taken(self, size: int) -> bytes:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _spend(self, lines: int, size: int) -> None:
        self._lines -= lines
        self._bytes -= size
        if self._lines < 0 or self._bytes < 0:
            raise BrokenAnswerError("too many headers")

    def _allow(self, size: int) -> None:
        if size > self._cap:
            raise UnusableBodyError(f"more than {self._cap} bytes")


def _size(text: str) -> int:
    """Return the length that one or several equal Content-Length give."""
    values = {value.strip(" \t") for value in text.split(",")}
    if len(values) != 1 or not _length(value := values.pop()):
        raise BrokenAnswerError("a length that is doubtful")
    return int(value)
