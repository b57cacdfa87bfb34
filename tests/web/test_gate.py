"""Hosts, origins and addresses: who may speak to this server at all (facts A12, E3)."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.web.app import create_app
from bridge.web.gate import host_name, is_loopback
from tests.support.small_bridge import TOKEN, SmallBridge
from tests.support.strict_json import Answered
from tests.support.wsgi_client import ask

ANN = {"Authorization": f"Bearer {TOKEN}"}
FAR = {"REMOTE_ADDR": "203.0.113.9"}


def call(bridge: SmallBridge, headers: dict[str, str], **more: Any) -> Answered:
    return ask(create_app(bridge), "POST", "/call", {"name": "echo"}, ANN | headers, **more)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:5000", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:5000", "localhost."])
def test_from_this_machine_its_own_names_are_served_with_any_port(host: str) -> None:
    assert call(SmallBridge(), {"Host": host}).status == 200


@pytest.mark.owes("A12")
@pytest.mark.parametrize("host", [
    "evil.example", "evil.example:5000", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.2", "10.0.0.1", "[::2]", "0",
    "", " ", "localhost:", "localhost:x", "localhost:5000:5000", "localhost,evil", "u@localhost", "localhost/x", "localhost#",
    "localhost\\@evil", "lоcalhost", "[::1", "::1", "%6cocalhost", "localhost" + "x" * 8000,
])  # fmt: skip
def test_from_this_machine_every_other_host_is_a_421(host: str) -> None:
    got = call(SmallBridge(), {"Host": host})
    assert (got.status, got.json) == (421, {"error": "This server does not answer for that host name"})


def test_from_this_machine_nothing_is_served_without_a_host() -> None:
    app = create_app(SmallBridge())
    assert ask(app, "GET", "/tools", None, ANN, HTTP_HOST="").status == 421


def test_from_elsewhere_any_host_is_served_until_names_are_given() -> None:
    assert call(SmallBridge(), {"Host": "api.example.com"}, **FAR).status == 200
    for given in ({"allowed_hosts": ("api.example.com",)}, {"public_url": "https://API.example.com:8443/bridge"}):
        assert call(SmallBridge(**given), {"Host": "api.example.com"}, **FAR).status == 200
        assert call(SmallBridge(**given), {"Host": "api.example.com:443"}, **FAR).status == 200
        assert call(SmallBridge(**given), {"Host": "localhost"}, **FAR).status == 200
        assert call(SmallBridge(**given), {"Host": "evil.example"}, **FAR).status == 421
        assert call(SmallBridge(**given), {"Host": "api.example.com"}).status == 200


def test_where_anybody_may_call_names_are_strict_everywhere() -> None:
    assert call(SmallBridge(written=True), {"Host": "api.example.com"}, **FAR).status == 421
    named = SmallBridge(written=True, allowed_hosts=("api.example.com",))
    assert call(named, {"Host": "api.example.com"}, **FAR).status == 200


@pytest.mark.owes("A12")
@pytest.mark.parametrize(("target", "status"), [
    ("http://localhost/call", 200), ("http://LOCALHOST:99/call", 200), ("https://localhost/call", 200),
    ("http://evil.example/call", 421), ("http://localhost@evil.example/call", 421), ("http://u:p@localhost/call", 421),
    ("http://127.0.0.1/call", 421), ("http:///call", 421), ("*", 421), ("evil.example:443", 421),
])  # fmt: skip
def test_a_target_that_names_another_host_than_host_does_is_refused(target: str, status: int) -> None:
    assert call(SmallBridge(), {"Host": "localhost:5000"}, RAW_URI=target).status == status


@pytest.mark.owes("A12")
@pytest.mark.parametrize("given", [
    {"X-Forwarded-Host": "localhost"}, {"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "host=localhost;for=127.0.0.1"},
    {"X-Forwarded-Server": "localhost"}, {"X-Real-Ip": "127.0.0.1"}, {"X-Host": "localhost"}, {"X-Original-Url": "/tools"},
])  # fmt: skip
def test_what_a_proxy_would_say_is_not_believed(given: dict[str, str]) -> None:
    assert call(SmallBridge(), given | {"Host": "evil.example"}).status == 421
    assert call(SmallBridge(open=True), given, REMOTE_ADDR="203.0.113.9").status == 403


@pytest.mark.parametrize(("origin", "status"), [
    ("http://127.0.0.1:5000", 200), ("http://localhost:3000", 200), ("https://[::1]", 200),
    ("http://evil.example", 403), ("null", 403), ("", 403), ("http://localhost.evil.example", 403), ("file://", 403),
    ("http://localhost@evil.example", 403), ("localhost", 403), ("http://localhost http://evil", 403),
])  # fmt: skip
def test_from_this_machine_only_its_own_pages_of_this_machine_may_call(origin: str, status: int) -> None:
    assert call(SmallBridge(), {"Origin": origin}).status == status


def test_host_and_origin_are_checked_each_by_itself() -> None:
    good, bad = {"Host": "localhost", "Origin": "http://localhost"}, {"Host": "evil.example", "Origin": "http://evil.example"}
    for host in (good, bad):
        for origin in (good, bad):
            got = call(SmallBridge(), {"Host": host["Host"], "Origin": origin["Origin"]})
            assert got.status == (421 if host is bad else 403 if origin is bad else 200)


def test_from_elsewhere_pages_of_the_same_host_and_of_listed_origins_may_call() -> None:
    bridge = SmallBridge(allowed_origins=("https://App.example.com",))
    for origin, status in (
        ("https://app.example.com", 200), ("https://api.example.com", 200), ("http://app.example.com", 403),
        ("https://app.example.com:444", 403), ("http://localhost", 403), ("null", 403),
    ):  # fmt: skip
        assert call(bridge, {"Host": "api.example.com", "Origin": origin}, **FAR).status == status, origin


def test_only_listed_origins_may_read_answers() -> None:
    bridge = SmallBridge(allowed_origins=("https://app.example.com",))
    for headers, allowed in (
        ({"Origin": "https://app.example.com"}, "https://app.example.com"), ({"Origin": "http://localhost"}, None), ({}, None),
        ({"Origin": "https://app.example.com", "Authorization": "x"}, "https://app.example.com"),
    ):  # fmt: skip
        assert call(bridge, headers).headers.get("access-control-allow-origin") == allowed
    assert call(bridge, {"Origin": "https://app.example.com"}).headers["vary"] == "Origin"


def test_a_preflight_is_answered_for_listed_origins_without_a_credential() -> None:
    asked = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}
    listed = create_app(SmallBridge(allowed_origins=("https://app.example.com",)))
    for path in ("/call", "/api/execute", "/tools", "/sets/some/call"):
        got = ask(listed, "OPTIONS", path, None, asked)
        assert (got.status, got.body) == (204, b"")
        assert got.headers["access-control-allow-origin"] == "https://app.example.com"
        assert "POST" in got.headers["access-control-allow-methods"]
        assert "Authorization" in got.headers["access-control-allow-headers"]
    assert ask(listed, "OPTIONS", "/nowhere", None, asked).status == 404
    assert ask(listed, "OPTIONS", "/call", None, asked | {"Host": "evil.example"}).status == 421
    assert ask(listed, "OPTIONS", "/call", None, asked | {"Origin": "https://evil.example"}).status == 405
    assert ask(create_app(SmallBridge()), "OPTIONS", "/call", None, asked).status == 405


@pytest.mark.parametrize(("address", "status"), [
    ("127.0.0.1", 200), ("127.8.8.8", 200), ("::1", 200), ("::ffff:127.0.0.1", 200), ("", 200),
    ("203.0.113.9", 403), ("10.0.0.1", 403), ("::2", 403), ("::ffff:203.0.113.9", 403), ("unknown", 403),
])  # fmt: skip
def test_while_nobody_has_to_authenticate_only_this_machine_may_call(address: str, status: int) -> None:
    got = call(SmallBridge(open=True), {}, REMOTE_ADDR=address)
    assert got.status == status
    assert call(SmallBridge(written=True), {}, REMOTE_ADDR=address).status == 200
    assert call(SmallBridge(), {}, REMOTE_ADDR=address).status == 200


def test_a_host_name_is_read_as_the_grammar_says() -> None:
    assert host_name("Example.COM:80") == "example.com"
    assert host_name("[FE80::1]:80") == "[fe80::1]"
    assert [host_name(text) for text in ("", "a b", "a:b", "a:123456", "[::1]x", "a\n", "é")] == [None] * 7


def test_an_address_that_is_none_is_not_this_machine() -> None:
    assert [is_loopback(text) for text in ("", "0.0.0.0", "::", "evil", "127.1", "127.0.0.1.evil")] == [False] * 6
