"""Both JSON protocols over a socket, against gunicorn with two workers, in front of a backend that misbehaves as told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fault_server import CLOSE, FaultServer, answer, eventually
from tests.support.server import Server, serving

JSON = ("Content-Type", "application/json")
TOKEN, READER, CANARY = "token-of-the-assistant", "token-of-the-reader", "canary-backend-key"

REGISTRY = """
bridge: 1
name: desk
description: A small desk.
backends:
  crm:
    type: http
    base_url: ${CRM_URL}/v1
    auth: {type: bearer, token: "${CRM_KEY}"}
    errors:
      404: {code: NOT_FOUND, message: "Customer ${{ params.id }} not found"}
  gone: {type: http, base_url: 'http://127.0.0.1:9'}
tools:
  zeta:
    description: Get one customer.
    backend: crm
    parameters: {id: {type: string, minLength: 1}}
    call: GET /customers/{id}
    output_schema: {type: object}
  alpha:
    description: Write a note.
    backend: crm
    parameters:
      sessionId: string
      message: {type: string, maxLength: 10}
      count: {type: integer, default: 3}
      level: {enum: [low, high], default: low}
    call: POST /notes
    scopes: [notes:write]
    aliases: [old_alpha]
  hidden: {description: Nobody sees it., backend: crm, internal: true, call: GET /hidden}
  away: {description: Nobody is there., backend: gone, call: GET /x}
  broken: {description: Answers nonsense., backend: crm, call: GET /broken}
  lost: {description: Its answer never comes., backend: crm, call: POST /lost}
callers:
  assistant: {token: '${ASSISTANT_TOKEN}', scopes: ['notes:write']}
  reader: {token: '${READER_TOKEN}'}
"""


@pytest.fixture(scope="module")
def crm() -> Iterator[FaultServer]:
    with FaultServer() as server:
        server.on("/v1/customers/1", answer(200, b'{"id": "1", "name": "Ann"}', JSON))
        server.on("/v1/notes", lambda connection: connection.send(answer(201, connection.request.body, JSON)))
        server.on("/v1/broken", answer(200, b"<html>Traceback (most recent call last)", ("Content-Type", "text/html")))
        server.on("/v1/lost", CLOSE)
        server.on("*", answer(404, b'{"error": "no such thing, says the vendor"}', JSON))
        yield server


@pytest.fixture(autouse=True)
def hang_up(crm: FaultServer) -> Iterator[None]:
    yield
    crm.hang_up()


@pytest.fixture(scope="module", params=["carrier", "flask"])
def server(request, crm: FaultServer, tmp_path_factory) -> Iterator[Server]:
    registry: Path = tmp_path_factory.mktemp("desk") / "desk.yaml"
    registry.write_text(REGISTRY)
    env = {"CRM_URL": crm.url("").rstrip("/"), "CRM_KEY": CANARY, "ASSISTANT_TOKEN": TOKEN, "READER_TOKEN": READER}
    carrier = "on" if request.param == "carrier" else "off"
    with serving(registry, env=env | {"TOOLBRIDGE_CARRIER": carrier}) as running:
        yield running


def get(server: Server, path: str, token: str | None = TOKEN, **headers: str):
    return server.request("GET", path, **({"Authorization": f"Bearer {token}"} if token else {}), **headers)


def post(server: Server, path: str, body: object, token: str | None = TOKEN, **headers: str):
    return server.request("POST", path, body, **({"Authorization": f"Bearer {token}"} if token else {}), **headers)


def execute(server: Server, tool: str, parameters: object = None, **members: object):
    given = {} if parameters is None else {"parameters": parameters}
    return post(server, "/api/execute", {"tool": tool, **given, **members})


def call(server: Server, name: str, arguments: object = None, path: str = "/call"):
    return post(server, path, {"name": name} | ({} if arguments is None else {"arguments": arguments}))


@pytest.mark.owes("manifest.keys", "manifest.tool_keys", "manifest.order", "manifest.output_schema")
def test_the_manifest_has_exactly_the_promised_members_in_the_registrys_order(server):
    manifest = get(server, "/api/manifest").json
    assert list(manifest) == ["schema_version", "metadata", "tools"]
    assert manifest["schema_version"] == "202206"
    assert manifest["metadata"] == {"name": "desk", "description": "A small desk."}
    assert [tool["name"] for tool in manifest["tools"]] == ["zeta", "alpha", "away", "broken", "lost"]
    for tool in manifest["tools"]:
        assert list(tool) == ["name", "description", "input_schema", "output_schema"]
        assert tool["output_schema"] == {"type": "object"}
    assert manifest["tools"][1]["input_schema"] == {
        "type": "object",
        "properties": {
            "sessionId": {"type": "string"},
            "message": {"type": "string", "maxLength": 10},
            "count": {"type": "integer", "default": 3},
            "level": {"enum": ["low", "high"], "default": "low"},
        },
        "required": ["sessionId", "message"],
        "additionalProperties": False,
    }


@pytest.mark.owes("manifest.etag")
@pytest.mark.parametrize("path", ["/api/manifest", "/tools"])
def test_a_list_that_the_client_has_already_is_not_sent_again(server, path):
    first = get(server, path)
    assert first.headers["cache-control"] == "private, no-cache"
    assert "authorization" in first.headers["vary"].lower()
    etag = first.headers["etag"]
    for known in (etag, f'"x", {etag}', f"W/{etag}", "*"):
        again = get(server, path, If_None_Match=known)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)
    assert get(server, path, If_None_Match='"other"').status == 200


def test_two_callers_with_two_views_have_two_lists_and_two_etags(server):
    all_, few = get(server, "/tools"), get(server, "/tools", READER)
    assert {tool["name"] for tool in all_.json["tools"]} - {tool["name"] for tool in few.json["tools"]} == {"alpha"}
    assert all_.headers["etag"] != few.headers["etag"]


@pytest.mark.owes("execute.success")
def test_a_success_is_exactly_status_and_result(server):
    reply = execute(server, "zeta", {"id": "1"})
    assert (reply.status, reply.body) == (200, b'{"status":"success","result":{"id":"1","name":"Ann"}}')


@pytest.mark.owes("execute.error", "execute.statuses")
def test_an_error_is_exactly_type_and_message(server):
    reply = execute(server, "zeta", {"id": "2"})
    assert reply.status == 404
    assert reply.json == {"status": "error", "error": {"type": "NOT_FOUND", "message": "Customer 2 not found"}}


@pytest.mark.owes("execute.no_parameters")
def test_absent_parameters_mean_none(server):
    assert execute(server, "broken").json["error"]["type"] == "INVALID_RESULT"
    assert execute(server, "zeta").json["error"]["message"] == "Missing required parameter 'id'"


@pytest.mark.owes("execute.missing", "execute.all_mistakes")
def test_every_invalid_parameter_is_named_at_once(server, crm):
    before = len(crm.requests)
    reply = execute(server, "alpha", {"message": "far too long", "count": True, "level": "mid", "extra": 1})
    error = reply.json["error"]
    assert reply.status == 400
    assert error["type"] == "INVALID_PARAMETERS"
    sentences = error["message"].split("; ")
    assert "Missing required parameter 'sessionId'" in sentences
    assert len(sentences) == len(error["details"]) == 5
    assert {detail["path"] for detail in error["details"]} == {"/sessionId", "/message", "/count", "/level", "/extra"}
    assert execute(server, "alpha", {"message": "m"}).json["error"]["message"] == "Missing required parameter 'sessionId'"
    assert len(crm.requests) == before


def test_defaults_are_filled_in_and_whole_floats_become_integers(server):
    reply = execute(server, "alpha", {"sessionId": "s", "message": "m", "count": 5.0})
    assert reply.json["result"] == {"sessionId": "s", "message": "m", "count": 5, "level": "low"}
    assert execute(server, "alpha", {"sessionId": "s", "message": "m"}).json["result"]["count"] == 3


@pytest.mark.owes("execute.members")
@pytest.mark.parametrize(
    "body",
    [[], "x", None, 1, {}, {"tool": 1}, {"tool": "zeta", "parameters": []}, {"tool": "zeta", "args": {}}, {"tool": None}],
)
def test_a_body_that_is_no_call_is_refused(server, body):
    reply = post(server, "/api/execute", json.dumps(body).encode(), Content_Type="application/json")
    assert reply.status == 400
    assert reply.json["error"]["type"] == "INVALID_REQUEST"
    assert set(reply.json) == {"status", "error"}


@pytest.mark.owes("execute.options")
def test_an_option_may_stand_in_the_body_or_in_its_header_but_not_differently(server):
    body = {"tool": "zeta", "parameters": {"id": "1"}, "conversation": "c1"}
    assert post(server, "/api/execute", body).status == 200
    assert post(server, "/api/execute", body, X_Conversation_Id="c1").status == 200
    assert post(server, "/api/execute", body, X_Conversation_Id="c2").status == 400
    assert post(server, "/api/execute", body | {"idempotency_key": "k"}).status == 400
    assert post(server, "/api/execute", {"tool": "zeta"}, X_Confirmation="t").status == 400


@pytest.mark.owes("execute.continue")
@pytest.mark.parametrize("path", ["/api/execute", "/call"])
def test_an_unknown_cursor_is_refused(server, path):
    assert post(server, path, {"continue": "x"}).status == 400
    assert post(server, path, {"continue": 1}).status == 400
    assert post(server, path, {"continue": "x", "tool": "zeta"}).status == 400


@pytest.mark.owes("execute.old_clients")
def test_old_clients_can_have_200_for_every_coded_error(crm, tmp_path):
    registry = tmp_path / "r.yaml"
    registry.write_text(REGISTRY)
    env = {"CRM_URL": crm.url("").rstrip("/"), "CRM_KEY": CANARY, "ASSISTANT_TOKEN": TOKEN, "READER_TOKEN": READER}
    with serving(registry, workers=1, env=env | {"TOOLBRIDGE_MANIFEST_ERROR_STATUS": "200"}) as old:
        assert execute(old, "zeta", {"id": "2"}).status == 200
        assert execute(old, "nothing").status == 200
        assert post(old, "/api/execute", {"args": 1}).status == 200
        assert post(old, "/api/execute", b"{", Content_Type="application/json").status == 400
        assert post(old, "/api/execute", b"{}", Content_Type="text/plain").status == 415
        assert post(old, "/api/execute", {"tool": "zeta"}, None).status == 401
        assert call(old, "nothing").status == 404


@pytest.mark.owes("tools.keys", "call.base_url")
@pytest.mark.parametrize("path", ["/tools", "/mcp/tools"])
def test_the_list_of_tools_has_exactly_three_keys_a_tool(server, path):
    reply = get(server, path).json
    assert list(reply) == ["tools"]
    assert [list(tool) for tool in reply["tools"]] == [["name", "description", "input_schema"]] * 5


@pytest.mark.owes("call.success", "call.base_url")
@pytest.mark.parametrize("path", ["/call", "/mcp/call"])
def test_a_call_that_works_is_success_and_data(server, path):
    reply = call(server, "zeta", {"id": "1"}, path)
    assert (reply.status, reply.body) == (200, b'{"success":true,"data":{"id":"1","name":"Ann"}}')


@pytest.mark.owes("call.failure")
def test_what_the_tool_answers_is_200_and_success_false(server):
    reply = call(server, "zeta", {"id": "2"})
    assert reply.status == 200
    assert reply.json == {"success": False, "error": "Customer 2 not found", "error_type": "NOT_FOUND"}
    invalid = call(server, "zeta", {}).json
    assert invalid["details"] == [{"path": "/id", "message": "Missing required parameter 'id'"}]


@pytest.mark.owes("call.unreachable")
def test_a_backend_that_cannot_be_reached_reads_so(server):
    reply = call(server, "away")
    assert (reply.json["error"], reply.json["error_type"]) == ("Service temporarily unavailable", "BACKEND_UNAVAILABLE")
    direct = execute(server, "away")
    assert direct.status == 503
    assert int(direct.headers["retry-after"]) >= 1


@pytest.mark.owes("call.unknown")
@pytest.mark.parametrize("name", ["nothing", "hidden", "", "x" * 5000, "__proto__"])
def test_an_unknown_tool_and_a_hidden_one_answer_alike(server, name):
    reply = call(server, name)
    assert (reply.status, reply.body) == (404, b'{"error":"Function not found"}')


def test_a_hidden_tool_reads_like_one_that_never_was_in_the_envelope_too(server):
    hidden, unknown = execute(server, "hidden"), execute(server, "hiddem")
    assert hidden.body.replace(b"hidden", b"NAME") == unknown.body.replace(b"hiddem", b"NAME")
    assert hidden.status == unknown.status == 404


def test_a_near_name_is_suggested(server):
    assert execute(server, "zet").json["error"]["message"] == "Unknown tool 'zet' (did you mean 'zeta'?)"


def test_an_alias_still_works(server):
    assert execute(server, "old_alpha", {"sessionId": "s", "message": "m"}).status == 200


def test_a_missing_scope_is_refused_by_name(server):
    reply = post(server, "/api/execute", {"tool": "alpha", "parameters": {}}, READER)
    assert (reply.status, reply.json["error"]["type"]) == (403, "FORBIDDEN")
    assert "notes:write" in reply.json["error"]["message"]
    assert post(server, "/call", {"name": "alpha"}, READER).json["error_type"] == "FORBIDDEN"


@pytest.mark.owes("call.unauthorized", "door.before_existence")
@pytest.mark.parametrize("token", [None, "wrong", ""])
def test_credentials_come_before_existence(server, token):
    for body in ({"name": "zeta"}, {"name": "nothing"}, [], "x"):
        reply = post(server, "/call", body, token)
        assert (reply.status, reply.body) == (401, b'{"error":"Unauthorized"}')
        assert reply.headers["www-authenticate"].startswith("Bearer")
    envelope = {"status": "error", "error": {"type": "UNAUTHORIZED", "message": "Unauthorized"}}
    assert post(server, "/api/execute", {"tool": "zeta"}, token).json == envelope
    assert get(server, "/api/manifest", token).status == get(server, "/tools", token).status == 401


@pytest.mark.owes("call.bare")
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"name": 1}', b'{"name": "zeta", "arguments": 1}', b'{"name": "zeta", "x": 1}'])
def test_what_is_no_call_gets_exactly_an_error(server, body):
    reply = post(server, "/call", body, Content_Type="application/json")
    assert reply.status == 400
    assert list(reply.json) == ["error"]


@pytest.mark.owes("door.headers")
def test_every_answer_says_its_request_and_its_registry(server):
    answers = [get(server, "/api/manifest"), call(server, "zeta", {"id": "1"}), get(server, "/nowhere"), get(server, "/tools", "x")]
    versions = {answer.headers["x-registry-version"] for answer in answers}
    assert len(versions) == 1
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)
    assert get(server, "/tools", X_Request_Id="mine-1").headers["x-request-id"] == "mine-1"


@pytest.mark.owes("door.not_found")
def test_an_unknown_path_or_method_is_answered_in_json(server):
    assert get(server, "/nowhere").json["error"]["type"] == "INVALID_REQUEST"
    wrong = get(server, "/call")
    assert (wrong.status, wrong.headers["allow"], list(wrong.json)) == (405, "POST", ["error"])


@pytest.mark.owes("door.toolset")
@pytest.mark.parametrize("path", ["/sets/nowhere/tools", "/sets/nowhere/api/manifest"])
def test_a_toolset_that_does_not_exist_has_no_tools(server, path):
    reply = get(server, path)
    assert reply.status == 404
    assert "tools" not in reply.json
    assert post(server, "/sets/nowhere/call", {"name": "zeta", "arguments": {"id": "1"}}).status == 404


@pytest.mark.owes("door.traceparent")
def test_the_trace_reaches_the_backend_and_no_credential_of_the_caller_does(server, crm):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    post(server, "/call", {"name": "zeta", "arguments": {"id": "1"}}, traceparent=trace)
    received = crm.requests[-1]
    assert received.header("traceparent") == trace
    assert received.header("authorization") == f"Bearer {CANARY}"
    assert TOKEN.encode() not in received.raw


def test_an_answer_that_cannot_be_used_shows_nothing_of_itself(server):
    reply = execute(server, "broken")
    assert reply.status == 502
    assert b"Traceback" not in reply.body
    assert b"html" not in reply.body


def test_a_write_whose_answer_never_came_was_sent_once_and_says_so(server, crm):
    before = sum(request.target == "/v1/lost" for request in crm.requests)
    reply = execute(server, "lost")
    assert (reply.status, reply.json["error"]["type"]) == (502, "OUTCOME_UNKNOWN")
    assert sum(request.target == "/v1/lost" for request in crm.requests) == before + 1


def test_one_json_line_per_call_holds_no_secret_and_no_line_break(server):
    mark = "log-line-1"
    post(server, "/call", {"name": "no\r\nsuch\u001b[31m\u0085tool"}, X_Request_Id=mark)
    post(server, "/call", {"name": "zeta", "arguments": {"id": "2"}}, X_Request_Id="log-line-2")
    assert eventually(lambda: any("log-line-2" in line for line in list(server.lines)))
    lines = [json.loads(line) for line in list(server.lines) if "log-line-" in line]
    assert [line["request_id"] for line in lines][-2:] == [mark, "log-line-2"]
    assert lines[-1]["status"] == "NOT_FOUND"
    assert (lines[-1]["tool"], lines[-1]["caller"], lines[-1]["protocol"]) == ("zeta", "assistant", "tools_call")
    everything = "\n".join(server.lines)
    assert CANARY not in everything
    assert TOKEN not in everything
    assert "\x1b" not in everything


def test_a_backend_without_its_variables_keeps_only_itself_away(crm, tmp_path):
    registry = tmp_path / "r.yaml"
    registry.write_text(REGISTRY)
    with serving(registry, workers=1, env={"CRM_URL": crm.url("").rstrip("/"), "ASSISTANT_TOKEN": TOKEN}) as server:
        backends = get(server, "/health/ready").json["backends"]
        assert backends["crm"] == {"state": "unconfigured", "missing": ["the environment variable CRM_KEY is not set"]}
        assert backends["gone"]["state"] == "unknown"
        assert execute(server, "zeta", {"id": "1"}).json["error"]["type"] == "BACKEND_UNAVAILABLE"
        assert get(server, "/tools", READER).status == 401
        assert any("registry_warnings" in line and "CRM_KEY" in line for line in server.lines)
