"""Health: live is open, ready shows strangers its status and callers what is behind it."""

from __future__ import annotations

import pytest

from bridge.web.app import create_app
from tests.support.small_bridge import TOKEN, SmallBridge
from tests.support.wsgi_client import ask

ANN = {"Authorization": f"Bearer {TOKEN}"}
DETAILS = {"status": "ready", "registry": {"name": "small"}, "backends": {"crm": {"state": "ok"}}}


def test_live_answers_whoever_asks_by_whatever_name() -> None:
    app = create_app(SmallBridge())
    for headers in ({}, {"Host": "evil.example"}, {"Origin": "null"}, {"Authorization": "x"}):
        got = ask(app, "GET", "/health/live", None, headers, REMOTE_ADDR="203.0.113.9")
        assert (got.status, got.json) == (200, {"status": "ok"})
        assert got.headers["cache-control"] == "no-store"


def test_ready_shows_a_caller_the_details() -> None:
    assert ask(create_app(SmallBridge()), "GET", "/health/ready", None, ANN).json == DETAILS
    assert ask(create_app(SmallBridge(open=True)), "GET", "/health/ready").json == DETAILS


@pytest.mark.parametrize("headers", [
    {}, {"Authorization": "Bearer wrong"}, ANN | {"Host": "evil.example"}, ANN | {"Origin": "http://evil.example"},
])  # fmt: skip
def test_ready_shows_anybody_else_the_status_alone(headers: dict[str, str]) -> None:
    got = ask(create_app(SmallBridge()), "GET", "/health/ready", None, headers)
    assert (got.status, got.json) == (200, {"status": "ready"})


def test_ready_shows_nothing_to_other_machines_while_nobody_has_to_authenticate() -> None:
    got = ask(create_app(SmallBridge(open=True)), "GET", "/health/ready", REMOTE_ADDR="203.0.113.9")
    assert got.json == {"status": "ready"}


def test_what_is_not_ready_is_a_503() -> None:
    bridge = SmallBridge()
    bridge.status = "starting"
    app = create_app(bridge)
    assert (ask(app, "GET", "/health/ready").status, ask(app, "GET", "/health/live").status) == (503, 200)


def test_health_is_asked_with_get_or_head() -> None:
    app = create_app(SmallBridge())
    for path in ("/health/live", "/health/ready"):
        assert ask(app, "HEAD", path).status == 200
        for method in ("POST", "PUT", "OPTIONS", "FROB"):
            got = ask(app, method, path)
            assert (got.status, got.headers["allow"]) == (405, "GET, HEAD")
            assert got.json["error"] == {"type": "INVALID_REQUEST", "message": "Use GET or HEAD here"}


def test_a_bug_in_health_is_a_500_in_json(capfd: pytest.CaptureFixture[str]) -> None:
    bridge = SmallBridge()
    bridge.health = None
    got = ask(create_app(bridge), "GET", "/health/ready", headers={"X-Request-Id": "r-2"})
    assert (got.status, got.json["error"]) == (500, {"type": "INTERNAL_ERROR", "message": "Internal error"})
    assert '"request_id": "r-2"' in capfd.readouterr().err
