"""Requests as gunicorn parses them, and the WSGI environ (PEP 3333) that is made of each.

Half of an environ is about the connection, the same for each of its requests: gunicorn makes it
once, and every request begins with a copy. Nothing is believed that a proxy may have written,
so nobody is looked up in a list of proxies.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any
from wsgiref.types import WSGIEnvironment

from gunicorn.http import wsgi
from gunicorn.http.body import LengthReader
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.util import unquote_to_wsgi_str

#: What an environ of gunicorn's says about the connection, not about the request.
_LASTING = (
    "wsgi.errors", "wsgi.version", "wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once", "wsgi.file_wrapper",
    "wsgi.input_terminated", "gunicorn.socket", "SERVER_SOFTWARE", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME",
    "REMOTE_ADDR", "REMOTE_PORT", "PROXY_PROTOCOL", "PROXY_ADDR", "PROXY_PORT",
)  # fmt: skip

_UNPREFIXED = {"CONTENT-TYPE": "CONTENT_TYPE", "CONTENT-LENGTH": "CONTENT_LENGTH"}


class PlainRequest(Request):
    """A request whose sender is never a trusted proxy."""

    def _peer_trusted_for_forwarded(self) -> tuple[dict[str, str], list[str]]:
        return {}, []


class PlainParser(RequestParser):
    """Parses the requests of one connection.

    A connection is kept only where nothing is left of its last request (`connection.is_read`), so
    nothing has to be read away before the next one.
    """

    def __next__(self) -> PlainRequest:
        """Parse the next request."""
        self.req_count += 1
        return PlainRequest(self.cfg, self.unreader, self.source_addr, self.req_count)


def environ_of(request: Any, conn: Any) -> WSGIEnvironment:
    """Return the environ of a request; its body is what gunicorn reads from the connection."""
    lasting: WSGIEnvironment | None = vars(conn).get("lasting")
    if lasting is None:
        whole = _by_gunicorn(request, conn)
        lasting = conn.lasting = {name: whole[name] for name in _LASTING if name in whole}
    if isinstance(conn.server, str) or lasting["SCRIPT_NAME"]:  # a Unix socket is named by each request's Host
        return _by_gunicorn(request, conn)
    environ = lasting.copy()
    environ["wsgi.input"] = request.body
    environ["wsgi.url_scheme"] = request.scheme
    environ["REQUEST_METHOD"] = request.method
    environ["RAW_URI"] = request.uri
    environ["PATH_INFO"] = unquote_to_wsgi_str(request.path) if "%" in request.path else request.path
    environ["QUERY_STRING"] = request.query
    environ["SERVER_PROTOCOL"] = f"HTTP/{request.version[0]}.{request.version[1]}"
    for name, value in request.headers:
        key = _UNPREFIXED.get(name) or "HTTP_" + name.replace("-", "_")
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


def _by_gunicorn(request: Any, conn: Any) -> WSGIEnvironment:
    environ = dict(wsgi.create(request, conn.sock, conn.client, conn.server, conn.cfg)[1])
    environ["wsgi.multithread"] = True
    return environ


def body_of(request: Any) -> Any:
    """Return what the body is read from: memory, where all of it came with the head."""
    reader = request.body.reader
    if isinstance(reader, LengthReader) and 0 < reader.length <= reader.unreader.buf.getbuffer().nbytes:
        return BytesIO(reader.read(reader.length))
    return request.body
