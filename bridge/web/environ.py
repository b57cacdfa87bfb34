"""What a WSGI environ (PEP 3333) says about a request: its headers, its id, its trace."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from random import getrandbits
from typing import Any
from wsgiref.types import WSGIEnvironment

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)

#: W3C Trace Context section 3.2.2: version, trace-id, parent-id, flags; neither id all zero.
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)


class WireHeaders(Mapping[str, str]):
    """The headers of a request under their lower-case names, looked up when asked for.

    A `traceparent` that is not one (W3C Trace Context) is left out, as the specification asks.
    """

    __slots__ = ("_environ",)

    def __init__(self, environ: WSGIEnvironment) -> None:
        trace = environ.get("HTTP_TRACEPARENT")
        if trace is not None and not _TRACEPARENT.fullmatch(trace):
            del environ["HTTP_TRACEPARENT"]
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        return str(self._environ[_variable(name)])

    def get(self, name: str, default: Any = None) -> Any:
        """Return the header's value, or `default` where the request has none."""
        return self._environ.get(_variable(name), default)

    def __iter__(self) -> Iterator[str]:
        for key in self._environ:
            if key.startswith("HTTP_") or key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                yield key.removeprefix("HTTP_").lower().replace("_", "-")

    def __len__(self) -> int:
        return sum(1 for _ in self)


@lru_cache(maxsize=1024)
def _variable(name: str) -> str:
    key = name.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


def request_id(environ: WSGIEnvironment) -> str:
    """Return the caller's `X-Request-Id` where it is sane, else a new id, the same for as long as the request lives."""
    given = environ.get("HTTP_X_REQUEST_ID")
    if given is None or not _SANE_ID.fullmatch(given):
        given = environ["HTTP_X_REQUEST_ID"] = new_id()
    return str(given)


def new_id() -> str:
    """Return 96 random bits in hexadecimal; the generator is seeded anew in each process after a fork."""
    return f"{getrandbits(96):024x}"
