"""What passes between the door and a protocol: a parsed request, a ready reply, and the routes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bridge.core.model import Caller
from bridge.core.ports import Calls, Catalogue, Clock

#: Header names are as they go over the wire.
Headers = tuple[tuple[str, str], ...]

JSON: tuple[str, str] = ("Content-Type", "application/json")


@dataclass(frozen=True, slots=True)
class Request:
    """A request that has passed the door.

    `path` is the path below the toolset's prefix, `headers` have lower-case names,
    `body` is the parsed JSON document, None for a method that has none.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Any
    caller: Caller
    id: str
    toolset: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that a carrier can send as it is."""

    status: int
    headers: Headers
    body: bytes | Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Service:
    """What a protocol may use: run calls, read the catalogue, know the server's name and switches."""

    calls: Calls
    catalogue: Catalogue
    clock: Clock
    name: str
    description: str
    version: str
    options: Mapping[str, Any]


Handler = Callable[[Request, Service], Reply]


@dataclass(frozen=True, slots=True)
class Route:
    """One method at one path of a protocol; a `hot` one is answered in front of Flask."""

    method: Literal["GET", "POST"]
    path: str
    handle: Handler
    hot: bool = False
