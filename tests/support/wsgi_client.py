"""Requests to a WSGI application without a server: environs built by hand, so that they can be wrong."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

from tests.support.strict_json import Answered


def environ(
    method: str = "POST", path: str = "/api/execute", body: Any = None, headers: Mapping[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    """Return an environ as gunicorn makes it for a request from this machine; a body that is not bytes goes as JSON."""
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    made = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "RAW_URI": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "5000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1:5000",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(raw),
        "wsgi.input_terminated": True,
        "wsgi.errors": io.StringIO(),
    }
    if body is not None:
        made |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(raw))}
    for name, value in (headers or {}).items():
        key = name.upper().replace("-", "_")
        made[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return made | more


def ask(app: Any, *given: Any, **more: Any) -> Answered:
    """Send one request (as `environ` takes it) and return the answer."""
    started: list[Any] = []
    pieces = app(environ(*given, **more), lambda status, headers, *_: started.append((status, headers)))
    body = b"".join(pieces)
    if hasattr(pieces, "close"):
        pieces.close()
    status, headers = started[-1]
    return Answered(int(status.split()[0]), {name.lower(): value for name, value in headers}, body)
