"""What goes out and what comes back: a request as it will stand on the wire, and a whole, decoded answer."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bridge._version import __version__
from bridge.errors import InvalidParameters

#: Headers in the order in which they are sent.
Fields = tuple[tuple[str, str], ...]

#: Largest header value that is sent, in characters.
MAX_VALUE = 8192
#: Most header lines that an answer may have, and most bytes in all of them (interim answers included).
MAX_HEADERS = 100
MAX_HEAD = 65_536

#: What every request says unless it says otherwise. Only gzip is asked for, so only gzip is decoded.
STANDING: Fields = (("User-Agent", f"toolbridge/{__version__}"), ("Accept-Encoding", "gzip"))

#: Methods whose request without a body says `Content-Length: 0` (RFC 9110 section 8.6).
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

_is_sendable = re.compile(r"(?:[!-~](?:[\t -~]*[!-~])?)?").fullmatch


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request.

    `url` is absolute, ASCII, already guarded and encoded; it is sent as it is, dot segments included.
    `headers` are added to Host, User-Agent, Accept-Encoding and Content-Length and nothing else; the
    first and the last of these belong to the engine, so whoever builds a request leaves them,
    Transfer-Encoding, Connection and Expect alone. `safe` is True for a read, which may be sent again.
    `deadline` is in monotonic seconds.
    """

    method: str
    url: str
    headers: Fields
    body: bytes | None
    safe: bool
    deadline: float


@dataclass(frozen=True, slots=True)
class Incoming:
    """One final answer, whole: `headers` have lower-case names, repeated ones joined by `, `; `body` is decoded."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def header_value(name: str, text: str) -> str:
    """Return `text` if it can be the value of the header `name`, else raise InvalidParameters.

    It holds visible ASCII, spaces and tabs, neither at its ends, and at most 8 KiB. This is the only
    guard there is: libcurl sends a line break in a value as it stands.
    """
    if len(text) > MAX_VALUE:
        raise InvalidParameters(f"The value for the header {name} is longer than {MAX_VALUE} characters")
    if not _is_sendable(text):
        raise InvalidParameters(
            f"The value for the header {name} may hold only visible ASCII characters, and spaces and tabs between them"
        )
    return text


def check_headers(outgoing: Outgoing) -> None:
    """Raise InvalidParameters if a header of the request must not be sent."""
    for name, text in outgoing.headers:
        header_value(name, text)


def standing(names: tuple[str, ...]) -> Fields:
    """Return the standing headers that a request with headers of these names lacks."""
    given = {name.lower() for name in names}
    return tuple(field for field in STANDING if field[0].lower() not in given)


def wire_body(outgoing: Outgoing) -> bytes | None:
    """Return the body to send, empty where the method expects one; None for a request without Content-Length."""
    return b"" if outgoing.body is None and outgoing.method in _WITH_BODY else outgoing.body


def joined(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return received headers by lower-case name, blanks around a value removed, repeated ones joined by `, `."""
    headers: dict[str, str] = {}
    for written, text in fields:
        name, value = written.lower(), text.strip(" \t\r\n")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


class UnusableBodyError(Exception):
    """The body came whole but cannot be decoded; says why."""


def decoded(headers: Mapping[str, str], body: bytes, cap: int) -> bytes:
    """Undo the body's Content-Encoding, at most `cap` bytes; raise UnusableBodyError.

    Done here for every engine: libcurl takes a gzip stream that ends too early for a whole one, urllib3 lets
    a coding it does not know pass.
    """
    coding = headers.get("content-encoding", "").lower()
    if coding in ("", "identity") or not body:
        return body
    if coding not in ("gzip", "x-gzip"):
        raise UnusableBodyError("a content coding that was not asked for")
    stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        plain = stream.decompress(body, cap + 1)
    except zlib.error:
        raise UnusableBodyError("a broken gzip stream") from None
    if len(plain) > cap:
        raise UnusableBodyError(f"more than {cap} bytes once decompressed")
    if not stream.eof or stream.unused_data:
        raise UnusableBodyError("a gzip stream that does not end where the body ends")
    return plain
