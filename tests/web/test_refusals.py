"""gunicorn's own refusals: each kind has its status and its sentence, and repeats nothing that was sent."""

from __future__ import annotations

import json
import ssl

import pytest
from gunicorn.http import errors

from bridge.web.connection import RequestTimeout
from bridge.web.refusals import as_bytes, word

SENT = "<script>sesame"


@pytest.mark.parametrize(("error", "status"), [
    (errors.InvalidRequestLine(SENT), 400), (errors.InvalidRequestMethod(SENT), 400), (errors.InvalidHTTPVersion(SENT), 400),
    (errors.InvalidHeader(SENT), 400), (errors.InvalidHeaderName(SENT), 400), (errors.ObsoleteFolding(SENT), 400),
    (errors.UnsupportedTransferCoding(SENT), 400), (errors.InvalidChunkSize(SENT), 400), (errors.ChunkMissingTerminator(SENT), 400),
    (errors.InvalidChunkExtension(SENT), 400), (errors.ConfigurationProblem(SENT), 400), (errors.InvalidProxyLine(SENT), 400),
    (errors.InvalidProxyHeader(SENT), 400), (errors.ForbiddenProxyRequest(SENT), 400), (errors.InvalidSchemeHeaders(), 400),
    (errors.InvalidH2CPreface(SENT), 400), (errors.LimitRequestLine(9, 8), 414), (errors.LimitRequestHeaders(SENT), 431),
    (errors.ExpectationFailed(SENT), 417), (RequestTimeout(), 408), (ssl.SSLError(1, SENT), 400),
])  # fmt: skip
def test_what_cannot_be_parsed_is_the_client_s_fault(error: Exception, status: int) -> None:
    reply = word(error)
    assert reply.status == status
    body = json.loads(reply.body)
    assert body["error"].keys() == {"type", "message"}
    assert body["error"]["type"] == "INVALID_REQUEST"
    assert "sesame" not in reply.body.decode()


def test_every_refusal_of_gunicorn_is_known() -> None:
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ParseException)}
    for kind in kinds:
        ours = issubclass(kind, errors.InvalidResponseHeader | errors.InvalidResponseHeaderName)
        assert word(kind.__new__(kind)).status < 500 or ours, kind


@pytest.mark.parametrize("error", [
    LookupError(SENT), errors.InvalidResponseHeader(SENT), errors.InvalidResponseHeaderName(SENT), AssertionError(SENT),
])  # fmt: skip
def test_anything_else_is_a_bug_of_ours_that_says_nothing(error: Exception) -> None:
    reply = word(error)
    assert reply.status == 500
    assert json.loads(reply.body) == {"status": "error", "error": {"type": "INTERNAL_ERROR", "message": "Internal error"}}


def test_the_last_answer_on_a_connection_says_so() -> None:
    head, _, body = as_bytes(word(RequestTimeout()), "r-1", "v").partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 408 Request Timeout"
    assert f"Content-Length: {len(body)}" in lines
    assert {"Connection: close", "X-Request-Id: r-1", "X-Registry-Version: v", "Cache-Control: no-store"} <= set(lines)
