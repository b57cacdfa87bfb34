"""The structure: every member known, every mistake in a person's words at its place."""

from __future__ import annotations

import json
import re
import time
from importlib.resources import files

import jsonschema
import pytest

from bridge.backends import BACKENDS
from bridge.core.located import plain
from bridge.core.schemas import Validator
from bridge.registry import not_yet, structure
from bridge.registry.references import resolve
from bridge.registry.source import read_text

START = "bridge: 1\nname: x\n"
KINDS = tuple(BACKENDS)


def checked(text, environ=None, **options):
    problems = []
    document = read_text(START + text, "f.yaml", problems)
    found = resolve(document, environ or {}, problems, **options)
    structure.check(document, problems, kinds=KINDS, unresolved=found.unresolved, texts=found.texts)
    return document, [str(problem) for problem in sorted(problems, key=lambda item: item.mark)]


def mistakes(text, **options):
    return checked(text, **options)[1]


GOOD = r"""
title: X
description: D
instructions: I
backends:
  crm:
    type: http
    base_url: https://crm.example.com
    auth: {type: basic, username: u, password: p}
    headers: {X-Client: toolbridge}
    timeout: 10s
    concurrency: 30
    engine: requests
    errors:
      - {status: 404, code: NOT_FOUND, message: Not found}
      - {status: 4xx, code: GONE, like: NOT_FOUND}
      - {when: "body.ok == `false`", code: BACKEND_REJECTED, message: "The CRM says ${{ body.error }}"}
  key: {type: http, base_url: http://x, auth: {type: api_key, key: k, header: X-Key}}
  none: {type: http, base_url: http://x, auth: {type: none}}
  echo: {type: echo, timeout: 5}
tools:
  a:
    title: T
    description: D
    tags: [x]
    backend: crm
    parameters:
      id: string
      n: {type: [integer, 'null'], minimum: 1, default: null, as: count, in: query}
      o: {type: object, properties: {a: {}}, required: [a], optional: true, x-note: y}
      s: {value: fixed}
      t: {type: string, secret: true, allow_slash: true, required: false}
    input_schema: {anyOf: [{required: [id]}]}
    call:
      - when: params.id
        path: /a/{id}
        query: {x: 1}
        headers: {X-A: b, X-N: 5, X-Null: null}
        json: [1, {a: b}]
        arrays: brackets
        nulls: keep
        success: [200, 201]
      - {method: POST, path: /b, form: {a: b}, success: body.ok}
      - GET /c{?id}
    result: {a: '${{ body.a }}'}
    output_schema: {type: object}
    errors: {404: {code: NOT_FOUND}, 5xx: {code: BACKEND_UNAVAILABLE}, default: {code: BACKEND_REJECTED}}
    timeout: 2.5
    scopes: [a:b]
    hide_without_scope: true
    tenants: [acme]
    enabled: true
    internal: false
    aliases: [old.name]
    deprecated: {since: 2026-01-01, use: b, sunset: 2027-01-01}
    read_only: true
    destructive: false
    idempotent: true
    open_world: false
  b: {backend: echo}
  c: {backend: nowhere, call: {anything: goes}}
callers:
  one: {token: t, tenant: acme, scopes: [a:b]}
  two: {token_sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08}
  three: {tokens: [a, b]}
auth: {anonymous: {scopes: []}}
"""


def test_what_the_format_knows_is_no_mistake():
    assert mistakes(GOOD) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("discription: x", "3:1: discription: unknown member 'discription' (did you mean 'description'?)"),
        ("tools: {a: {backend: x, timout: 3}}", "3:25: tools.a.timout: unknown member 'timout' (did you mean 'timeout'?)"),
        ("tools: {a: {backend: x, parameters: {p: {minlength: 1}}}}", "3:42: tools.a.parameters.p.minlength: unknown member 'minlength' (did you mean 'minLength'?)"),
        ("tools: {a: {backend: x, deprecated: {since:2026}}}", "3:38: tools.a.deprecated.since:2026: unknown member 'since:2026' (write 'since: ', with a space)"),
        ("tools: {a: {backend: x, qqq: 1}}", "3:25: tools.a.qqq: unknown member 'qqq'"),
        ("tools: {a: {}}", "3:9: tools.a: missing member 'backend'"),
        ("tools: [a]", "3:8: tools: expected a mapping, found a list"),
        ("tools:", "3:7: tools: expected a mapping, found nothing"),
        ("tools: {a: x}", "3:12: tools.a: expected a mapping, found 'x'"),
        ("tools: {my tool: {backend: x}}", "3:9: tools.my tool: expected a name of 1 to 64 letters, digits, '_', '.' and '-', found 'my tool'"),
        ("tools: {a: {backend: x, timeout: soon}}", "3:34: tools.a.timeout: expected a duration above zero, such as 500ms, 10s, 5m, 24h, 1d or a number of seconds, found 'soon'"),
        ("tools: {a: {backend: x, timeout: 0}}", "3:34: tools.a.timeout: must be more than 0, not 0"),
        ("tools: {a: {backend: x, timeout: [1]}}", "3:34: tools.a.timeout: expected a duration above zero, such as 500ms, 10s, 5m, 24h, 1d or a number of seconds, found a list"),
        ("tools: {a: {backend: x, enabled: yes}}", "3:34: tools.a.enabled: expected true or false, found 'yes'"),
        ("tools: {a: {backend: x, title: 5}}", "3:32: tools.a.title: expected text, found the number 5; quote it"),
        ("tools: {a: {backend: x, parameters: {p: str}}}", "3:41: tools.a.parameters.p: expected a JSON type (string, integer, number, boolean, array, object or null), found 'str' (did you mean 'string'?)"),
        ("tools: {a: {backend: x, parameters: {p: {in: body, in: x}}}}", "3:52: tools.a.parameters.p.in: 'in' is declared twice (first at f.yaml:3:42)"),
        ("tools: {a: {backend: x, parameters: {p: {in: quary}}}}", "3:46: tools.a.parameters.p.in: expected path, query, header, body or none, found 'quary' (did you mean 'query'?)"),
        ("tools: {a: {backend: x, errors: {4x: {code: X}}}}", "3:34: tools.a.errors.4x: expected a status such as 404 or 4xx, or 'default', found '4x'"),
        ("tools: {a: {backend: x, errors: {404: GONE}}}", "3:39: tools.a.errors.404: expected a mapping, found 'GONE'"),
        ("tools: {a: {backend: x, errors: [{code: X}]}}", "3:34: tools.a.errors[0]: missing member 'status' or 'when'"),
        ("tools: {a: {backend: x, errors: {404: {message: x}}}}", "3:34: tools.a.errors.404: missing member 'code'"),
        ("backends: {b: {type: htpp, base_url: x}}", "3:22: backends.b.type: expected echo or http, found 'htpp' (did you mean 'http'?)"),
        ("backends: {b: {base_url: x}}", "3:12: backends.b: missing member 'type'"),
        ("backends: {b: {type: http}}", "3:12: backends.b: missing member 'base_url'"),
        ("backends: {b: x}", "3:15: backends.b: expected a mapping, found 'x'"),
        ("backends: {b: {type: http, base_url: x, auth: {type: bearrer}}}", "3:54: backends.b.auth.type: expected bearer, basic, api_key or none, found 'bearrer' (did you mean 'bearer'?)"),
        ("backends: {b: {type: http, base_url: x, auth: {type: bearer}}}", "3:41: backends.b.auth: missing member 'token'"),
        ("backends: {b: {type: http, base_url: x, auth: {type: none, token: x}}}", "3:60: backends.b.auth.token: unknown member 'token'"),
        ("backends: {b: {type: http, base_url: x, headers: {A B: x}}}", "3:51: backends.b.headers.A B: expected a header's name, such as X-Client, found 'A B'"),
        ("backends: {b: {type: echo, base_url: x}}", "3:28: backends.b.base_url: unknown member 'base_url'"),
        ("callers: {c: {token: ''}}", "3:22: callers.c.token: must not be empty"),
        ("callers: {c: {tokens: []}}", "3:23: callers.c.tokens: must not be empty"),
        ("callers: {c: {token_sha256: abc}}", "3:29: callers.c.token_sha256: expected 64 hexadecimal digits, found 'abc'"),
        ("auth: {anonymous: maybe}", "3:19: auth.anonymous: expected true or false or a mapping, found 'maybe'"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_as_a_person_would(text, expected):
    assert mistakes(text) == [f"f.yaml:{expected}"]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("get /x", "call: expected METHOD /path, such as GET /orders/{order_id}, found 'get /x'"),
        ("GET x", "call: expected METHOD /path, such as GET /orders/{order_id}, found 'GET x'"),
        ("{method: get, path: /x}", "call.method: expected GET, HEAD, POST, PUT, PATCH or DELETE, found 'get'"),
        ("{method: POST}", "call: missing member 'path'"),
        ("{path: x}", "call.path: expected a path that begins with '/', found 'x'"),
        ("{path: /x, querry: {}}", "call.querry: unknown member 'querry' (did you mean 'query'?)"),
        ("[]", "call: must not be empty"),
        ("[GET /x, {path: /y, arrays: comas}]", "call[1].arrays: expected repeat, brackets, comma or indexed, found 'comas' (did you mean 'comma'?)"),
        ("[[GET /x]]", "call[0]: expected text or a mapping, found a list"),
        ("{path: /x, success: [ok]}", "call.success[0]: expected a whole number, found 'ok'"),
        ("5", "call: expected text, a list or a mapping, found the number 5"),
    ],
)
def test_a_call_is_judged_by_the_kind_of_its_backend(call, expected):
    text = f"backends: {{b: {{type: http, base_url: x}}}}\ntools: {{a: {{backend: b, call: {call}}}}}"
    assert [re.sub(r"^\S+ tools\.a\.", "", found) for found in mistakes(text)] == [expected]


def test_an_http_tool_needs_a_call_and_an_echo_takes_none():
    backends = "backends: {b: {type: http, base_url: x}, e: {type: echo}}\n"
    assert mistakes(backends + "tools: {a: {backend: b}}") == ["f.yaml:4:9: tools.a: missing member 'call'"]
    assert mistakes(backends + "tools: {a: {backend: e, call: {path: /x}}}") == [
        "f.yaml:4:32: tools.a.call.path: unknown member 'path'"
    ]


def test_the_top_is_looked_at_too():
    problems = []
    document = read_text("bridge: 2\ntools: {a: {}}", "f.yaml", problems)
    structure.check(document, problems, kinds=KINDS)
    assert [str(problem) for problem in problems] == [
        "f.yaml:1:1: missing member 'name'",
        "f.yaml:1:9: bridge: expected 1, found the number 2",
        "f.yaml:2:9: tools.a: missing member 'backend'",
    ]


def test_text_from_outside_takes_the_type_of_its_member():
    text = "backends: {b: {type: http, base_url: '${U}', concurrency: '${N}', timeout: '${T}'}}\nauth: {anonymous: '${A}'}"
    document, problems = checked(text, {"U": "5", "N": "30", "T": "30", "A": "true"})
    assert problems == []
    backend = document["backends"]["b"]
    assert (backend["base_url"], backend["concurrency"], backend["timeout"]) == ("5", 30, "30")
    assert document["auth"]["anonymous"] is True


def test_text_from_outside_that_does_not_fit_is_not_shown():
    text = "backends: {b: {type: '${N}', base_url: x}, c: {type: http, base_url: x, concurrency: '${N}', timeout: '${N}'}}"
    problems = mistakes(text, environ={"N": "s3cret"})
    assert len(problems) == 3
    assert not any("s3cret" in problem for problem in problems)


def test_what_is_missing_outside_is_not_judged():
    text = "backends: {b: {type: http, base_url: x, concurrency: '${N}', timeout: '${N}', auth: {type: '${N}'}}}"
    assert mistakes(text, no_env=True) == []


def test_what_is_missing_outside_gets_the_shape_that_its_member_wants():
    text = (
        "backends: {b: {type: http, base_url: '${U}', concurrency: '${N}', timeout: '${T}',\n"
        "  errors: [{status: '${S}', code: NOT_FOUND, message: 'a ${M}', retryable: '${R}'}]}}\nauth: {anonymous: '${A}'}"
    )
    document, problems = checked(text, no_env=True)
    assert problems == []
    backend = document["backends"]["b"]
    assert (backend["base_url"], backend["concurrency"], backend["timeout"]) == ("${U}", 1, "10s")
    assert backend["errors"][0]["status"] == 404
    assert document["auth"]["anonymous"] is False


def test_text_from_outside_is_never_a_mapping_or_a_list():
    text = "backends: {b: '${B}', c: {type: http, base_url: x, auth: '${C}'}}\ncallers: {c: {scopes: '${D}'}}"
    assert [problem.partition(": ")[2] for problem in mistakes(text, no_env=True)] == [
        "backends.b: expected a mapping, found '${B}'",
        "backends.c.auth: expected a mapping, found '${C}'",
        "callers.c.scopes: expected a list, found '${D}'",
    ]
    assert len([problem for problem in mistakes(text) if "expected" in problem]) == 3


def test_where_something_is_wrong_already_nothing_is_added():
    assert mistakes("title: !x [a]\nname: '${X}'") == [
        "f.yaml:3:8: title: '!x' is a YAML tag, and a registry has none; quote it if it is text",
        "f.yaml:4:1: name: 'name' is declared twice (first at f.yaml:2:1)",
    ]


def test_what_this_version_refuses_is_not_judged():
    assert mistakes("tools: {a: {backend: x, confirm: [5], limits: {rate: often}}}\nbackends: {s: {type: sql, x: 1}}") == []


def test_schemas_are_schemas():
    for name in ("registry.schema.json", *(f"backends/{kind}.json" for kind in KINDS)):
        jsonschema.Draft202012Validator.check_schema(json.loads(files("bridge.schemas").joinpath(name).read_text()))
    bundle = structure.bundle(KINDS)
    jsonschema.Draft202012Validator.check_schema(bundle)
    references = re.findall(r'"\$ref": "([^"]+)"', json.dumps(bundle))
    assert all(reference.startswith("#/$defs/") and reference[8:] in bundle["$defs"] for reference in references)


def test_the_bundle_says_what_the_file_for_editors_says():
    written = json.loads(files("bridge.schemas").joinpath("registry.schema.json").read_text())["$defs"]
    bundle = json.dumps(structure.bundle(KINDS)["$defs"])
    for part in ("backend", "call"):
        moved = re.sub(r"backends/(\w+)\.json#/\$defs/", r"#/$defs/\1.", json.dumps(written[part]))
        assert moved in bundle


def test_the_bundle_judges_a_whole_registry_as_an_editor_does():
    problems = []
    judge = Validator(structure.bundle(KINDS))
    document = plain(read_text(START + GOOD, "f.yaml", problems))
    del document["tools"]["c"]
    assert judge.violations(document) == []
    document["backends"]["crm"]["nonsense"] = 1
    assert len(judge.violations(document)) == 1


def test_every_member_that_is_refused_is_known_to_the_schema():
    judge = Validator(structure.bundle(KINDS))
    names = {step for path in not_yet.MEMBERS for step in path.split(".")} - {"*", "[]"}
    assert names <= set(re.findall(r'"(\w+)":', json.dumps(judge.schema)))


def test_every_public_member_of_ours_is_described():
    schema = structure.bundle(KINDS)
    for part in ("tool", "caller", "http.backend", "http.request"):
        for name, member in (schema["$defs"][part]["properties"]).items():
            target = schema["$defs"].get(member.get("$ref", "#/$defs/")[8:], {}) if isinstance(member, dict) else {}
            assert name in ("type", "auth") or "description" in {**target, **member}, f"{part}.{name}"


def test_ten_thousand_tools_are_checked_at_once():
    tool = "  t{}: {{backend: b, description: x, parameters: {{a: string}}, call: GET /x/{{a}}}}\n"
    text = START + "backends: {b: {type: http, base_url: x}}\ntools:\n" + "".join(tool.format(n) for n in range(9_999))
    problems = []
    document = read_text(text.replace("{a}", "a") + "  bad: {backend: b, cal: GET /x}\n", "f.yaml", problems)
    assert problems == []
    started = time.perf_counter()
    structure.check(document, problems, kinds=KINDS)
    assert time.perf_counter() - started < 20
    assert [problem.message for problem in problems] == ["unknown member 'cal' (did you mean 'call'?)", "missing member 'call'"]


