"""Schemas: what is refused at load, how judging is bounded, how mistakes are named."""

from __future__ import annotations

import contextlib
import json
import socket
from typing import Any

import pytest

from bridge.core.located import Mark, Table
from bridge.core.schemas import MAX_BACKTRACKED, SchemaError, Validator, mistakes
from tests.support.schemas import cpu_seconds, refusal

METASCHEMA = "https://json-schema.org/draft/2020-12/schema"


def names(schema: Any, instance: Any) -> list[tuple[tuple, str]]:
    return [(violation.path, violation.keyword) for violation in Validator(schema).violations(instance)]


def test_every_broken_rule_is_named_in_the_schemas_order():
    schema = {
        "required": ["a", "c"],
        "properties": {"a": {"type": "integer"}, "b": {"items": {"minLength": 2}}},
        "additionalProperties": False,
    }
    assert names(schema, {"a": "x", "b": ["ab", "c", "d"], "z": 1}) == [
        ((), "required"),
        (("a",), "type"),
        (("b", 1), "minLength"),
        (("b", 2), "minLength"),
        ((), "additionalProperties"),
    ]


def test_a_violation_says_where_the_rule_stands_also_behind_a_reference():
    schema = {"properties": {"a": {"$ref": "#/$defs/id"}}, "$defs": {"id": {"pattern": "^[0-9]+$"}}}
    [violation] = Validator(schema).violations({"a": "x"})
    assert violation.rule == ("$defs", "id", "pattern")
    assert violation.facts == {"pattern": "^[0-9]+$"}


def test_alternatives_carry_their_own_violations():
    [violation] = Validator({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}).violations({})
    assert [[inner.facts["property"] for inner in branch] for branch in violation.branches] == [["a"], ["b"]]


def test_the_callers_schema_is_not_kept_and_marks_are_no_hindrance():
    table = Table(Mark("x.yaml", 1, 1))
    table["type"] = "integer"
    validator = Validator(table)
    table["type"] = "string"
    assert validator.is_valid(5)
    assert validator.schema == {"type": "integer"}


def test_true_and_false_are_schemas():
    assert Validator(True).is_valid({"anything": 1})
    assert names(False, 1) == [((), "falseSchema")]


@pytest.mark.parametrize("value", [True, 5.5, "5", None])
def test_no_other_value_passes_for_an_integer(value):
    assert not Validator({"type": "integer"}).is_valid(value)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("email", "ada@example.com", "ada"),
        ("date", "2026-02-28", "2026-02-30"),
        ("date-time", "2026-02-28T10:00:00Z", "2026-02-28"),
        ("time", "10:00:00Z", "25:00:00Z"),
        ("uri", "https://example.com/x", "/x"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("ipv6", "::1", ":::1"),
        ("hostname", "example.com", "exa mple"),
        ("duration", "P1DT2H", "1 day"),
        ("regex", "^a$", "("),
        ("json-pointer", "/a", "a"),
    ],
)
def test_formats_are_asserted(name, good, bad):
    validator = Validator({"format": name})
    assert validator.is_valid(good)
    assert not validator.is_valid(bad)


# What is wrong with a schema


@pytest.mark.parametrize(
    ("schema", "path", "says"),
    [
        ({"type": "strin"}, "type", "'strin' is not a JSON Schema type (did you mean 'string'?)"),
        ({"type": ["string", "nil"]}, "type", "'nil' is not a JSON Schema type"),
        ({"type": {}}, "type", "{} is not a JSON Schema type"),
        ({"properties": {"a": 5}}, "properties/a", "must be a boolean or an object, not a number"),
        ({"properties": []}, "properties", "must be an object, not an array"),
        ({"properties": {"a": {"required": "a"}}}, "properties/a/required", "must be an array, not a string"),
        ({"required": ["a", "a"]}, "required", "must not hold the same item twice"),
        ({"allOf": [{"minLength": -1}]}, "allOf/0/minLength", "must be at least 0, not -1"),
        ({"minLength": 1.5}, "minLength", "must be an integer, not 1.5"),
        ({"anyOf": []}, "anyOf", "must have at least 1 item, not 0"),
        ({"pattern": "(a"}, "pattern", "must be a regular expression, not '(a'"),
        ({"patternProperties": {"(": {}}}, "patternProperties", "'(' must be a regular expression"),
        ({"exclusiveMinimum": True}, "exclusiveMinimum", "must be a number, not a boolean"),
        ({"items": [{}]}, "items", "must be a boolean or an object, not an array"),
        (5, "", "must be a boolean or an object, not a number"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "$schema",
         "schemas here are of draft 2020-12, not of 'http://json-schema.org/draft-07/schema#'"),
        ({"$ref": "#/$defs/adress", "$defs": {"address": {}}}, "$ref",
         "nothing in this schema is called '#/$defs/adress' (did you mean '#/$defs/address'?)"),
        ({"items": {"$ref": "#nowhere"}}, "items/$ref", "nothing in this schema is called '#nowhere'"),
        ({"allOf": [{"$ref": "other.json"}]}, "allOf/0/$ref",
         "'other.json' leads out of the schema, and nothing is fetched: copy what it means under $defs and write '#/$defs/...'"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(schema, path, says):
    [mistake] = mistakes(schema)
    assert "/".join(map(str, mistake.path)) == path
    assert mistake.message == says
    assert refusal(schema).message == says


def test_all_mistakes_are_told_at_once():
    schema = {"properties": {"a": {"type": "strin"}, "b": {"minimum": "1"}}, "required": [1]}
    assert [mistake.path for mistake in mistakes(schema)] == [
        ("properties", "a", "type"),
        ("properties", "b", "minimum"),
        ("required", 0),
    ]


def test_a_sound_schema_has_no_mistakes():
    schema = {"$schema": METASCHEMA, "$ref": "#/$defs/a", "$defs": {"a": {"pattern": "(?=x)"}}, "x-own": [1]}
    assert list(mistakes(schema)) == []
    assert Validator({"$ref": METASCHEMA}).is_valid(schema)


@pytest.mark.parametrize("schema", [{1: 2}, {"default": object()}, {"const": "\ud800"}, {"minimum": float("nan")}])
def test_what_is_no_json_is_no_schema(schema):
    assert refusal(schema).message


# Nothing is fetched


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.owes("B2")
@pytest.mark.parametrize("scheme", ["http", "https", "ftp", "ws"])
@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "URL"},
        {"properties": {"a": {"$ref": "URL#/x"}}},
        {"$dynamicRef": "URL"},
        {"$schema": "URL"},
        {"$id": "URL", "$ref": "y"},
        {"$defs": {"unused": {"$ref": "URL"}}},
        {"properties": {"a": {"$id": "URL", "$ref": "other.json"}}},
    ],
)
def test_a_remote_reference_is_refused_and_never_followed(listener, scheme, schema):
    url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/x"
    schema = json.loads(json.dumps(schema).replace("URL", url))
    assert refusal(schema).path[-1] in ("$ref", "$dynamicRef", "$schema")
    assert len(list(mistakes(schema))) == 1


@pytest.mark.owes("B2")
def test_a_file_is_not_opened(tmp_path):
    file = tmp_path / "x.json"
    file.write_text('{"type": "integer"}')
    assert "nothing is fetched" in refusal({"$ref": file.as_uri()}).message
    assert "nothing is fetched" in refusal({"$ref": str(file)}).message


@pytest.mark.owes("B2")
def test_a_schema_named_inside_another_draft_fetches_nothing(listener):
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
    inner = {"$id": "http://a.example/b", "$schema": url, "type": "integer"}
    with contextlib.suppress(SchemaError):
        Validator({"properties": {"a": inner}})


def test_references_within_the_schema_are_followed():
    schema = {
        "$id": "https://example.com/root",
        "properties": {"a": {"$ref": "#/$defs/a"}, "b": {"$ref": "#here"}, "c": {"$ref": "inner"}, "self": {"$ref": "#"}},
        "$defs": {"a": {"type": "integer"}, "b": {"$anchor": "here", "type": "string"}, "c": {"$id": "inner", "const": 1}},
        "additionalProperties": False,
    }
    assert Validator(schema).is_valid({"a": 1, "b": "x", "c": 1, "self": {"a": 2}})
    for wrong in ({"a": "x"}, {"b": 1}, {"c": 2}, {"self": {"x": 1}}):
        assert not Validator(schema).is_valid(wrong)


# Patterns

LINEAR = [
    r"^(a+)+$", r"^(a|a)*$", r"^(a|aa)+$", r"^(.*a){20}$", r"^([a-zA-Z]+)*$", r"(x+x+)+y", r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r"^(\w+\s?)*$", r"^(\d+)*x$", r"(.*)*=(.*)*", r"^(a?){50}a{50}$", r"^((a+)b?)*c$", r"\s*,\s*$", r"^[\s\u200c]+|[\s\u200c]+$",
    r"^.*?.*?.*?.*?=", r"^([0-9a-f]{2}:?)*$", r"(a|b|ab)*c", r"^[01]*1[01]{100}$", r"[01]*1[01]{500}x", r"^\p{L}{1,500}$",
    r"\w{1,300}\d", r"a{1000}{1000}", r"^(([^<>()\[\]\\.,;:\s@\"]+(\.[^<>()\[\]\\.,;:\s@\"]+)*)|(\".+\"))@x$",
]  # fmt: skip
BACKTRACKING = [
    r"^(?=a)(a+)+$", r"^(?!b)(a|aa)+$", r"^(a+)\1+$", r"(?=x)(.*)*y", r"^(?=(a+))\1b", r"(?<=a)(a*)*b", r"^(?!x)([a-z]+)*[A-Z]$",
    r"((?:a|(?=a)a)+)+b", r"^(?=.*a.*a.*a.*a)(.*,)*z$", r"(a*)*(?!a)b", r"(?<!b)(a|a?)+$\1", r"^((?!b).)*b$", r"(\w+)\s\1\s\1\s\1",
]  # fmt: skip


@pytest.mark.owes("B3")
@pytest.mark.parametrize("pattern", LINEAR + BACKTRACKING)
def test_no_pattern_is_slow_on_any_text(pattern):
    try:
        validator = Validator({"pattern": pattern})
    except SchemaError:
        return
    for piece in ("a", "x", "0", "01", "a,", "é", " ", "X"):
        for text in (piece * 100_000 + "!", piece * (1_000 // len(piece)), piece * 490 + "!"):
            assert cpu_seconds(lambda text=text: validator.is_valid(text)) < 0.5
            assert cpu_seconds(lambda text=text: validator.violations(text)) < 0.5


def test_look_around_works_on_text_of_up_to_1000_characters():
    password = Validator({"properties": {"p": {"pattern": "^(?=.*[A-Z])(?=.*[0-9]).{8,}$", "allOf": [{"maxLength": 5_000}]}}})
    assert password.is_valid({"p": "Abcdefg1"})
    assert password.is_valid({"p": "A1" * (MAX_BACKTRACKED // 2)})
    [weak] = password.violations({"p": "abcdefg1"})
    assert (weak.path, weak.keyword) == (("p",), "pattern")
    [long] = password.violations({"p": "A1" * (MAX_BACKTRACKED // 2) + "x"})
    assert (long.path, long.keyword, long.facts) == (("p",), "maxLength", {"limit": MAX_BACKTRACKED})
    assert Validator({"pattern": r"(?<!\d)\d{4}(?!\d)"}).is_valid("x " * 490 + "1234")
    assert "allOf" not in Validator({"pattern": "(?=a)"}).schema
    assert Validator({"properties": {"not": {"pattern": "(?=a)"}}}).is_valid({"not": "a"})


@pytest.mark.parametrize("pattern", ["a{1000}{1000}", r"^\p{L}{1,500}$", r"(?=a)\p{L}{1,5000}"])
def test_a_pattern_that_takes_too_much_memory_is_refused_with_its_place(pattern):
    assert refusal({"properties": {"a": {"pattern": pattern}}}).path == ("properties", "a", "pattern")


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"patternProperties": {"(?=a)": {}}}, ("patternProperties", "(?=a)")),
        ({"not": {"pattern": "(?=a)"}}, ("not", "pattern")),
        ({"if": {"items": {"pattern": "(?=a)"}}, "then": False}, ("if", "items", "pattern")),
        ({"not": {"properties": {"a": {"pattern": "(?=a)"}}}}, ("not", "properties", "a", "pattern")),
    ],
)
def test_look_around_is_refused_where_giving_up_would_let_a_value_pass(schema, path):
    assert refusal(schema).path == path


def test_an_array_for_a_bad_pattern_is_named_in_time():
    validator = Validator({"items": {"pattern": "(?=x)(.*)*y"}})
    texts = ["x" * 1_000] * 1_000
    assert cpu_seconds(lambda: validator.violations(texts)) < 2
    assert [violation.keyword for violation in validator.violations(texts)] == ["pattern"] * 20


def test_patterns_read_digits_and_ends_as_ecmascript_does():
    digits = Validator({"pattern": "^\\d+$"})
    assert digits.is_valid("123")
    assert not digits.is_valid("١٢٣")
    assert not digits.is_valid("123\n")


def test_a_released_validator_judges_as_before():
    for schema in ({"pattern": "^C-[0-9]+$"}, {"pattern": "^(?!x)"}):
        validator = Validator(schema)
        before = (validator.is_valid("C-1"), len(validator.violations("x")))
        validator.release()
        assert (validator.is_valid("C-1"), len(validator.violations("x"))) == before == (True, 1)
