"""The bytes of a request, and the origin that they are for."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from bridge.outbound.message import Outgoing, standing, wire_body

#: Scheme, host, port and target. Nothing else may stand in a URL: no credentials, and nothing that could end a line.
_parts = re.compile(
    r"(https?)://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{0,5}))?((?:[/?][!\"$-~]*)?)(?:#[!-~]*)?",
    re.IGNORECASE | re.ASCII,
).fullmatch
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Whom to connect to, as a URL without a path, and what the Host header calls it."""

    url: str
    host: str


def written(outgoing: Outgoing) -> tuple[Origin, bytes]:
    """Return where the request goes and all its bytes; raise ValueError for a URL that cannot be sent as it is."""
    found = _parts(outgoing.url)
    if not found:
        raise ValueError("no URL of http or https that can be sent as it is")
    scheme, host, port, target = found.groups()
    origin = _origin(scheme, host, port)
    if not target.startswith("/"):
        target = f"/{target}"
    fields = "".join([f"{name}: {text}\r\n" if text else f"{name}:\r\n" for name, text in outgoing.headers])
    added = _added(tuple([name for name, _ in outgoing.headers]))
    start = f"{outgoing.method} {target} HTTP/1.1\r\nHost: {origin.host}\r\n{fields}{added}"
    body = wire_body(outgoing)
    if body is None:
        return origin, f"{start}\r\n".encode("ascii")
    return origin, f"{start}Content-Length: {len(body)}\r\n\r\n".encode("ascii") + body


@lru_cache(1024)
def _origin(scheme: str, host: str, port: str | None) -> Origin:
    scheme = scheme.lower()
    number = int(port) if port else _DEFAULT_PORTS[scheme]
    return Origin(f"{scheme}://{host}:{number}/", host if number == _DEFAULT_PORTS[scheme] else f"{host}:{number}")


@lru_cache(1024)
def _added(names: tuple[str, ...]) -> str:
    """Return the lines beside those of headers with these names."""
    return "".join([f"{name}: {text}\r\n" for name, text in standing(names)])
