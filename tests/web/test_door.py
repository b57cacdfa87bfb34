"""The door: one order of checks for every request, whoever carries it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Semaphore
from typing import Any

import pytest

from bridge.core.model import Call, Outcome
from bridge.web.app import create_app
from tests.support.small_bridge import TOKEN, SmallBridge
from tests.support.strict_json import Answered
from tests.support.wsgi_client import ask, environ

ANN = {"Authorization": f"Bearer {TOKEN}"}
ECHO = {"tool": "echo", "parameters": {"n": 1}}


class Untouchable:
    """A body that must not be read."""

    def read(self, *_: int) -> bytes:
        raise AssertionError("the body was read")


@pytest.fixture(params=[True, False], ids=["carrier", "flask"])
def carrier(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def app(carrier: bool) -> Any:
    return create_app(SmallBridge(carrier=carrier, max_body=1000))


def error_of(got: Answered) -> str:
    """Return the sentence of an error in the envelope of the path's protocol."""
    body = got.json
    assert body.keys() == {"status", "error"}, body
    return f"{body['error']['type']}: {body['error']['message']}"


def test_a_call_is_answered(app: Any) -> None:
    got = ask(app, "POST", "/api/execute", ECHO, ANN)
    assert (got.status, got.json) == (200, {"status": "success", "result": {"n": 1}})
    assert got.headers["content-type"] == "application/json"
    assert got.headers["content-length"] == str(len(got.body))


def test_every_answer_carries_an_id_the_version_and_no_sniffing(app: Any) -> None:
    asked = [
        ("POST", "/api/execute", ECHO, ANN),
        ("POST", "/api/execute", ECHO),
        ("GET", "/api/manifest", None, ANN),
        ("GET", "/nowhere"),
        ("GET", "/health/live"),
        ("GET", "/health/ready"),
        ("PUT", "/call"),
        ("PUT", "/health/live"),
        ("POST", "/call", b"{", ANN),
    ]
    for one in asked:
        got = ask(app, *one)
        assert len(got.headers["x-request-id"]) == 24, one
        assert got.headers["x-registry-version"] == "c0ffee", one
        assert got.headers["x-content-type-options"] == "nosniff", one
        assert "html" not in got.headers.get("content-type", ""), one


def test_answers_to_calls_and_errors_are_never_stored(app: Any) -> None:
    assert ask(app, "POST", "/api/execute", ECHO, ANN).headers["cache-control"] == "no-store"
    assert ask(app, "POST", "/call", b"{", ANN).headers["cache-control"] == "no-store"
    assert ask(app, "GET", "/tools").headers["cache-control"] == "no-store"
    assert ask(app, "GET", "/nowhere").headers["cache-control"] == "no-store"
    assert ask(app, "GET", "/tools", None, ANN).headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("given", ["a", "A-1._z", "x" * 128])
def test_a_sane_request_id_is_taken_over(app: Any, given: str) -> None:
    assert ask(app, headers={"X-Request-Id": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "a\nb", "é", "a/b", "<script>"])
def test_any_other_request_id_is_replaced(app: Any, given: str) -> None:
    assert ask(app, headers={"X-Request-Id": given}).headers["x-request-id"] != given


def test_request_ids_differ(app: Any) -> None:
    assert len({ask(app).headers["x-request-id"] for _ in range(100)}) == 100


def test_an_unknown_path_is_a_404_in_the_plain_envelope(app: Any) -> None:
    for path in ("/", "/api", "/api/execute/", "//api/execute", "/sets", "/sets/", "/sets/some", "/sets/some/nowhere", "/é"):
        for method in ("GET", "POST", "DELETE", "FROB"):
            got = ask(app, method, path, ECHO if method == "POST" else None, ANN)
            assert got.status == 404, (method, path)
            assert error_of(got) == "INVALID_REQUEST: Nothing is served at this path"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "FROB", "HEAD"])
def test_a_wrong_method_is_a_405_that_names_the_right_one(app: Any, method: str) -> None:
    for path in ("/call", "/sets/some/call"):
        got = ask(app, method, path)
        assert (got.status, got.headers["allow"]) == (405, "POST")
        if method != "HEAD":
            assert got.json == {"error": "Use POST here"}


def test_a_list_can_be_asked_for_its_headers_alone(app: Any) -> None:
    whole, head = ask(app, "GET", "/tools", None, ANN), ask(app, "HEAD", "/tools", None, ANN)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.body))
    assert head.headers["etag"] == whole.headers["etag"]
    assert ask(app, "POST", "/tools", ECHO).headers["allow"] == "GET, HEAD"


def test_each_protocol_words_the_error_of_its_own_path(app: Any) -> None:
    assert ask(app, "POST", "/call", ECHO).json == {"error": "Unauthorized"}
    assert error_of(ask(app, "POST", "/api/execute", ECHO)) == "UNAUTHORIZED: Unauthorized"


def test_a_stranger_learns_of_paths_and_methods_only_and_its_body_is_never_read(app: Any) -> None:
    untouched = {"wsgi.input": Untouchable(), "CONTENT_LENGTH": "999999", "CONTENT_TYPE": "text/html"}
    for path in ("/call", "/api/execute", "/sets/none/call", "/sets/some/api/execute"):
        got = ask(app, "POST", path, **untouched)
        assert got.status == 401, path
        assert got.headers["www-authenticate"].startswith("Bearer")
    for shown in ("Bearer wrong", "Bearer ", "Basic c2VzYW1l", f"Bearer {TOKEN},Bearer {TOKEN}", f"Bearer {TOKEN}, Bearer x"):
        assert ask(app, "POST", "/call", headers={"Authorization": shown}, **untouched).status == 401, shown


def test_an_unread_body_does_not_matter_where_the_answer_is_settled_before(app: Any) -> None:
    for asked, status in (
        (("POST", "/nowhere"), 404),
        (("PUT", "/call"), 405),
        (("GET", "/tools", None, ANN), 200),
        (("POST", "/call", None, ANN | {"Content-Type": "text/plain"}), 415),
        (("POST", "/call", None, ANN | {"Content-Type": "application/json", "Content-Length": "1001"}), 413),
    ):
        assert ask(app, *asked, **{"wsgi.input": Untouchable()}).status == status


@pytest.mark.parametrize("given", [
    "application/json", "APPLICATION/JSON", "application/json; charset=utf-8", 'application/json;charset="UTF-8"',
    "application/json; profile=x", "application/vnd.api+json", "application/problem+json; charset=utf8",
])  # fmt: skip
def test_json_may_be_declared_as_the_standards_allow(app: Any, given: str) -> None:
    assert ask(app, "POST", "/call", {"name": "echo"}, ANN | {"Content-Type": given}).status == 200


@pytest.mark.parametrize("given", [
    "", "text/plain", "text/json", "application/json;charset=utf-7", "application/json; charset=utf-16", "application/",
    "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "application/jsonx", "json", "+json", "application/+jsonx",
    "application/json, text/plain", "application/json,application/json",
])  # fmt: skip
def test_a_body_that_is_not_declared_as_json_is_refused(app: Any, given: str) -> None:
    got = ask(app, "POST", "/call", {"name": "echo"}, ANN | {"Content-Type": given})
    assert (got.status, got.json) == (415, {"error": "Send the body as application/json"})


@pytest.mark.parametrize("given", ["gzip", "deflate", "br", "gzip, identity", "x"])
def test_a_compressed_body_is_refused(app: Any, given: str) -> None:
    got = ask(app, "POST", "/call", {"name": "echo"}, ANN | {"Content-Encoding": given})
    assert (got.status, got.json) == (415, {"error": "Send the body uncompressed"})


def body_of(size: int) -> bytes:
    """Return a call of exactly `size` bytes."""
    frame = json.dumps({"name": "echo", "arguments": {"x": ""}}).encode()
    return frame[:-3] + b"y" * (size - len(frame)) + frame[-3:]


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("size", "status"), [(999, 200), (1000, 200), (1001, 413), (5000, 413)])
def test_the_limit_is_exact_with_a_length_and_without(app: Any, chunked: bool, size: int, status: int) -> None:
    more = {"CONTENT_LENGTH": ""} if chunked else {}
    got = ask(app, "POST", "/call", body_of(size), ANN, **more)
    assert got.status == status
    if status == 413:
        assert got.json == {"error": "The request body is larger than 1000 bytes"}


@pytest.mark.parametrize("declared", ["-1", "+5", "0x5", "1e3", "five", "9" * 5000, "²"])
def test_a_content_length_that_is_no_number_is_too_large(app: Any, declared: str) -> None:
    assert ask(app, "POST", "/call", body_of(500), ANN, CONTENT_LENGTH=declared).status == 413


def test_a_body_shorter_than_declared_is_a_400(app: Any) -> None:
    got = ask(app, "POST", "/call", b'{"name": "echo"}', ANN, CONTENT_LENGTH="17")
    assert (got.status, got.json) == (400, {"error": "The request body ended before its Content-Length"})


def test_a_body_that_breaks_off_is_a_400_whatever_the_server_raises(app: Any) -> None:
    class Broken:
        def read(self, *_: int) -> bytes:
            raise OSError("the peer is gone")

    got = ask(app, "POST", "/call", b"{}", ANN, **{"wsgi.input": Broken()})
    assert (got.status, got.json) == (400, {"error": "The request body came broken, cut off or too slowly"})


def test_a_body_that_comes_in_small_pieces_is_put_together(app: Any) -> None:
    class Drip:
        def __init__(self, body: bytes) -> None:
            self.pieces: Iterator[int] = iter(body)

        def read(self, *_: int) -> bytes:
            return bytes([piece]) if (piece := next(self.pieces, None)) is not None else b""

    body = b'{"name": "echo"}'
    assert ask(app, "POST", "/call", body, ANN, **{"wsgi.input": Drip(body)}).status == 200


@pytest.mark.parametrize("body", [b"", b"{", b"nope", b"[1", b"\xff", b'{"name": "echo", "name": "echo"}', b"NaN", b"[" * 900])
def test_a_body_that_is_not_strict_json_is_a_400(app: Any, body: bytes) -> None:
    got = ask(app, "POST", "/call", body, ANN)
    assert got.status == 400
    assert got.json.keys() == {"error"}


def test_a_call_under_a_toolset_names_it(carrier: bool) -> None:
    seen: list[Call] = []

    def run(call: Call) -> Outcome:
        seen.append(call)
        return Outcome(result=1)

    app = create_app(SmallBridge(run, carrier=carrier))
    assert ask(app, "POST", "/sets/some/api/execute", ECHO, ANN).status == 200
    assert ask(app, "POST", "/api/execute", ECHO, ANN).status == 200
    assert [call.toolset for call in seen] == ["some", None]


def test_an_unknown_toolset_is_a_404_and_never_the_whole_list(app: Any) -> None:
    for toolset in ("none", "", "..", "some%2F", "Some", "some "):
        for method, path in (("GET", "tools"), ("POST", "call"), ("GET", "api/manifest"), ("POST", "api/execute")):
            got = ask(app, method, f"/sets/{toolset}/{path}", {} if method == "POST" else None, ANN)
            assert got.status == 404, (toolset, path)
            assert b"echo" not in got.body
    assert b"echo" in ask(app, "GET", "/sets/some/tools", None, ANN).body


def test_a_caller_of_one_toolset_cannot_ask_for_another() -> None:
    bridge = SmallBridge()
    bridge.current.registry.toolsets["other"] = frozenset({"sleep"})
    app, bob = create_app(bridge), {"Authorization": "Bearer only-some"}
    assert ask(app, "GET", "/sets/some/tools", None, bob).status == 200
    assert ask(app, "GET", "/sets/other/tools", None, bob).status == 404
    assert ask(app, "GET", "/sets/other/tools", None, ANN).status == 200


def test_a_bug_is_a_500_that_says_nothing_and_a_log_line_that_says_all(
    carrier: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    def run(call: Call) -> Outcome:
        raise LookupError(f"a bug\nwith {call.arguments}")

    app = create_app(SmallBridge(run, carrier=carrier))
    got = ask(app, "POST", "/call", {"name": "echo", "arguments": {"a": "secret"}}, ANN | {"X-Request-Id": "r-1"})
    assert (got.status, got.json) == (500, {"error": "Internal error"})
    (line,) = capfd.readouterr().err.splitlines()
    logged = json.loads(line)
    assert (logged["event"], logged["request_id"]) == ("internal_error", "r-1")
    assert "LookupError: a bug" in logged["traceback"]


def test_old_clients_get_200_where_the_setting_says_so() -> None:
    app = create_app(SmallBridge(manifest_error_status=200, max_body=100))
    assert ask(app, "POST", "/sets/none/api/execute", ECHO, ANN).status == 200
    assert ask(app, "POST", "/api/execute", ECHO).status == 401
    assert ask(app, "POST", "/api/execute", b"{", ANN).status == 400
    assert ask(app, "POST", "/api/execute", b"x" * 101, ANN).status == 413


@pytest.mark.parametrize(("given", "kept"), [
    ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", True),
    ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", True),
    ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", False),
    ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", False),
    ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", False),
    ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", False),
    ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n", False),
    ("x", False), ("", False),
])  # fmt: skip
def test_a_trace_is_continued_if_it_is_one(given: str, kept: bool) -> None:
    seen: list[str | None] = []

    def run(call: Call) -> Outcome:
        seen.append(call.traceparent)
        return Outcome(result=1)

    ask(create_app(SmallBridge(run)), "POST", "/call", {"name": "echo"}, ANN | {"traceparent": given})
    assert seen == [given if kept else None]


def test_with_every_slot_taken_the_next_call_is_refused_at_once_and_lists_and_health_are_not(carrier: bool) -> None:
    arrived, release = Semaphore(0), Event()

    def run(_: Call) -> Outcome:
        arrived.release()
        assert release.wait(20)
        return Outcome(result=1)

    app = create_app(SmallBridge(run, carrier=carrier, threads=7))
    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(ask, app, "POST", "/call", {"name": "echo"}, ANN) for _ in range(3)]
        try:
            for _ in calls:
                assert arrived.acquire(timeout=20)
            refused = ask(app, "POST", "/call", headers=ANN, **{"wsgi.input": Untouchable()})
            assert (refused.status, refused.headers["retry-after"]) == (503, "1")
            assert refused.json == {"error": "Too many calls at once; try again in a moment"}
            assert ask(app, "GET", "/tools", None, ANN).status == 200
            assert ask(app, "GET", "/health/live").status == 200
        finally:
            release.set()
        assert [call.result().status for call in calls] == [200, 200, 200]
    assert ask(app, "POST", "/call", {"name": "echo"}, ANN).status == 200


def test_a_slot_comes_back_however_its_call_ended() -> None:
    def run(call: Call) -> Outcome:
        if call.arguments:
            raise LookupError
        return Outcome(result=1)

    app = create_app(SmallBridge(run, threads=5))
    for body, status in ((b"{", 400), ({"name": "echo", "arguments": {"a": 1}}, 500), ({"name": 1}, 400), ({"name": "echo"}, 200)):
        assert ask(app, "POST", "/call", body, ANN).status == status


@pytest.mark.owes("G4")
def test_a_request_keeps_the_registry_it_began_with() -> None:
    bridge = SmallBridge(lambda _: (setattr(bridge, "current", newer.current), Outcome(result=1))[1])
    newer = SmallBridge(version="newer")
    app = create_app(bridge)
    assert ask(app, "POST", "/call", {"name": "echo"}, ANN).headers["x-registry-version"] == "c0ffee"
    assert ask(app, "POST", "/call", {"name": "echo"}, ANN).headers["x-registry-version"] == "newer"


def test_both_carriers_answer_with_the_same_bytes() -> None:
    fast, slow = (create_app(SmallBridge(carrier=on, max_body=1000)) for on in (True, False))
    for asked in (
        ("POST", "/api/execute", ECHO, ANN), ("POST", "/call", {"name": "echo"}, ANN), ("POST", "/mcp/call", {"name": "e"}, ANN),
        ("POST", "/sets/some/call", {"name": "echo"}, ANN), ("POST", "/sets/none/call", {"name": "echo"}, ANN),
        ("POST", "/call", b"{", ANN), ("POST", "/call", {}), ("POST", "/call", b"x" * 2000, ANN), ("POST", "/call", {}, ANN),
        ("POST", "/call", {}, ANN | {"Host": "evil"}), ("POST", "/call", {}, ANN | {"Origin": "http://evil"}),
        ("POST", "/call", {}, ANN | {"Content-Type": "text/html"}),
    ):  # fmt: skip
        method, path, body, *headers = asked
        got = [ask(app, method, path, body, {"X-Request-Id": "r", **(headers[0] if headers else {})}) for app in (fast, slow)]
        assert got[0] == got[1], asked


def test_the_first_request_of_a_process_starts_the_bridge_once() -> None:
    bridge = SmallBridge()
    app = create_app(bridge)
    assert bridge.started == 0
    for _ in range(3):
        ask(app, "GET", "/health/live")
    assert bridge.started == 1


def test_an_environ_without_what_only_gunicorn_knows_is_served() -> None:
    plain = environ("POST", "/call", {"name": "echo"}, ANN)
    for name in ("RAW_URI", "wsgi.input_terminated", "REMOTE_ADDR"):
        del plain[name]
    started: list[str] = []
    create_app(SmallBridge())(plain, lambda status, *_: started.append(status))
    assert started == ["200 OK"]
