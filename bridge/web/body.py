"""Reading a request's body: declared as JSON, within the limit, whole, and parsed strictly."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from wsgiref.types import WSGIEnvironment

from werkzeug.http import parse_options_header

from bridge.core.parsing import parse_json
from bridge.errors import BodyTooLarge, InvalidRequest, MalformedBody, UnsupportedMedia


def read_json(environ: WSGIEnvironment, limit: int) -> Any:
    """Return the JSON document in the body.

    `limit` is in bytes; nothing beyond it is read. Raises UnsupportedMedia, BodyTooLarge or
    MalformedBody.
    """
    if not is_json(environ.get("CONTENT_TYPE", "")):
        raise UnsupportedMedia
    if environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise UnsupportedMedia("Send the body uncompressed")
    body = _whole(environ, limit)
    try:
        return parse_json(body)
    except InvalidRequest as error:
        raise MalformedBody(error.message) from error


@lru_cache(maxsize=256)
def is_json(content_type: str) -> bool:
    """Say whether a Content-Type is `application/json` or `application/...+json`, in UTF-8."""
    media, options = parse_options_header(content_type)
    kind, _, subtype = media.lower().partition("/")
    named = kind == "application" and (subtype == "json" or subtype.endswith("+json"))
    return named and options.get("charset", "utf-8").lower() in ("utf-8", "utf8")


def _whole(environ: WSGIEnvironment, limit: int) -> bytes:
    declared = environ.get("CONTENT_LENGTH")
    if not declared:
        chunked = environ.get("wsgi.input_terminated", False)
        body = _read(environ["wsgi.input"], limit + 1) if chunked else b""
        if len(body) > limit:
            raise BodyTooLarge(f"The request body is larger than {limit} bytes")
        return body
    length = int(declared) if declared.isdecimal() and len(declared) < 20 else limit + 1
    if length > limit:
        raise BodyTooLarge(f"The request body is larger than {limit} bytes")
    body = _read(environ["wsgi.input"], length)
    if len(body) < length:
        raise MalformedBody("The request body ended before its Content-Length")
    return body


def _read(stream: Any, size: int) -> bytes:
    """Return up to `size` bytes. Whatever a server raises here, what the client sent is the cause."""
    pieces: list[bytes] = []
    try:
        while size > 0 and (piece := stream.read(size)):
            pieces.append(piece)
            size -= len(piece)
    except Exception as error:
        raise MalformedBody("The request body came broken, cut off or too slowly") from error
    return b"".join(pieces)
