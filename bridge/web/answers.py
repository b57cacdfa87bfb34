"""What every answer carries, and how a reply goes out through WSGI (PEP 3333)."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from wsgiref.types import StartResponse

from bridge.core.exchange import Headers, Reply

NO_STORE = ("Cache-Control", "no-store")
NO_SNIFFING = ("X-Content-Type-Options", "nosniff")

_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus} | {499: "499 Client Closed Request"}


def signed(reply: Reply, request_id: str, version: str, extra: Headers = ()) -> Reply:
    """Return `reply` with what every answer carries, and with `extra`."""
    ours = (("X-Request-Id", request_id), ("X-Registry-Version", version), NO_SNIFFING)
    return Reply(reply.status, (*reply.headers, *ours, *extra), reply.body)


def status_line(status: int) -> str:
    """Return the status with its phrase: `404 Not Found`."""
    return _LINES.get(status) or f"{status} Unknown"


def send(reply: Reply, start_response: StartResponse) -> Iterable[bytes]:
    """Hand `reply` to the server: whole with its length, or piece by piece."""
    if isinstance(reply.body, bytes):
        start_response(status_line(reply.status), [*reply.headers, ("Content-Length", str(len(reply.body)))])
        return (reply.body,)
    start_response(status_line(reply.status), list(reply.headers))
    return reply.body
