"""No schema and no instance decides how long judging takes."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.core.schemas import Validator, mistakes
from bridge.core.subschemas import children, references, walk
from tests.support.schemas import cpu_seconds, refusal


def doubling(keyword: str, steps: int, last: Any = None) -> dict[str, Any]:
    parts = {f"a{i}": {keyword: [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(steps)}
    return {"$ref": "#/$defs/a0", "$defs": {**parts, f"a{steps}": last or {"type": "integer"}}}


def chain(steps: int) -> dict[str, Any]:
    parts = {f"a{i}": {"properties": {"x": {"$ref": f"#/$defs/a{i + 1}"}}} for i in range(steps)}
    return {"$ref": "#/$defs/a0", "$defs": {**parts, f"a{steps}": {"type": "integer"}}}


def nested(depth: int, key: str = "a") -> Any:
    value: Any = "leaf"
    for _ in range(depth):
        value = {key: value}
    return value


def deep_schema(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(depth):
        schema = {"not": schema}
    return schema


def bomb(name: str) -> dict[str, Any]:
    again = {"type": "object", "properties": {"z": {"$ref": "#/$defs/a0"}}, "required": ["z"]}
    return {
        "anyOf": doubling("anyOf", 20),
        "oneOf": doubling("oneOf", 20),
        "allOf": doubling("allOf", 20),
        "a ring": doubling("anyOf", 20, again),
        "embedded": {"$id": "http://a/", "allOf": [{"$ref": "b0"}], "$defs": {
            f"b{i}": {"$id": f"b{i}", "allOf": [{"$ref": f"b{i + 1}"}] * 2} for i in range(20)} | {"b20": {"$id": "b20"}}},
        "old dependencies": {"$ref": "#/$defs/a0", "$defs": {
            f"a{i}": {"dependencies": {"x": {"$ref": f"#/$defs/a{i + 1}"}, "y": {"$ref": f"#/$defs/a{i + 1}"}}} for i in range(20)}
            | {"a20": {}}},
        "a long chain": chain(5_000),
        "deep": deep_schema(100_000),
        "many parts": {"enum": list(range(200_000))},
        "ten megabytes": {"properties": {f"p{i}": {"type": "string", "description": "x" * 300} for i in range(34_000)}},
    }[name]  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["anyOf", "oneOf", "allOf", "a ring", "embedded", "old dependencies", "a long chain", "deep", "many parts", "ten megabytes"],
)
def test_a_schema_bomb_is_refused_at_load(name):
    schema = bomb(name)
    assert cpu_seconds(lambda: refusal(schema)) < 1
    assert cpu_seconds(lambda: list(mistakes(schema))) < 1


def test_a_schema_may_refer_to_itself_and_nest_64_deep():
    assert Validator({"properties": {"a": {"$ref": "#"}}}).is_valid(nested(60))
    assert not Validator(deep_schema(63)).is_valid(1)
    assert "64 levels" in refusal(deep_schema(65)).message


@pytest.mark.parametrize("schema", [{"$ref": "#"}, {"allOf": [{"$ref": "#"}]}, {"$dynamicRef": "#x", "$dynamicAnchor": "x"}])
def test_a_schema_that_is_only_itself_ends(schema):
    assert Validator(schema).is_valid(1)
    assert Validator(schema).violations(1) == []


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf", "allOf"])
def test_a_recursion_that_doubles_at_each_level_is_named_in_time(keyword):
    form = {"properties": {"a": {"$ref": "#"}}, "not": {"type": "string"}}
    validator = Validator({keyword: [form, form]})
    assert cpu_seconds(lambda: validator.is_valid(nested(63))) < 1
    assert cpu_seconds(lambda: validator.violations(nested(63))) < 1
    assert [violation.keyword for violation in validator.violations(nested(63))] == ["schema"]
    assert {violation.keyword for violation in validator.violations(nested(1))} <= {keyword, "not"}


def test_of_a_large_instance_the_wrong_parts_are_named():
    order = {"type": "object", "properties": {f"p{i}": {"type": "integer"} for i in range(20)}, "required": ["p1"]}
    validator = Validator({"properties": {"orders": {"type": "array", "items": order}, "x~/y": {"type": "string"}}})
    row = {f"p{i}": i for i in range(20)}
    wrong = {"orders": [row] * 700 + [row | {"p7": "x"}], "x~/y": 5}
    found = {(violation.path, violation.keyword) for violation in validator.violations(wrong)}
    assert found == {(("orders", 700, "p7"), "type"), (("x~/y",), "type")}
    assert validator.violations({"orders": [row] * 700}) == []


def test_a_large_instance_that_is_wrong_all_over_is_named_in_time():
    alternatives = {"anyOf": [{"type": "string", "minLength": length} for length in range(20)]}
    for schema in ({"items": alternatives}, {"items": {"enum": [[i] for i in range(10_000)]}}, {"additionalProperties": alternatives}):
        validator = Validator(schema)
        for instance in (list(range(9_000)), {str(i): i for i in range(9_000)}):
            assert cpu_seconds(lambda v=validator, i=instance: v.violations(i)) < 1
            assert len(validator.violations(instance)) <= 20


def test_only_what_holds_schemas_is_walked():
    schema = {
        "properties": {"properties": {"type": "object"}, "enum": True},
        "enum": [{"not": {}}],
        "default": {"items": {}},
        "allOf": [{"items": {"minLength": 1}}],
        "dependencies": {"a": ["b"], "c": {"maxLength": 1}},
    }
    assert sorted(path for path, _ in walk(schema)) == [
        (),
        ("allOf", 0),
        ("allOf", 0, "items"),
        ("dependencies", "c"),
        ("properties", "properties"),
    ]
    assert list(children(True)) == []


def test_references_are_followed_from_where_they_stand():
    inner = {"$id": "https://b.example/x", "items": {"$ref": "#/$defs/y"}, "$defs": {"y": {"const": 1}}}
    schema = {"properties": {"a": inner, "b": {"$ref": "https://b.example/x"}, "c": {"$ref": "#/$defs/y"}}}
    targets, lost = references(schema)
    assert targets[id(inner["items"])] == [{"const": 1}]
    assert targets[id(schema["properties"]["b"])] == [inner]
    assert lost == [(("properties", "c", "$ref"), "#/$defs/y")]
