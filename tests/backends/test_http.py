from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bridge.errors import BackendUnavailable, InvalidParameters, OutcomeUnknown
from tests.support.fault_server import CLOSE, FaultServer, answer
from tests.support.http_tool import CALLER, HttpCall

JSON = ("Content-Type", "application/json")
OK = answer(200, b'{"ok": true}', JSON)


@pytest.fixture
def server():
    with FaultServer() as running:
        running.on("*", OK)
        yield running


def sent(server):
    return server.requests[-1]


def test_a_path_parameter_stands_where_the_template_names_it(server):
    with HttpCall(server.url("/v1"), "GET /orders/{id}", {"id": {}}) as call:
        assert call(id="a b/c?".replace("/", "")).body == {"ok": True}
    assert (sent(server).method, sent(server).target) == ("GET", "/v1/orders/a%20bc%3F")


@pytest.mark.parametrize(
    ("method", "where"),
    [("GET", "query"), ("DELETE", "query"), ("HEAD", "query"), ("POST", "body"), ("PUT", "body"), ("PATCH", "body")],
)
def test_what_the_call_does_not_name_goes_to_the_body_or_the_query_by_the_method(server, method, where):
    with HttpCall(server.url(), f"{method} /x", {"a": {}, "b": {"wire": "B"}}) as call:
        call(a="1 2", b=3)
    if where == "query":
        assert sent(server).target == "/x?a=1%202&B=3"
    else:
        assert json.loads(sent(server).body) == {"a": "1 2", "B": 3}
        assert sent(server).header("content-type") == "application/json"


def test_a_parameter_named_by_hand_is_not_placed_again(server):
    call = {"method": "POST", "path": "/x/{id}{?v}", "headers": {"X-H": "${{ params.h }}"}}
    with HttpCall(server.url(), call, {"id": {}, "v": {}, "h": {}, "rest": {}}) as prepared:
        prepared(id="1", v="2", h="3", rest="4")
    assert sent(server).target == "/x/1?v=2"
    assert sent(server).header("x-h") == "3"
    assert json.loads(sent(server).body) == {"rest": "4"}


def test_in_says_where_a_parameter_goes(server):
    parameters = {
        "q": {"place": "query"},
        "h": {"place": "header", "wire": "X-H"},
        "b": {"place": "body"},
        "n": {"place": "none"},
    }
    with HttpCall(server.url(), "POST /x", parameters) as call:
        call(q=True, h=1.5, b=[1], n="nowhere")
    assert sent(server).target == "/x?q=true"
    assert sent(server).header("x-h") == "1.5"
    assert json.loads(sent(server).body) == {"b": [1]}


def test_the_first_alternative_whose_condition_holds_is_taken(server):
    call = [{"when": "params.id", "path": "/c/{id}"}, {"when": "params.email", "path": "/c/search{?email}"}]
    with HttpCall(server.url(), call, {"id": {"optional": True}, "email": {"optional": True}}) as prepared:
        prepared(id="7", email="x@y")
        prepared(email="x@y")
        with pytest.raises(InvalidParameters):
            prepared()
    assert [request.target for request in server.requests] == ["/c/7", "/c/search?email=x%40y"]


@pytest.mark.parametrize(("nulls", "kept"), [("drop", {"c": 1}), ("keep", {"a": None, "c": 1})])
def test_nulls_are_left_out_unless_they_are_kept_and_absent_ones_always(server, nulls, kept):
    body = {"a": "${{ params.a }}", "b": "${{ params.b }}", "c": "${{ params.c }}"}
    parameters = {name: {"optional": True} for name in "abc"}
    for call in ({"json": body}, {}):
        with HttpCall(server.url(), {"method": "POST", "path": "/x", "nulls": nulls, **call}, parameters) as prepared:
            prepared(a=None, c=1)
        assert json.loads(sent(server).body) == kept


def test_a_form_is_encoded_and_nested_objects_are_spelled_with_brackets(server):
    call = {"method": "POST", "path": "/x", "form": {"a": "${{ params.a }}", "o": {"k": "v&w=1"}}, "arrays": "brackets"}
    with HttpCall(server.url(), call, {"a": {}}) as prepared:
        prepared(a=["1", "2"])
    assert sent(server).body == b"a%5B%5D=1&a%5B%5D=2&o%5Bk%5D=v%26w%3D1"
    assert sent(server).header("content-type") == "application/x-www-form-urlencoded"


def test_a_text_body_is_sent_as_it_is(server):
    with HttpCall(server.url(), {"method": "POST", "path": "/x", "text": "Hello ${{ params.n }}"}, {"n": {}}) as call:
        call(n="Zoë")
    assert sent(server).body == "Hello Zoë".encode()


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"type": "bearer", "token": "t0"}, "Authorization", "Bearer t0"),
        ({"type": "basic", "username": "u", "password": "p:w"}, "Authorization", "Basic dTpwOnc="),
        ({"type": "api_key", "key": "k", "header": "X-Key"}, "X-Key", "k"),
        ({"type": "none"}, "Authorization", None),
    ],
)
def test_credentials_go_out_as_declared_and_are_masked_when_explained(server, auth, header, value):
    with HttpCall(server.url(), "GET /x", auth=auth) as call:
        call()
        shown = json.dumps(call.tool.explain(call.accepted({})))
    assert sent(server).header(header) == value
    assert value is None or value.split()[-1] not in shown


def test_an_api_key_in_the_query_goes_out_whole_and_is_masked_when_explained(server):
    auth = {"type": "api_key", "key": "k&x=1", "query": "key"}
    with HttpCall(server.url(), "GET /x{?q}", {"q": {}}, auth=auth) as call:
        call(q="1")
        assert "k%26x" not in json.dumps(call.tool.explain(call.accepted({"q": "1"})))
    assert sent(server).target == "/x?q=1&key=k%26x%3D1"


class Rotating:
    def __init__(self):
        self.value = "one"

    def read(self):
        return self.value


def test_a_late_credential_is_read_for_every_request(server):
    token = Rotating()
    with HttpCall(server.url(), "GET /x", auth={"type": "bearer", "token": token}, headers={"X-L": token}) as call:
        call()
        token.value = "two"
        call()
    assert [request.header("authorization") for request in server.requests] == ["Bearer one", "Bearer two"]
    assert sent(server).header("x-l") == "two"


def test_headers_of_the_call_win_over_those_of_the_backend(server):
    call = {"path": "/x", "headers": {"x-client": "call", "Accept": "text/csv"}}
    with HttpCall(server.url(), call, headers={"X-Client": "backend", "X-Other": "o"}) as prepared:
        prepared()
    assert sent(server).header("x-client") == "call"
    assert sent(server).header("accept") == "text/csv"
    assert sent(server).header("x-other") == "o"


def test_a_number_is_spelled_alike_wherever_it_goes(server):
    call = {"method": "POST", "path": "/x/{n}{?n}", "headers": {"X-N": "${{ params.n }}"}, "text": "${{ params.n }}"}
    with HttpCall(server.url(), call, {"n": {}}) as prepared:
        for number in (5, -0.0, 5.0, 3.5e-05, 1e22, 2**53, True):
            prepared(n=number)
            spelled = sent(server).header("x-n")
            assert json.loads(spelled) == number
            assert sent(server).target == f"/x/{spelled}?n={spelled}".replace("+", "%2B")
            assert sent(server).body == spelled.encode()


@pytest.mark.owes("C3")
@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0b", "zoë", "x" * 10_240, {"a": 1}, [1]])
def test_what_no_header_can_carry_is_refused_before_any_connection(server, value):
    with HttpCall(server.url(), "GET /x", {"h": {"place": "header"}}) as call, pytest.raises(InvalidParameters):
        call(h=value)
    assert server.accepted == 0


def test_the_trace_is_continued_and_nothing_else_of_the_caller(server):
    with HttpCall(server.url(), "GET /x") as call:
        accepted = call.accepted({})
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        call.tool.execute(replace(accepted, call=replace(accepted.call, traceparent=trace)))
    assert sent(server).header("traceparent") == trace
    assert CALLER.id not in sent(server).raw.decode("latin-1")


@pytest.mark.parametrize("status", [200, 201, 204, 299, 300, 302, 400, 404, 500])
def test_success_is_2xx_by_default(server, status):
    server.on("/x", answer(status, b"" if status == 204 else b"{}", JSON))
    with HttpCall(server.url(), "GET /x") as call:
        assert call().success is (200 <= status < 300)


def test_success_can_be_statuses_or_a_condition(server):
    server.on("/x", answer(202, b'{"state": "done"}', JSON))
    for wanted, verdict in (([201], False), ([201, 202], True), ("body.state == 'done'", True), ("status == `200`", False)):
        with HttpCall(server.url(), {"path": "/x", "success": wanted}) as call:
            assert call().success is verdict


@pytest.mark.owes("I4")
@pytest.mark.parametrize(
    ("content_type", "body", "read", "broken"),
    [
        ("application/json", b'{"a": 1}', {"a": 1}, False),
        ("application/problem+json; charset=utf-8", b"[1]", [1], False),
        ("application/json", b"", None, False),
        ("text/plain", b'{"a": 1}', '{"a": 1}', False),
        ("text/plain; charset=iso-8859-1", b"\xe9", "é", False),
        ("", b' {"a": 1}', {"a": 1}, False),
        ("", b"plain", "plain", False),
        ("application/json", b'{"a": NaN}', None, True),
        ("application/json", b'{"a": 1, "a": 2}', None, True),
        ("application/json", b"{", None, True),
        ("application/json", b"\xef\xbb\xbf{}", None, True),
        ("text/html; charset=utf-8", b"<html>", None, True),
        ("text/plain; charset=nonsense", b"x", None, True),
        ("text/plain; charset=undefined", b"x", None, True),
        ("text/plain; charset=idna", b"xn--a", None, True),
        ("text/plain; charset=punycode", b"b9" * 400_000, None, True),
        ("text/plain; charset=unicode_escape", b"\\x41", None, True),
        ("text/plain; charset=zlib_codec", b"x", None, True),
        ('text/plain; charset="Windows-1252"', b"\x80", "\u20ac", False),
        ("application/octet-stream", b"\xff\xfe", None, True),
    ],
)
def test_an_answer_is_read_by_its_content_type(server, content_type, body, read, broken):
    headers = (("Content-Type", content_type),) if content_type else ()
    server.on("/x", answer(200, body, *headers))
    with HttpCall(server.url(), "GET /x") as call:
        result = call()
    assert bool(result.broken) is broken
    if not broken:
        assert result.body == read


def test_a_write_by_method_can_be_declared_a_read(server):
    server.on("/x", CLOSE)
    with HttpCall(server.url(), "POST /x") as call, pytest.raises(OutcomeUnknown):
        call()
    with HttpCall(server.url(), "POST /x", read_only=True) as call, pytest.raises(BackendUnavailable):
        call()


def test_health_tells_how_the_last_request_went(server):
    server.on("/bad", CLOSE)
    with HttpCall(server.url(), [{"when": "params.bad", "path": "/bad"}, {"path": "/x"}], {"bad": {"optional": True}}) as call:
        assert call.backend.health()["state"] == "unknown"
        call()
        assert call.backend.health() == {"state": "ok"}
        with pytest.raises(BackendUnavailable):
            call(bad=True)
        assert call.backend.health()["state"] == "failing"


@pytest.mark.parametrize(
    ("call", "parameters", "sentence"),
    [
        ("FETCH /x", {}, "write `METHOD /path`, with one of the methods GET, HEAD, POST, PUT, PATCH, DELETE"),
        (None, {}, "write a `call`: `METHOD /path`, or a mapping with a `path`"),
        ("GET /x/{idd}", {"id": {}}, "no parameter is called 'idd' (did you mean 'id'?)"),
        ({"path": "/x", "json": {}}, {}, "a body needs a `method` of POST, PUT, PATCH or DELETE"),
        ({"method": "POST", "path": "/x", "json": {}, "form": {}}, {}, "a call has one body: `json` or `form`, not both"),
        ({"path": "/x", "headers": {"Host": "evil"}}, {}, "the header Host belongs to the connection and cannot be set"),
        (
            {"method": "POST", "path": "/x", "json": {"a": 1}},
            {"b": {}},
            "parameter 'b' goes nowhere; place it, or write `in: none` if that is meant",
        ),
        ({"path": "/x", "query": {"a": "1"}}, {"b": {}}, "parameter 'b' goes nowhere; place it, or write `in: none` if that is meant"),
        ("GET /x", {"p": {"place": "path"}}, "parameter 'p' is `in: path`, but the path does not name it"),
        ("GET /x", {"b": {"place": "body"}}, "parameter 'b' is `in: body`, but this call has no body of parameters"),
        (
            [{"path": "/a"}, {"path": "/b"}],
            {},
            "this alternative has no `when`, so those after it can never be reached",
        ),
    ],
)
def test_a_mistake_in_a_call_is_found_at_load(call, parameters, sentence):
    assert HttpCall("http://h.example", call, parameters).mistakes == [sentence]


@pytest.mark.owes("C4")
@pytest.mark.parametrize(
    "base_url",
    ["ftp://h", "//h", "http://", "http://u:p@h", "http://h?x=1", "http://h#f", "http://{host}/", "http://h/a b", "h.example", "http://[::1", "http://h:99999", "http://h:x", "http://h:0", "http://zoë.example", "http://h\\@evil", "http://h/\t"],
)
def test_a_base_url_is_fixed_and_holds_no_credentials(base_url):
    assert HttpCall(base_url, "GET /x").mistakes


def test_a_name_for_one_thing_is_enough():
    assert HttpCall("http://h.example", "GET /x", auth={"type": "api_key", "key": "k"}).mistakes
    assert HttpCall("http://h.example", "GET /x", auth={"type": "bearer", "token": "a\nb"}).mistakes
    assert HttpCall("http://h.example", "GET /x", headers={"Content-Length": "1"}).mistakes
    assert HttpCall("http://h.example", "GET /x", headers={"X: y\r\nZ": "1"}).mistakes
    assert HttpCall("http://h.example", "GET /x", auth={"type": "api_key", "key": "k", "header": "Host"}).mistakes
    assert HttpCall("http://h.example", "GET /x", {"h": {"place": "header", "wire": "X Y"}}).mistakes
    assert HttpCall("http://h.example", {"path": "/x", "headers": {"a b": "1"}}).mistakes
    assert HttpCall("http://h.example", {"path": "/x", "headers": {"X-A": "a\nb"}}).mistakes


def test_an_optional_parameter_in_the_last_alternative_is_a_warning():
    call = [{"when": "params.id", "path": "/c/{id}"}, {"path": "/c{?email}"}]
    warned = HttpCall("http://h.example", call, {"id": {"optional": True}, "email": {"optional": True}}).warnings
    assert warned == ["the optional 'email' may be absent here; a `when` would say what is meant"]


BEARER = {"type": "bearer", "token": "t"}
IN_QUERY = {"type": "api_key", "key": "k", "query": "key"}


@pytest.mark.parametrize(
    ("call", "parameters", "options", "sentence"),
    [
        (
            {"path": "/x", "headers": {"authorization": "mine"}},
            {},
            {"auth": BEARER},
            "the header 'authorization' carries the backend's credential; a call cannot set it",
        ),
        (
            "GET /x",
            {"h": {"place": "header", "wire": "Authorization"}},
            {"auth": BEARER},
            "the header 'authorization' carries the backend's credential; a call cannot set it",
        ),
        (
            "GET /x",
            {},
            {"auth": BEARER, "headers": {"Authorization": "x"}},
            "the header Authorization carries the credential of `auth`",
        ),
        (
            "GET /x{?key}",
            {"key": {}},
            {"auth": IN_QUERY},
            "the query's 'key' carries the backend's credential; a call cannot set it",
        ),
        ("GET /x", {"a": {"wire": "key"}}, {"auth": IN_QUERY}, "the query's 'key' carries the backend's credential; a call cannot set it"),
        ("GET /x", {"a": {"place": "header", "wire": "X-A"}, "b": {"place": "header", "wire": "x-a"}}, {}, "the header 'x-a' would be sent twice"),
        ("GET /x", {"a": {"wire": "z"}, "b": {"wire": "z"}}, {}, "the query's 'z' would be sent twice"),
        ("POST /x", {"a": {"wire": "z"}, "b": {"wire": "z"}}, {}, "the body's 'z' would be sent twice"),
        ({"path": "/x?q=1", "query": {"q": "2"}}, {}, {}, "the query's 'q' would be sent twice"),
        ("GET /x?q=1{&q}", {"q": {}}, {}, "the query's 'q' would be sent twice"),
    ],
)
def test_no_name_is_used_twice_and_a_credentials_name_by_nobody_else(call, parameters, options, sentence):
    assert HttpCall("http://h.example", call, parameters, **options).mistakes == [sentence]


def test_the_backends_header_stays_where_the_calls_own_is_absent(server):
    parameters = {"language": {"place": "header", "wire": "accept-language", "optional": True}}
    with HttpCall(server.url(), "GET /x", parameters, headers={"Accept-Language": "en"}) as call:
        call()
        assert sent(server).header("accept-language") == "en"
        call(language="fr")
        assert sent(server).header("accept-language") == "fr"


def test_a_credential_that_cannot_be_sent_is_the_operators_matter(server):
    token = Rotating()
    with HttpCall(server.url(), "GET /x", auth={"type": "bearer", "token": token}, headers={"X-L": token}) as call:
        call()
        token.value = "zwei\nZeilen"
        with pytest.raises(BackendUnavailable):
            call()
