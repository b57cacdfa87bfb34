"""How an http backend shows its credentials: `auth` of type bearer, basic, api_key or none.

A credential may be late (`${file:...}`), so it is read for each request; what is fixed is
put together once.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from bridge.backends.http_names import wrong_name
from bridge.core.late import Late, read
from bridge.core.located import Problems
from bridge.errors import BackendUnavailable, InvalidParameters
from bridge.outbound import header_value

Pairs = tuple[tuple[str, str], ...]

_NOTHING: Pairs = ()


def sendable(name: str, value: str) -> str:
    """Return the operator's own header value, or raise BackendUnavailable: the caller can do nothing about it."""
    try:
        return header_value(name, value)
    except InvalidParameters:
        raise BackendUnavailable(log=f"the value of the header {name} cannot be sent in a header") from None


class Credentials:
    """What authentication adds to a request: `headers()` and `query()`, both as name-value pairs.

    `header` (in lower case) and `parameter` are the names that nobody else may use.
    """

    __slots__ = ("header", "headers", "parameter", "query")

    def __init__(self) -> None:
        self.headers = self.query = _none
        self.header: str | None = None
        self.parameter: str | None = None

    @classmethod
    def in_header(cls, name: str, pairs: Callable[[], Pairs]) -> Credentials:
        """Return credentials that go into one header."""
        made = cls()
        made.header, made.headers = name.lower(), pairs
        return made

    @classmethod
    def in_query(cls, name: str, pairs: Callable[[], Pairs]) -> Credentials:
        """Return credentials that go into one parameter of the query."""
        made = cls()
        made.parameter, made.query = name, pairs
        return made

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
        return _header("Authorization", [options["token"]], _bearer, problems)
    if kind == "basic":
        parts = [options["username"], options["password"]]
        return _header("Authorization", parts, _basic, problems)
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
        return _header(header, [key], _as_it_is, problems)
    return Credentials.in_query(str(query), _reader(str(query), [key], _as_it_is))


def _header(name: str, parts: list[str | Late], form: Callable[..., str], problems: Problems) -> Credentials:
    reader = _reader(name, parts, form)

    def checked() -> Pairs:
        return tuple((name, sendable(name, value)) for name, value in reader())

    try:
        pairs = checked()
    except BackendUnavailable:
        problems.add("the credential holds characters that no HTTP header can carry")
        return Credentials.in_header(name, reader)
    late = any(isinstance(part, Late) for part in parts)
    return Credentials.in_header(name, checked if late else Credentials.fixed(pairs))


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
