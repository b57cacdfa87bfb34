"""The engine where pycurl is missing, or `engine: requests` asks for it: the transport adapter of requests.

Only the adapter is used, without a `Session`: no redirects, cookies, netrc, proxies or bundles from the environment
can come into play. It promises less than libcurl, and says so:

- The deadline bounds each read, and is checked between two reads of the body. A server that drips its headers, or
  floods interim answers, can hold a call beyond it.
- A request counts as not sent only where the connection was never made or its certificate was refused; any other
  failure of a TLS handshake leaves a write's outcome unknown.
- `%2e` in a path goes out as `%2E` (the same by RFC 3986 section 6.2.2.1).
- A read is never sent again, and a write trusts an idle connection however old it is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from http.client import HTTPException
from ssl import SSLCertVerificationError

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidHeader, InvalidURL, RequestException
from urllib3 import BaseHTTPResponse, HTTPHeaderDict
from urllib3.exceptions import ConnectTimeoutError, HTTPError, LocationValueError, NewConnectionError, ReadTimeoutError

from bridge.errors import BridgeError
from bridge.outbound.engine import Options
from bridge.outbound.faults import Fault
from bridge.outbound.message import (
    MAX_HEAD,
    Incoming,
    Outgoing,
    UnusableBodyError,
    decoded,
    joined,
    standing,
    wire_body,
)

# urllib3 writes whole URLs and stray header bytes into its own log lines; what matters is in ours.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)

_BLOCK = 65_536
_NOT_SENT = (InvalidURL, LocationValueError, NewConnectionError, ConnectTimeoutError, SSLCertVerificationError)


class RequestsLine:
    """One adapter with one connection."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._adapter = HTTPAdapter(pool_connections=1, pool_maxsize=1, max_retries=0)

    def close(self) -> None:
        """Close the connection."""
        # The adapter only lets go of its pools; one that an old traceback still holds would keep its socket.
        pools = self._adapter.poolmanager.pools
        for key in pools.keys():  # noqa: SIM118 - it cannot be iterated over
            pools[key].close()
        self._adapter.close()

    def exchange(self, outgoing: Outgoing, left: float) -> Incoming:
        """Send the request and return the answer; see `engine.Line`."""
        request = _prepared(outgoing)
        timeout = (min(self._options.connect_timeout, left), left)
        try:
            response = self._adapter.send(request, stream=True, timeout=timeout, verify=self._options.ca)
        except (RequestException, HTTPError, ValueError) as error:
            failure = _fault(outgoing, error)
        else:
            with response:
                return self._incoming(outgoing, response.raw)
        # Raised out here so that it does not carry the library's error, whose frames keep the socket open.
        raise failure

    def _incoming(self, outgoing: Outgoing, raw: BaseHTTPResponse) -> Incoming:
        headers = joined(raw.headers.items())
        if sum(len(name) + len(text) + 4 for name, text in headers.items()) > MAX_HEAD:
            raise Fault.BROKEN.error(outgoing, "too many headers")
        try:
            body = b"".join(self._blocks(outgoing, raw))
            return Incoming(raw.status, headers, decoded(headers, body, self._options.max_answer))
        except UnusableBodyError as error:
            raise Fault.UNUSABLE.error(outgoing, f"status {raw.status}: {error}") from None

    def _blocks(self, outgoing: Outgoing, raw: BaseHTTPResponse) -> Iterator[bytes]:
        size = 0
        while block := self._block(outgoing, raw):
            size += len(block)
            if size > self._options.max_answer:
                raise UnusableBodyError(f"more than {self._options.max_answer} bytes")
            if time.monotonic() >= outgoing.deadline:
                raise Fault.LATE.error(outgoing, "the body was still coming")
            yield block
        if not size and raw.length_remaining is None and not raw.chunked:
            # http.client takes headers that are cut off for complete ones; then nothing says how long the body is.
            raise Fault.BROKEN.error(outgoing, "no body and no word of its length")

    def _block(self, outgoing: Outgoing, raw: BaseHTTPResponse) -> bytes:
        try:
            return raw.read1(_BLOCK, decode_content=False)
        except ReadTimeoutError:
            raise Fault.LATE.error(outgoing, "the body was still coming") from None
        except HTTPError as error:
            raise Fault.BROKEN.error(outgoing, _names(error)) from None


def _prepared(outgoing: Outgoing) -> PreparedRequest:
    """Return the request without the normalisation of `prepare()`, which decodes `%2e`."""
    body = wire_body(outgoing)
    headers = HTTPHeaderDict(outgoing.headers + standing(tuple(name for name, _ in outgoing.headers)))
    if body is not None:
        headers["Content-Length"] = str(len(body))
    request = PreparedRequest()
    request.method, request.url, request.body = outgoing.method, outgoing.url, body
    # Any mapping will do, and this one can repeat a name.
    request.headers = headers  # type: ignore[assignment]
    return request


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what it wraps; requests and urllib3 keep that in `reason` or among the arguments."""
    wrapped: object = error
    while isinstance(wrapped, BaseException):
        yield wrapped
        inner = (getattr(wrapped, "reason", None), *reversed(wrapped.args))
        wrapped = next((one for one in inner if isinstance(one, BaseException)), None)


def _names(error: BaseException) -> str:
    """Say what went wrong without the words of the libraries, which hold the whole URL."""
    return " <- ".join(type(one).__name__ for one in _causes(error))


def _fault(outgoing: Outgoing, error: BaseException) -> BridgeError:
    causes = tuple(_causes(error))

    def any_is(*kinds: type[BaseException]) -> bool:
        return any(isinstance(one, kinds) for one in causes)

    # A bare ValueError is what the standard library calls an address that is none.
    if any_is(*_NOT_SENT) or type(error) is ValueError:
        fault = Fault.EXPIRED if time.monotonic() >= outgoing.deadline else Fault.NOT_SENT
    elif any_is(ReadTimeoutError):
        fault = Fault.LATE
    elif any_is(InvalidHeader) or (any_is(HTTPException) and not any_is(ConnectionError)):
        fault = Fault.BROKEN
    else:
        fault = Fault.GONE
    return fault.error(outgoing, _names(error))
