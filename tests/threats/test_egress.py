"""Where a tool's request may go: to the declared backend and nowhere else, whatever an answer or the environment says."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.support.bridged import bridged
from tests.support.fault_server import FaultServer, answer
from tests.support.server import serving

JSON = ("Content-Type", "application/json")
REGISTRY = """
bridge: 1
name: egress
backends:
  crm:
    type: http
    base_url: 'URL'
    auth: {type: api_key, header: X-Api-Key, key: the-api-key}
    headers: {Authorization: Bearer the-token, Cookie: id=the-cookie}
tools:
  read: {description: A read., backend: crm, parameters: {case: string}, call: 'GET /{case}'}
  write: {description: A write., backend: crm, parameters: {case: string, text: string}, call: 'POST /{case}'}
"""
ARGUMENTS = {"read": {"case": "case"}, "write": {"case": "case", "text": "the-text"}}


@pytest.mark.owes("D3")
@pytest.mark.parametrize("engine", ["pycurl", "requests"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_and_nothing_goes_elsewhere(engine, status, tmp_path):
    with FaultServer() as crm, FaultServer() as other:
        for server in (crm, other):
            server.on("*", answer(200, b'{"followed": true}', JSON))
        targets = [
            "http://169.254.169.254/latest/meta-data/", other.url("/x"), f"http://localhost:{other.port}/x", f"//127.0.0.1:{other.port}/x",
            f"https://127.0.0.1:{other.port}/x", f"ftp://127.0.0.1:{other.port}/x", "file:///etc/passwd", "/elsewhere", "gopher://x", "",
        ]  # fmt: skip
        for number, target in enumerate(targets):
            crm.on(f"/case{number}", answer(status, b'{"moved": "the-vendor"}', JSON, ("Location", target)))
        with bridged(REGISTRY.replace("URL", crm.url("")), tmp_path, engine=engine) as served:
            for number in range(len(targets)):
                for tool, arguments in ARGUMENTS.items():
                    got = served.execute(tool, arguments | {"case": f"case{number}"})
                    assert (got.status, got.json["error"]["type"]) == (502, "BACKEND_REJECTED")
                    assert b"the-" not in got.body
        assert len(crm.requests) == 2 * len(targets)
        assert other.accepted == 0


@pytest.mark.owes("D4")
@pytest.mark.parametrize("engine", ["pycurl", "requests"])
def test_a_circle_and_a_chain_of_redirects_end_at_the_first(engine, tmp_path):
    with FaultServer() as crm:
        crm.on("/case", answer(302, b"", ("Location", "/case")))
        for hop in range(31):
            crm.on(f"/{hop}", answer(307, b"", ("Location", f"/{hop + 1}")))
        with bridged(REGISTRY.replace("URL", crm.url("")), tmp_path, engine=engine) as served:
            began = time.monotonic()
            for tool, arguments in ARGUMENTS.items():
                for case in ("case", "0"):
                    assert served.execute(tool, arguments | {"case": case}).status == 502
            assert time.monotonic() - began < 10
        assert [request.target for request in crm.requests] == ["/case", "/0"] * 2


@pytest.mark.owes("D3")
def test_a_cookie_that_a_backend_sets_is_never_given_back(tmp_path):
    with FaultServer() as crm:
        crm.on("*", answer(200, b"{}", JSON, ("Set-Cookie", "session=of-somebody; Path=/")))
        with bridged(REGISTRY.replace("URL", crm.url("")), tmp_path) as served:
            for _ in range(3):
                assert served.execute("read", ARGUMENTS["read"]).status == 200
        assert [request.header("cookie") for request in crm.requests] == ["id=the-cookie"] * 3


@pytest.mark.owes("D5")
@pytest.mark.parametrize("engine", ["pycurl", "requests"])
def test_nothing_of_the_environment_leads_a_request_elsewhere_or_adds_a_credential(engine, tmp_path: Path):
    registry = tmp_path / "registry.yaml"
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login the-login password the-password\ndefault login the-login password p\n")
    (tmp_path / ".netrc").chmod(0o600)
    (tmp_path / ".curlrc").write_text('header = "X-Evil: 1"\n')
    with FaultServer() as crm, FaultServer() as trap:
        crm.on("*", answer(200, b"{}", JSON))
        registry.write_text(REGISTRY.replace("URL", crm.url("")).replace("    headers: {Authorization: Bearer the-token, Cookie: id=the-cookie}\n", ""))
        proxies = dict.fromkeys(["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"], trap.url(""))
        bundles = dict.fromkeys(["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"], "/nonexistent")
        env = proxies | bundles | {"NO_PROXY": "", "no_proxy": "", "HOME": str(tmp_path), "NETRC": str(tmp_path / ".netrc")}
        with serving(registry, workers=1, env=env | {"TOOLBRIDGE_ENGINE": engine}) as server:
            for tool, arguments in ARGUMENTS.items():
                assert server.request("POST", "/api/execute", {"tool": tool, "parameters": arguments}).status == 200
        assert trap.accepted == 0
        for request in crm.requests:
            names = {name.lower() for name, _ in request.headers}
            assert names - {"content-type", "content-length"} == {"host", "user-agent", "accept", "accept-encoding", "x-api-key"}
            assert b"the-login" not in request.raw
