"""References to the environment and to files: where they may stand, what they become, what is missing."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.late import Late
from bridge.registry import references
from bridge.registry.references import MISSING, LateText, resolve
from bridge.registry.source import read_text

ENVIRON = {"SITE": "eu", "TOKEN": "s3cret", "EMPTY": "", "TRICKY": '": }\n- ${SITE} ${{ body }} $${'}


def resolved(text, environ=ENVIRON, name="f.yaml", **options):
    problems = []
    document = read_text(text, name, problems)
    assert problems == []
    found = resolve(document, environ, problems, **options)
    return document, found, [str(problem) for problem in problems]


def value(written, **options):
    document, _, problems = resolved(f"backends: {{x: {{base_url: {written}}}}}", **options)
    assert problems == []
    return document["backends"]["x"]["base_url"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("'${SITE}'", "eu"),
        ("'https://${SITE}.example.com/${TOKEN}'", "https://eu.example.com/s3cret"),
        ("'${NONE:-x}'", "x"),
        ("'${NONE:-}'", ""),
        ("'${EMPTY:-x}'", "x"),
        ("'${EMPTY}'", ""),
        ("'${SITE:-x}'", "eu"),
        ("'${NONE:-a:-b $ c}'", "a:-b $ c"),
        ("'$${SITE} $SITE ${SITE}'", "${SITE} $SITE eu"),
        ("'${TRICKY}'", ENVIRON["TRICKY"]),
    ],
)
def test_a_reference_becomes_what_it_refers_to_and_is_not_read_again(written, meant):
    assert value(written) == meant


def test_expressions_are_never_touched():
    text = "tools: {t: {result: \"${{ concat('${SITE}', x) }} $${{ y }} $${z}\"}}"
    document, found, problems = resolved(text)
    assert problems == []
    assert document["tools"]["t"]["result"] == "${{ concat('${SITE}', x) }} $${{ y }} $${z}"
    assert found.texts == frozenset()


def test_where_expressions_are_compiled_a_value_from_outside_stays_text():
    document, _, _ = resolved("backends: {x: {errors: [{message: '${TRICKY} ${{ body.e }} $${x}'}]}}")
    assert document["backends"]["x"]["errors"][0]["message"] == '": }\n- $${SITE} $${{ body }} $$${ ${{ body.e }} $${x}'


def test_where_no_expression_is_compiled_the_escape_is_undone():
    document, _, problems = resolved("description: 'Use $${NAME} or $${{ x }}'")
    assert problems == []
    assert document["description"] == "Use ${NAME} or ${{ x }}"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("tools: {t: {description: '${SITE}'}}", "tools.t.description"),
        ("tools: {t: {call: {json: {a: ['x ${SITE}']}}}}", "tools.t.call.json.a[0]"),
        ("name: '${SITE:-x}'", "name"),
        ("resources: {r: {description: '${SITE}'}}", "resources.r.description"),
        ("prompts: {p: {text: '${file:/etc/hostname}'}}", "prompts.p.text"),
    ],
)
def test_elsewhere_a_reference_is_a_mistake(text, path):
    _, _, problems = resolved(text)
    assert len(problems) == 1
    assert f": {path}: ${{" in problems[0]
    assert "may stand only in backends, callers, auth and a resource's file" in problems[0]


@pytest.mark.parametrize("text", ["callers: {x: {tenant: '${SITE}'}}", "auth: {x: '${SITE}'}", "resources: {r: {file: '${SITE}'}}"])
def test_callers_auth_and_a_resources_file_may_refer(text):
    assert resolved(text)[2] == []


@pytest.mark.parametrize("written", ["${}", "${1}", "${A B}", "${SITE", "${SITE:-${TOKEN}}", "${SITE:?no}", "${site-x}", "${ SITE }"])
def test_what_is_no_reference_is_a_mistake(written):
    document, _, problems = resolved(f"backends: {{x: {{base_url: '{written}'}}}}")
    assert problems == [
        "f.yaml:1:26: backends.x.base_url: write ${NAME}, ${NAME:-default} or ${file:/path}; "
        "$${ stands for the characters themselves"
    ]
    assert document["backends"]["x"]["base_url"] == written


def test_an_expression_with_one_brace_is_told_apart():
    assert resolved("tools: {t: {result: '${ body.id }'}}")[2] == [
        "f.yaml:1:21: tools.t.result: an expression has two braces: ${{ body.id }}"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "backends: {x: {headers: {X-User: '${{ caller.id }}'}}}",
        "backends: {x: {auth: {token: '${{ params.t }}'}}}",
        "tools: {t: {parameters: {p: {default: '${{ call.now }}'}}}}",
        "callers: {c: {tenant: '${{ x }}'}}",
    ],
)
def test_an_expression_that_nobody_would_evaluate_is_a_mistake(text):
    (problem,) = resolved(text)[2]
    assert "an expression is not evaluated here" in problem


def test_names_cannot_refer():
    assert "a name cannot hold a reference" in resolved("backends: {'${SITE}': {}}")[2][0]


def test_a_missing_variable_is_named_and_its_path_told():
    document, found, problems = resolved("backends:\n  x: {base_url: 'https://${SITEE}/${OTHER}', auth: {token: '${TOKEN}'}}")
    assert problems == [
        "f.yaml:2:17: backends.x.base_url: the environment variable SITEE is not set (did you mean 'SITE'?)",
        "f.yaml:2:17: backends.x.base_url: the environment variable OTHER is not set",
    ]
    assert found.unresolved == {("backends", "x", "base_url")}
    assert document["backends"]["x"]["base_url"] == "https://${SITEE}/${OTHER}"


def test_without_the_environment_nothing_is_missing_and_nothing_is_read(tmp_path):
    text = f"backends: {{x: {{base_url: '${{SITE}}', a: '${{SITE:-d}}', token: '${{file:{tmp_path}/none}}', b: '${{1}}'}}}}"
    document, found, problems = resolved(text, no_env=True)
    assert len(problems) == 1
    assert problems[0].startswith("f.yaml:1:")
    assert document["backends"]["x"]["a"] == "d"
    assert found.unresolved == {("backends", "x", "base_url"), ("backends", "x", "token")}
    assert found.secrets == frozenset()


def test_secrets_have_to_wait():
    problems = []
    document = read_text("callers: {x: {token: '${secret:crm/key}'}}", "f.yaml", problems)
    found = resolve(document, {}, problems)
    assert [problem.code for problem in problems] == ["registry/not_yet"]
    assert found.unresolved == {("callers", "x", "token")}


def test_what_came_from_outside_is_known():
    text = "backends: {x: {base_url: 'a ${TOKEN} ${NONE:-d}', b: '${SITE}', c: plain}}"
    _, found, _ = resolved(text)
    assert found.secrets == {"s3cret", "eu"}
    assert found.texts == {("backends", "x", "base_url"), ("backends", "x", "b")}


def test_a_credential_that_is_written_in_the_registry_is_known_too():
    text = """
    backends:
      a: {auth: {type: bearer, token: one}, headers: {key: no}}
      b: {auth: {type: basic, username: no, password: two}, base_url: no}
      c: {auth: {type: api_key, header: no, key: 3333}}
    callers: {token: {token: four, tenant: no}, x: {tokens: [five, six], token_sha256: no}}
    tools:
      t: {parameters: {p: {value: seven, secret: true}, q: {value: no}, r: {default: no, secret: true}}, call: {json: {key: no, token: no}}}
    """
    assert resolved(text)[1].secrets == {"one", "two", "3333", "four", "five", "six", "seven"}


@pytest.fixture
def clock(monkeypatch):
    now = [1_000.0]
    monkeypatch.setattr(references, "monotonic", lambda: now[0])
    return now


def late(tmp_path, content, written="${file:%s}"):
    path = tmp_path / "token"
    path.write_text(content)
    document, found, problems = resolved(f"backends: {{x: {{auth: {{token: '{written % path}'}}}}}}")
    assert problems == []
    return path, document["backends"]["x"]["auth"]["token"], found


@pytest.mark.parametrize(("content", "meant"), [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" é ", " é ")])
def test_a_file_is_its_text_without_the_last_line_break(tmp_path, content, meant):
    assert late(tmp_path, content)[1].read() == meant


def test_a_file_is_read_again_when_it_has_changed_at_most_once_a_second(tmp_path, clock):
    path, token, found = late(tmp_path, "one\n", "Bearer ${file:%s}!")
    assert found.secrets == {"one"}
    assert token.read() == token() == "Bearer one!"
    path.write_text("two, longer")
    assert token.read() == "Bearer one!"
    clock[0] += 1
    assert token.read() == "Bearer two, longer!"
    assert found.secrets == {"one", "two, longer"}
    path.unlink()
    clock[0] += 1
    assert token.read() == "Bearer two, longer!"
    path.write_text("three")
    clock[0] += 1
    assert token.read() == "Bearer three!"


def test_a_late_text_is_masked_wherever_it_is_shown(tmp_path):
    _, token, _ = late(tmp_path, "s3cret")
    assert isinstance(token, LateText)
    assert isinstance(token, Late)
    assert f"{token} {token!r} {[token]}" == "*** *** [***]"


def test_a_file_that_is_emptied_leaves_the_last_text_in_place(tmp_path, clock):
    path, token, _ = late(tmp_path, "one")
    path.write_text("")
    clock[0] += 2
    assert token.read() == "one"
    path.write_text("two")
    clock[0] += 2
    assert token.read() == "two"


def test_elsewhere_a_file_is_read_when_the_registry_is(tmp_path):
    (tmp_path / "url").write_text("http://x\n")
    document, _, _ = resolved("backends: {x: {base_url: '${file:url}/v1'}}", name=str(tmp_path / "f.yaml"))
    assert document["backends"]["x"]["base_url"] == "http://x/v1"


@pytest.mark.parametrize(
    ("name", "why"),
    [("none", "there is no such file"), (".", "it is a folder"), ("fifo", "it is not a regular file"), ("large", "it is larger than 65,536 bytes"), ("bytes", "it is not UTF-8 text"), ("empty", "it is empty")],
)
def test_a_file_that_cannot_be_read_is_missing(tmp_path, name, why):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "large").write_bytes(b"x" * 70_000)
    (tmp_path / "bytes").write_bytes(b"\xff")
    (tmp_path / "empty").write_bytes(b"\n")
    problems = []
    document = read_text(f"callers: {{x: {{tokens: ['${{file:{name}}}']}}}}", str(tmp_path / "f.yaml"), problems)
    found = resolve(document, {}, problems)
    assert [(problem.code, problem.message) for problem in problems] == [(MISSING, f"{name!r} cannot be read: {why}")]
    assert found.unresolved == {("callers", "x", "tokens", 0)}


@settings(max_examples=500, deadline=None, database=None)
@given(st.text(max_size=30), st.text(alphabet="ab${}: ", max_size=20))
def test_a_value_from_outside_arrives_as_it_is(secret, around):
    around = re.sub(r"\$\{|\$\$", "", around).rstrip("$")
    problems = []
    document = read_text("backends: {x: {base_url: z}}", "f.yaml", problems)
    document["backends"]["x"]["base_url"] = around + "${SECRET}" + around
    found = resolve(document, {"SECRET": secret}, problems)
    assert problems == []
    assert document["backends"]["x"]["base_url"] == around + secret + around
    assert found.secrets == {secret} - {""}
