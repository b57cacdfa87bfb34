"""How an http backend shows its credentials: `auth` of type bearer, basic, api_key or none.

A credential may be late (`${file:...}`), so it is read for each request; what is fixed is
put together once.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

from bridge.core.late import Late, read
from bridge.core.located import Problems
from bridge.errors import BackendUnavailable, BridgeError
from bridge.outbound import header_value

#: Headers that belong to the connection; neither a backend nor a call may set them.
RESERVED = frozenset(
    {
        "host", "content-length", "transfer-encoding", "connection", "te", "trailer", "upgrade",
        "expect", "keep-alive", "proxy-authorization", "proxy-connection", "accept-encoding", "traceparent",
    }
)  # fmt: skip

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch

Pairs = tuple[tuple[str, str], ...]

_NOTHING: Pairs = ()


def wrong_name(name: str) -> str | None:
    """Return why nobody may set the header `name` (RFC 9110 section 5.1), None where it is fine."""
    if not _TOKEN(name):
        return f"{name!r} is not the name of a header"
    if name.lower() in RESERVED:
        return f"the header {name} belongs to the connection and cannot be set"
    return None


class Credentials:
    """What authentication adds to a request: `headers()` and `query()`, both as name-value pairs."""

    __slots__ = ("headers", "query")

    def __init__(self, headers: Callable[[], Pairs] | None = None, query: Callable[[], Pairs] | None = None) -> None:
        self.headers = headers or _none
        self.query = query or _none

    @staticmethod
    def fixed(pairs: Pairs) -> Callable[[], Pairs]:
        """Return a reader of something that never changes."""
        return lambda: pairs


def _none() -> Pairs:
    return _NOTHING


def compile_auth(options: Mapping[str, Any], problems: Problems) -> Credentials:
    """Return the credentials that `auth` describes; report what is missing or cannot be sent."""
    kind = options.get("type", "none")
    if kind == "bearer":
        return Credentials(headers=_header("Authorization", [options["token"]], _bearer, problems))
    if kind == "basic":
        parts = [options["username"], options["password"]]
        return Credentials(headers=_header("Authorization", parts, _basic, problems))
    if kind == "api_key":
        return _api_key(options, problems)
    return Credentials()


def _api_key(options: Mapping[str, Any], problems: Problems) -> Credentials:
    header, query, key = options.get("header"), options.get("query"), options["key"]
    if (header is None) == (query is None):
        problems.add("an api_key goes either in a `header` or in the `query`: name one of them")
        return Credentials()
    if header is not None and (sentence := wrong_name(header)):
        problems.add(sentence, "header")
    if header is not None:
        return Credentials(headers=_header(header, [key], _as_it_is, problems))
    return Credentials(query=_reader(str(query), [key], _as_it_is))


def _header(
    name: str, parts: list[str | Late], form: Callable[..., str], problems: Problems
) -> Callable[[], Pairs]:
    reader = _reader(name, parts, form)
    try:
        for _, value in reader():
            header_value(name, value)
    except BridgeError:
        problems.add("the credential holds characters that no HTTP header can carry")
    return reader


def _reader(name: str, parts: list[str | Late], form: Callable[..., str]) -> Callable[[], Pairs]:
    if any(isinstance(part, Late) for part in parts):
        return lambda: ((name, form(*map(_now, parts))),)
    return Credentials.fixed(((name, form(*parts)),))


def _now(part: str | Late) -> str:
    try:
        return read(part)
    except OSError as error:
        raise BackendUnavailable(log=f"the credential cannot be read: {error.strerror}") from None


def _bearer(token: str) -> str:
    return f"Bearer {token}"


def _basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode("ascii")


def _as_it_is(key: str) -> str:
    return key
