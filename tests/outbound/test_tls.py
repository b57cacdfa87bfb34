"""Whom the engines trust over TLS."""

from __future__ import annotations

import ssl
import time
import warnings
from pathlib import Path

import pytest

from bridge.errors import BackendUnavailable, OutcomeUnknown
from bridge.outbound import Incoming, Outgoing, open_engine
from tests.support.certificates import make_certificate, server_context
from tests.support.fault_server import RESET, FaultServer, answer

ENGINES = pytest.mark.parametrize("name", ["pycurl", "requests"])


def ask(name: str, server: FaultServer, ca: Path | None, *, method: str = "GET") -> Incoming:
    engine = open_engine(name, concurrency=1, max_answer=100, ca=str(ca) if ca else None)
    url = f"https://127.0.0.1:{server.port}/x"
    try:
        return engine.send(Outgoing(method, url, (), None, method == "GET", time.monotonic() + 10))
    finally:
        engine.close()


def assert_refused(name: str, server: FaultServer, ca: Path | None) -> None:
    for method in ("GET", "POST"):
        with pytest.raises(BackendUnavailable) as caught:
            ask(name, server, ca, method=method)
        assert "NOT_SENT" in str(caught.value.log)
    assert server.requests == []


@ENGINES
def test_a_certificate_that_is_vouched_for_is_trusted(tls_server, certificate, name):
    tls_server.on("/x", answer(200, b"ok"))
    assert ask(name, tls_server, certificate).body == b"ok"


@ENGINES
def test_a_connection_over_tls_is_kept(tls_server, certificate, name):
    tls_server.on("/x", answer(200, b"ok"))
    engine = open_engine(name, concurrency=1, max_answer=100, ca=str(certificate))
    for method in ("GET", "POST", "GET", "POST"):
        engine.send(Outgoing(method, tls_server.url("/x"), (), b"{}", method == "GET", time.monotonic() + 10))
    engine.close()
    assert tls_server.accepted == 1


@ENGINES
def test_a_certificate_that_nobody_vouches_for_is_refused(tls_server, name):
    assert_refused(name, tls_server, None)


@ENGINES
def test_a_certificate_for_another_host_is_refused(tmp_path, name):
    other = make_certificate(tmp_path, "DNS:other.example,IP:127.0.0.2")
    with FaultServer(server_context(other)) as server:
        assert_refused(name, server, other)


@ENGINES
def test_an_expired_certificate_is_refused(tmp_path, name):
    expired = make_certificate(tmp_path, "IP:127.0.0.1", days=-1)
    with FaultServer(server_context(expired)) as server:
        assert_refused(name, server, expired)


def old_tls(context: ssl.SSLContext) -> ssl.SSLContext:
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    return context


def assert_no_handshake(name: str, server: FaultServer, ca: Path) -> None:
    with pytest.raises(BackendUnavailable):
        ask(name, server, ca)
    # The fallback cannot tell a handshake that failed from a request that was lost.
    with pytest.raises(BackendUnavailable if name == "pycurl" else OutcomeUnknown):
        ask(name, server, ca, method="POST")
    assert server.requests == []


@ENGINES
def test_tls_1_0_is_not_spoken(certificate, name):
    with FaultServer(old_tls(server_context(certificate))) as server:
        assert_no_handshake(name, server, certificate)


@ENGINES
def test_a_handshake_that_is_cut_off_sends_nothing(certificate, name):
    with FaultServer() as server:
        server.greet(lambda connection: connection.sock.recv(1), RESET)
        assert_no_handshake(name, server, certificate)


@ENGINES
def test_a_server_that_speaks_no_tls_is_sent_nothing(certificate, name):
    with FaultServer() as server:
        server.greet(answer(200, b"plain"))
        assert_no_handshake(name, server, certificate)
