"""How gunicorn's own refusals are worded: as JSON, as the client's fault, without repeating what was sent."""

from __future__ import annotations

import ssl

from gunicorn.http import errors

from bridge.core.exchange import Reply
from bridge.errors import InternalError, InvalidRequest
from bridge.protocols.manifest import refuse
from bridge.web.answers import NO_STORE, signed, status_line
from bridge.web.connection import RequestTimeout

#: Kind of refusal -> status and sentence; whatever else cannot be parsed is a 400.
_WORDS: tuple[tuple[type[Exception], int, str], ...] = (
    (errors.LimitRequestLine, 414, "The request line is too long"),
    (errors.LimitRequestHeaders, 431, "The request headers are too large or too many"),
    (errors.ExpectationFailed, 417, "Only 100-continue can be expected here"),
    (RequestTimeout, 408, "The request did not arrive in time"),
    (errors.ParseException, 400, "The request is not valid HTTP"),
    (ssl.SSLError, 400, "Speak TLS here"),
)

#: Mistakes in an answer, though gunicorn derives them from mistakes in a request.
_OURS = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName)  # type: ignore[attr-defined] # as above


def word(error: BaseException) -> Reply:
    """Return the reply to a request that ended in `error` before or outside the application."""
    if not isinstance(error, _OURS):
        for kind, status, sentence in _WORDS:
            if isinstance(error, kind):
                refused = refuse(InvalidRequest(sentence), {})
                return Reply(status, refused.headers, refused.body)
    return refuse(InternalError(), {})


def as_bytes(reply: Reply, request_id: str, version: str) -> bytes:
    """Return the last answer on a connection as it goes over the wire."""
    whole = signed(reply, request_id, version, (NO_STORE, ("Connection", "close")))
    body = whole.body if isinstance(whole.body, bytes) else b"".join(whole.body)
    headers = (*whole.headers, ("Content-Length", str(len(body))))
    lines = [f"HTTP/1.1 {status_line(whole.status)}", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body
