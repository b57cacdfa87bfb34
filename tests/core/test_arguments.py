"""Arguments of a tool: what is accepted, how it is completed, and what is said of mistakes."""

from __future__ import annotations

import copy
import gc
import json
import re
import time
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.arguments import Arguments
from bridge.core.completion import completion_of
from bridge.core.schemas import SchemaError
from bridge.core.wording import Wording
from bridge.errors import InvalidParameters


def tool(*required: str, **properties: Any) -> dict[str, Any]:
    declared = {name: {"type": part} if isinstance(part, str) else part for name, part in properties.items()}
    return {"type": "object", "properties": declared, "required": list(required), "additionalProperties": False}


def refused(schema: Any, raw: Any, **options: Any) -> InvalidParameters:
    with pytest.raises(InvalidParameters) as caught:
        Arguments.compile(schema, **options).accept(raw)
    return caught.value


def says(part: Any, value: Any, **options: Any) -> str:
    """Return what is said of `value` given for the parameter `a` that has the schema `part`."""
    return refused(tool(a=part), {"a": value}, **options).message


# What is accepted


def test_what_fits_is_accepted_and_what_was_given_stays_as_it_was():
    schema = tool("id", id="string", n="integer", order={"type": "object", "properties": {"n": {"type": "integer", "default": 1}}})
    raw = {"id": "x", "n": 5.0, "order": {"sku": 2.0}}
    before = copy.deepcopy(raw)
    assert Arguments.compile(schema).accept(raw) == {"id": "x", "n": 5, "order": {"sku": 2.0, "n": 1}}
    assert raw == before


def test_what_is_accepted_is_a_copy_even_where_nothing_changed():
    arguments, raw = Arguments.compile(tool(a="string")), {"a": "x"}
    accepted = arguments.accept(raw)
    accepted["b"] = 1
    assert raw == {"a": "x"}


@pytest.mark.parametrize("raw", [None, [], "x", 5, True])
def test_arguments_are_an_object(raw):
    assert refused(tool(), raw).message.startswith("The parameters must be an object, not ")


def test_a_schema_that_cannot_be_used_is_refused_when_it_is_compiled():
    with pytest.raises(SchemaError):
        Arguments.compile({"properties": {"a": {"type": "strin"}}})


@pytest.mark.parametrize("value", [object(), "\ud800", {1: 2}])
def test_a_value_that_json_does_not_have_is_refused(value):
    assert says({"type": "string", "pattern": "^x"}, value) == "The parameters hold a value that JSON does not have"


# Defaults


def test_defaults_are_filled_in_at_the_top_and_below():
    lines = {"type": "array", "items": {"type": "object", "properties": {"n": {"default": 1}}}}
    address = {"type": "object", "default": {}, "properties": {"country": {"default": "ES"}, "city": {}}}
    schema = tool(priority={"default": "medium"}, lines=lines, address=address, note="string")
    assert Arguments.compile(schema).accept({"lines": [{}, {"n": 2}]}) == {
        "priority": "medium",
        "lines": [{"n": 1}, {"n": 2}],
        "address": {"country": "ES"},
    }


def test_a_given_value_wins_over_the_default_also_when_it_is_null():
    arguments = Arguments.compile(tool(a={"default": 5, "type": ["integer", "null"]}))
    assert arguments.accept({"a": None}) == {"a": None}
    assert arguments.accept({}) == {"a": 5}


def test_a_default_is_new_for_every_call():
    arguments = Arguments.compile(tool(tags={"type": "array", "default": []}))
    arguments.accept({})["tags"].append("x")
    assert arguments.accept({}) == {"tags": []}


def test_defaults_are_found_behind_references_and_in_all_of_but_not_in_alternatives():
    schema = {
        "allOf": [{"$ref": "#/$defs/paged"}, {"properties": {"b": {"allOf": [{"default": 2}]}}}],
        "anyOf": [{"properties": {"c": {"default": 3}}}, {}],
        "if": {"properties": {"d": {"default": 4}}},
        "then": {"properties": {"d": {"default": 5}}},
        "$defs": {"paged": {"properties": {"a": {"$ref": "#/$defs/size"}}}, "size": {"default": 1}},
    }
    assert Arguments.compile(schema).accept({}) == {"a": 1, "b": 2}


def test_defaults_of_members_that_are_not_named_apply_to_those_only():
    other = {"type": "object", "properties": {"x": {"default": 1}}}
    schema = {"properties": {"known": {}}, "additionalProperties": other}
    assert Arguments.compile(schema).accept({"known": {}, "more": {}}) == {"known": {}, "more": {"x": 1}}


def test_a_schema_that_refers_to_itself_is_completed_all_the_way_down():
    schema = {"properties": {"n": {"type": "integer", "default": 1}, "child": {"$ref": "#"}}}
    given_down = {"child": {"child": {"n": 7.0}}}
    assert Arguments.compile(schema).accept(given_down) == {"n": 1, "child": {"n": 1, "child": {"n": 7}}}


def test_a_missing_parameter_with_a_default_is_not_missing():
    assert Arguments.compile(tool("a", a={"default": 1})).accept({}) == {"a": 1}


def test_defaults_of_members_that_are_not_named_leave_alone_what_a_pattern_names():
    schema = {"patternProperties": {"^x-": {}}, "additionalProperties": {"properties": {"n": {"default": 1}}}}
    assert Arguments.compile(schema).accept({"x-a": {}}) == {"x-a": {}}


@pytest.mark.parametrize(
    "schema",
    [True, tool("a", a={"type": "string", "minLength": 1}, b={"enum": [1]}, c={"items": {"type": "number"}}, d={"anyOf": [{}]})],
)
def test_where_there_is_nothing_to_complete_nothing_is_done(schema):
    assert completion_of(schema, {}) is None


# Integers


@pytest.mark.parametrize(
    "part",
    [
        {"type": "integer"},
        {"type": ["integer", "null"]},
        {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        {"oneOf": [{"type": "string"}, {"allOf": [{"type": "integer"}]}]},
        {"$ref": "#/$defs/count"},
    ],
)
def test_five_point_zero_is_the_integer_five(part):
    accepted = Arguments.compile({**tool(a=part), "$defs": {"count": {"type": "integer"}}}).accept({"a": 5.0})
    assert json.dumps(accepted) == '{"a": 5}'


def test_integers_are_found_in_arrays_tuples_and_unnamed_members():
    schema = tool(
        list={"items": {"type": "integer"}},
        pair={"prefixItems": [{"type": "integer"}, {}], "items": {"type": "integer"}},
        map={"additionalProperties": {"type": "integer"}},
        marked={"patternProperties": {"^n": {"type": "integer"}}},
    )
    raw = {"list": [1.0, 2], "pair": [1.0, 2.0, 3.0], "map": {"x": 1.0}, "marked": {"n": 1.0}}
    shown = json.dumps(Arguments.compile(schema).accept(raw))
    assert shown == '{"list": [1, 2], "pair": [1, 2.0, 3], "map": {"x": 1}, "marked": {"n": 1}}'
    assert json.dumps(Arguments.compile(schema).accept({"pair": [1.0]})) == '{"pair": [1]}'


@pytest.mark.parametrize("part", [{"type": "number"}, {"type": ["integer", "number"]}, {}, {"const": 5}])
def test_where_any_number_fits_a_float_stays_one(part):
    assert json.dumps(Arguments.compile(tool(a=part)).accept({"a": 5.0})) == '{"a": 5.0}'


def test_a_float_beyond_exact_integers_is_not_made_up_into_one():
    assert json.dumps(Arguments.compile(tool(a="integer")).accept({"a": 1e300})) == '{"a": 1e+300}'


def test_a_boolean_is_no_integer():
    assert says("integer", True) == "'a' must be an integer, not a boolean"


# Fixed members


def test_fixed_members_are_added_and_never_taken_from_the_caller():
    arguments = Arguments.compile(tool(a="string"), fixed={"source": "ai", "tags": ["x"]})
    accepted = arguments.accept({"a": "x"})
    assert accepted == {"a": "x", "source": "ai", "tags": ["x"]}
    accepted["tags"].append("y")
    assert arguments.accept({}) == {"source": "ai", "tags": ["x"]}
    for schema in (tool(a="string"), {"properties": {"a": {}}}):
        assert refused(schema, {"source": "me"}, fixed={"source": "ai"}).message == "Unknown parameter 'source'"


# Sentences


def test_every_mistake_is_told_at_once_with_its_pointer():
    line = {"type": "object", "properties": {"sku": {"type": "string"}, "n": {"type": "integer"}}}
    line |= {"required": ["sku"], "additionalProperties": False}
    schema = tool("sessionId", "age", sessionId="string", age="integer", items={"items": line}, **{"a/b~": "string"})
    error = refused(schema, {"age": "x", "items": [{"sku": "a"}, {"n": 1}, {"sku": 5, "m": 1}], "a/b~": 1, "Age": 2})
    assert error.message == "; ".join(detail.message for detail in error.details)
    assert {detail.path: detail.message for detail in error.details} == {
        "/sessionId": "Missing required parameter 'sessionId'",
        "/age": "'age' must be an integer, not a string",
        "/items/1/sku": "Missing required parameter 'items[1].sku'",
        "/items/2/sku": "'items[2].sku' must be a string, not a number",
        "/items/2/m": "Unknown parameter 'items[2].m'",
        "/a~1b~0": "'a/b~' must be a string, not a number",
        "/Age": "Unknown parameter 'Age' (did you mean 'age'?)",
    }


@pytest.mark.owes("B6")
@pytest.mark.parametrize(
    ("part", "value", "sentence"),
    [
        ("integer", "1", "'a' must be an integer, not a string"),
        ("integer", 2.5, "'a' must be an integer, not 2.5"),
        ("number", None, "'a' must be a number, not null"),
        ("boolean", 1, "'a' must be a boolean, not a number"),
        ("array", {}, "'a' must be an array, not an object"),
        ({"type": ["null", "string", "array"]}, 1, "'a' must be a string, an array or null, not a number"),
        ({"enum": ["low", "medium", "high", "urgent"]}, "x", "'a' must be one of low, medium, high, urgent"),
        ({"enum": ["a b", "", 5, None]}, "x", "'a' must be one of \"a b\", \"\", 5, null"),
        ({"enum": ["only"]}, "x", "'a' must be only"),
        ({"enum": list(range(25))}, "x", f"'a' must be one of {', '.join(map(str, range(20)))} (and 5 more)"),
        ({"const": {"x": 1}}, 2, "'a' must be {\"x\": 1}"),
        ({"pattern": "^ORD-[0-9]+$"}, "ORD-x", "'a' must match the pattern ^ORD-[0-9]+$, not 'ORD-x'"),
        ({"format": "email"}, "ada", "'a' must be an email address, not 'ada'"),
        ({"format": "date"}, "1.2.26", "'a' must be a date like 2026-01-31, not '1.2.26'"),
        ({"minLength": 1}, "", "'a' must have at least 1 character, not 0"),
        ({"maxLength": 2}, "abc", "'a' must have at most 2 characters, not 3"),
        ({"minimum": 5}, 4, "'a' must be at least 5, not 4"),
        ({"maximum": 5}, 5.5, "'a' must be at most 5, not 5.5"),
        ({"exclusiveMinimum": 5}, 5, "'a' must be more than 5, not 5"),
        ({"exclusiveMaximum": 5}, 5, "'a' must be less than 5, not 5"),
        ({"multipleOf": 5}, 7, "'a' must be a multiple of 5, not 7"),
        ({"minItems": 2}, [1], "'a' must have at least 2 items, not 1"),
        ({"maxItems": 1}, [1, 2], "'a' must have at most 1 item, not 2"),
        ({"uniqueItems": True}, [1, 1], "'a' must not hold the same item twice"),
        ({"contains": {"const": 1}}, [2], "'a' does not hold the right number of the items it should"),
        ({"prefixItems": [{}], "unevaluatedItems": False}, [1, 2], "'a' has more items than it may have"),
        ({"minProperties": 1}, {}, "'a' must have at least 1 member, not 0"),
        ({"maxProperties": 0}, {"x": 1}, "'a' must have at most 0 members, not 1"),
        ({"propertyNames": {"pattern": "^x-"}}, {"y": 1}, "the name 'y' in 'a' must match the pattern ^x-"),
        ({"properties": {"x": False}}, {"x": 1}, "'a.x' must not be given"),
        ({"not": {"type": "string"}}, "x", "'a' has a value that is not allowed"),
        ({"required": ["x"]}, {}, "Missing required parameter 'a.x'"),
        ({"dependentRequired": {"x": ["y"]}}, {"x": 1}, "Missing required parameter 'a.y'"),
        ({"properties": {"x": {}}, "unevaluatedProperties": False}, {"y": 1}, "Unknown parameter 'a.y'"),
        ({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]}, 0, "'a' must be at least 1, not 0"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "x", "'a' must be an integer or null, not a string"),
        ({"oneOf": [{"format": "email"}, {"pattern": "^x"}]}, "y", "'a' must be an email address or must match the pattern ^x"),
        ({"anyOf": [{"required": ["x"]}, {"minProperties": 2}]}, {},
         "'a' fits none of its 2 forms; the nearest: Missing required parameter 'a.x'"),
        ({"oneOf": [{"minimum": 1}, {"maximum": 9}]}, 5, "'a' must fit only one of its 2 forms"),
    ],
)  # fmt: skip
def test_each_rule_has_its_sentence(part, value, sentence):
    assert says(part, value) == sentence


FORMS = {
    "oneOf": [
        {"type": "object", "properties": {"kind": {"const": "card"}, "number": {"type": "string"}}, "required": ["kind", "number"]},
        {"type": "object", "properties": {"kind": {"const": "bank"}, "iban": {"type": "string"}}, "required": ["kind", "iban"]},
    ]
}


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"kind": "card", "number": 5}, "'a.number' must be a string, not a number"),
        ({"kind": "cash", "number": "5"}, "'a.kind' must be card or bank"),
        ({"kind": "bank"}, "Missing required parameter 'a.iban'"),
        ({}, "give kind and number or kind and iban in 'a'"),
        (5, "'a' must be an object, not a number"),
    ],
)
def test_of_several_forms_the_one_that_was_meant_is_told(value, sentence):
    assert says(FORMS, value) == sentence


def test_where_no_form_was_clearly_meant_the_nearest_is_told():
    forms = [{"required": ["x", "y"]}, {"properties": {"x": {"type": "integer"}, "z": {"minimum": 5}}}]
    sentence = "'a' fits none of its 2 forms; the nearest: 'a.z' must be at least 5, not 1"
    assert says({"anyOf": [{**forms[0], "minProperties": 9}, forms[1]]}, {"z": 1}) == sentence


@pytest.mark.parametrize(
    ("rule", "given_names", "sentence"),
    [
        ({"anyOf": [{"required": ["customer_id"]}, {"required": ["email"]}]}, "", "give customer_id or email"),
        ({"anyOf": [{"required": ["a"]}, {"required": ["b", "c"]}]}, "", "give a or b and c"),
        ({"anyOf": [{"required": ["a"]}, {"required": ["b", "c"]}]}, "c", "give a or b"),
        ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, "ab", "give only one of a or b"),
        ({"not": {"required": ["a"]}}, "a", "'a' must not be given"),
        ({"not": {"required": ["a", "b"]}}, "ab", "'a' and 'b' must not be given together"),
        ({"minProperties": 1}, "", "the parameters must have at least 1 member, not 0"),
    ],
)
def test_rules_between_parameters_read_like_advice(rule, given_names, sentence):
    error = refused({"properties": {"customer_id": {}, "email": {}}, **rule}, dict.fromkeys(given_names, 1))
    assert error.message == sentence
    assert [detail.path for detail in error.details] == [""]


def test_a_mistake_in_one_of_a_thousand_items_is_told_without_a_guess():
    order = tool(**{f"p{index}": "integer" for index in range(20)})
    raw = {"orders": [{f"p{index}": 1 for index in range(20)}] * 900 + [{"order": 1}]}
    assert refused(tool(orders={"items": order}), raw).message == "Unknown parameter 'orders[900].order'"


def test_after_twenty_mistakes_the_rest_is_counted():
    error = refused({"additionalProperties": {"type": "integer"}}, {f"k{index}": "x" for index in range(30)})
    assert len(error.details) == 20
    assert error.message.endswith("; 'k19' must be an integer, not a string; and 10 more")


def test_ten_thousand_unknown_parameters_are_answered_in_time():
    arguments = Arguments.compile(tool(**{f"known_{index}": "string" for index in range(50)}))
    raw = {f"knwon_{index}": index for index in range(9_000)}
    start = time.process_time()
    with pytest.raises(InvalidParameters, match="and 8980 more"):
        arguments.accept(raw)
    assert time.process_time() - start < 2


# How much of a value is repeated


@pytest.mark.owes("B6")
@pytest.mark.parametrize("part", [{"pattern": "^x"}, {"format": "email"}, {"enum": ["a"]}, {"maxLength": 1}, {"type": "integer"}])
def test_at_most_a_hundred_characters_of_a_value_are_repeated(part):
    assert says(part, "S" * 10_000).count("S") <= 100
    assert len(says({"additionalProperties": False}, {"K" * 10_000: 1})) < 250
    assert len(says({"additionalProperties": {"type": "integer"}}, {"K" * 10_000: "x"})) < 250
    assert len(says({"maximum": 1}, 10**99 + 1)) < 250


def test_pointers_do_not_repeat_endless_names_either():
    error = refused(tool(), {"K" * 10_000: 1})
    assert len(error.details[0].path) < 150


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=1), st.text(min_size=1))
def test_no_control_character_reaches_a_sentence(name, value):
    error = refused({"additionalProperties": {"pattern": "(?!)^never$", "maxLength": 0}}, {name: value})
    assert all(detail.message.isprintable() for detail in error.details)
    assert error.message.isprintable()


SECRET_PART = {
    "type": ["string", "object", "number", "array"],
    "pattern": "^x",
    "minLength": 99,
    "maximum": 1,
    "format": "email",
    "additionalProperties": False,
    "properties": {"deep": {"items": {"pattern": "^x", "maxLength": 2, "enum": ["allowed"]}}},
    "propertyNames": {"maxLength": 4},
    "anyOf": [{"const": "allowed"}, {"properties": {"deep": {"items": {"format": "uuid"}}}, "minProperties": 3, "maxItems": 0}],
}


@pytest.mark.owes("B6")
@pytest.mark.parametrize("value", ["hunter2", 7777777, 777.7777, ["hunter2"], {"deep": ["hunter2", 7777777]}, {"hunter2": 1}])
def test_nothing_of_a_secret_is_repeated_also_below_it(value):
    error = refused(tool(a=SECRET_PART), {"a": value}, secret={"a"})
    told = error.message + "".join(detail.path for detail in error.details)
    assert "hunter" not in told
    assert "777" not in told
    assert "'a" in told


def test_neither_the_length_of_a_secret_nor_its_fraction_is_told():
    assert says({"type": "integer"}, 2.5, secret={"a"}) == "'a' must be an integer, not a number"
    assert says({"minLength": 99}, "hunter2", secret={"a"}) == "'a' must have at least 99 characters"


# Beside the reference

names = st.sampled_from(["a", "b", "c"])
scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9).map(lambda x: round(x, 1)) | st.text("ab", max_size=3)
instances = st.recursive(
    scalars, lambda some: st.lists(some, max_size=3) | st.dictionaries(names, some, max_size=3), max_leaves=6
)
leaf_rules = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object"]),
        "enum": st.lists(scalars, min_size=1, max_size=3, unique_by=json.dumps),
        "const": scalars,
        "minLength": st.integers(0, 3),
        "maxLength": st.integers(0, 3),
        "pattern": st.sampled_from(["^a", "b$", "^(a|b)*$"]),
        "minimum": st.integers(-5, 5),
        "exclusiveMaximum": st.integers(-5, 5),
        "multipleOf": st.sampled_from([1, 2, 3]),
        "minItems": st.integers(0, 2),
        "uniqueItems": st.booleans(),
        "maxProperties": st.integers(0, 2),
    },
)
rules = st.recursive(
    leaf_rules,
    lambda some: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(names, some, max_size=3),
            "required": st.lists(names, max_size=2, unique=True),
            "additionalProperties": st.booleans() | some,
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "c"]), some, max_size=1),
            "items": some,
            "prefixItems": st.lists(some, min_size=1, max_size=2),
            "contains": some,
            "anyOf": st.lists(some, min_size=1, max_size=3),
            "oneOf": st.lists(some, min_size=1, max_size=3),
            "allOf": st.lists(some, min_size=1, max_size=2),
            "not": some,
            "if": some,
            "then": some,
            "propertyNames": leaf_rules,
            "dependentRequired": st.dictionaries(names, st.lists(names, max_size=1), max_size=1),
            "unevaluatedProperties": st.booleans(),
        },
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(names, rules, max_size=3), st.lists(names, max_size=2, unique=True), st.dictionaries(names, instances))
def test_arguments_are_judged_as_the_reference_judges_them(properties, required, raw):
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    fits = jsonschema.Draft202012Validator(schema).is_valid(raw)
    before = copy.deepcopy(raw)
    try:
        accepted = Arguments.compile(schema).accept(raw)
    except InvalidParameters as error:
        told = error.message
        assert not fits, told
        assert told
        assert not re.search(r"breaks the rule", told)
        return
    assert fits
    assert accepted == raw == before
    assert Arguments.compile(schema).accept(accepted) == accepted


def test_a_refusal_leaves_no_work_for_the_garbage_collector():
    arguments = Arguments.compile({"type": "object", "required": ["id"]})
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            with pytest.raises(InvalidParameters):
                arguments.accept({})
        held = [found for found in gc.get_objects() if isinstance(found, Wording)]
    finally:
        gc.enable()
    assert held == []
