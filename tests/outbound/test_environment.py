"""Nothing in the environment of the process changes what is sent, where to, or whom is trusted; over both engines."""

from __future__ import annotations

import pytest

from bridge.errors import BackendUnavailable
from tests.support.fault_server import FaultServer, answer


@pytest.mark.owes("D5")
def test_proxies_of_the_environment_have_no_effect(server, get, post, monkeypatch):
    server.on("/x", answer(200, b"direct"))
    with FaultServer() as proxy:
        proxy.on("*", answer(200, b"through the proxy"))
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url())
            monkeypatch.setenv(name.lower(), proxy.url())
        monkeypatch.setenv("NO_PROXY", "")
        assert get(server.url("/x")).body == post(server.url("/x")).body == b"direct"
        assert proxy.accepted == 0


@pytest.mark.owes("D5")
def test_passwords_of_a_netrc_file_are_not_sent(server, get, monkeypatch, tmp_path):
    server.on("/x", answer(200))
    for name in (".netrc", "_netrc"):
        (tmp_path / name).write_text("machine 127.0.0.1 login somebody password canary\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    get(server.url("/x"))
    assert server.requests[0].header("Authorization") is None


@pytest.mark.owes("D5")
def test_certificate_bundles_of_the_environment_have_no_effect(tls_server, certificate, get, monkeypatch):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(certificate))
    with pytest.raises(BackendUnavailable):
        get(tls_server.url("/x"))
