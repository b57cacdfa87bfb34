from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.expressions import EvaluationError, ExpressionError, Scope, compile_bare
from bridge.core.signatures import MAX_TEXT, REGISTERED

SCOPE = Scope(frozenset({"body"}))
GENERATED = settings(max_examples=300, deadline=None, database=None)


def value_of(text, body=None):
    return compile_bare(text, SCOPE)({"body": body})


def fails(text, body=None):
    with pytest.raises(EvaluationError) as caught:
        value_of(text, body)
    return str(caught.value)


def refused(text):
    with pytest.raises(ExpressionError) as caught:
        compile_bare(text, SCOPE)
    return caught.value.message


PEOPLE = [{"id": 1, "at": {"city": "Rome"}}, {"id": 2, "at": {"city": "Oslo"}}, {"id": 3, "at": {"city": "Rome"}}, 7]


def test_find_gives_the_first_item_whose_path_equals_the_value():
    assert value_of("find(body, 'at.city', 'Rome').id", PEOPLE) == 1
    assert value_of("find(body, 'id', `2`).at.city", PEOPLE) == "Oslo"
    assert value_of("find(body, 'id', `9`)", PEOPLE) is None
    assert value_of("find(body, '@', `7`)", PEOPLE) == 7


def test_where_gives_all_of_them():
    assert value_of("where(body, 'at.city', 'Rome')[].id", PEOPLE) == [1, 3]
    assert value_of("where(body, 'at.city', 'Bern')", PEOPLE) == []


def test_searching_does_not_take_true_for_one():
    assert value_of("find(body, '@', `true`)", [1]) is None
    assert value_of("where(body, '@', `1`)", [True, 1, 1.0]) == [1, 1.0]


@pytest.mark.parametrize("path", ["a b", "a[0]", "", "a..b", ".a", "a.", "*", "a.@"])
def test_a_path_to_search_by_is_plain_names(path):
    assert "is not a path" in refused(f"find(body, '{path}', `1`)")
    assert "is not a path" in fails("find(body.items, body.path, `1`)", {"items": [], "path": path})


def test_if_chooses_by_jmespath_truth_and_takes_nulls():
    assert value_of("if(body, 'yes', 'no')", 0) == "yes"
    for nothing in (None, "", [], {}, False):
        assert value_of("if(body, 'yes', 'no')", nothing) == "no"
    assert value_of("if(body, null, 'no')", 1) is None


def test_concat_writes_values_as_text_does():
    body = {"n": 2.5, "t": True, "l": ["é", 1]}
    assert value_of("concat('a', body.n, '-', body.t, body.l)", body) == 'a2.5-true["é",1]'


EVERY_CALL = {
    "find": ["find(body, 'a', `1`)", "find(`[]`, body, `1`)", "find(`[]`, 'a', body)"],
    "where": ["where(body, 'a', `1`)", "where(`[]`, body, `1`)", "where(`[]`, 'a', body)"],
    "if": [],
    "concat": ["concat(body)", "concat('a', body)", "concat(body, 'a')"],
    "quote": ["quote(body, 'xml')", "quote('a', body)"],
    "date_add": ["date_add(body, '1d')", "date_add(`0`, body)"],
    "date_format": ["date_format(body, 'iso')", "date_format(`0`, body)", "date_format(body, 'iso', 'UTC')"],
    "add": ["add(body, `1`)", "add(`1`, body)"],
    "sub": ["sub(body, `1`)", "sub(`1`, body)"],
    "mul": ["mul(body, `1`)", "mul(`1`, body)"],
    "div": ["div(body, `1`)", "div(`1`, body)"],
    "round": ["round(body)", "round(body, `2`)"],
    "compact": ["compact(body)"],
    "split": ["split(body, ',')", "split('a', body)"],
    "replace": ["replace(body, 'a', 'b')", "replace('a', body, 'b')", "replace('a', 'a', body)"],
    "lower": ["lower(body)"],
    "upper": ["upper(body)"],
    "byte_length": ["byte_length(body)"],
    "base64": ["base64(body)"],
    "parse_json": ["parse_json(body)"],
    "to_items": ["to_items(body)"],
    "from_items": ["from_items(body)"],
}


def test_null_in_gives_null_out_for_every_function_but_if():
    assert set(EVERY_CALL) == set(REGISTERED)
    for calls in EVERY_CALL.values():
        for call in calls:
            assert value_of(call) is None, call


def test_a_wrong_type_is_a_sentence_about_the_argument():
    assert fails("find(body, 'a', `1`)", "text") == "find() takes array as its first argument, not text"
    assert fails("lower(body)", 5) == "lower() takes text as its first argument, not number"
    assert fails("add(`1`, body)", "1") == "add() takes number as its second argument, not text"
    assert fails("add(`1`, body)", True) == "add() takes number as its second argument, not boolean"
    assert fails("date_add(body, '1d')", []) == "date_add() takes text or number as its first argument, not array"
    assert fails("length(body)", 5) == "length() takes string or array or object, not number"


def test_what_is_wrong_for_certain_is_found_at_load():
    assert refused("finde(body, 'a', `1`)") == "no function is called 'finde' (did you mean 'find'?)"
    assert refused("find(body, 'a')") == "find() takes 3 arguments, not 2"
    assert refused("round(body, `1`, `2`)") == "round() takes 1 to 2 arguments, not 3"
    assert refused("concat()") == "concat() takes at least 1 argument, not 0"
    assert refused("length()") == "length() takes 1 argument, not 0"
    assert refused("lower(`5`)") == "lower() takes text as its first argument, not number"
    assert refused("length(`5`)") == "length() takes string or array or object, not number"
    assert refused("sort_by(body, 'a')") == "sort_by() takes a reference like &path there"
    assert refused("lower(&a)") == "lower() takes a value, not a reference with &"
    assert refused("length(&a)") == "length() takes a value, not a reference with &, there"
    assert "is not one of graphql, jql, odata, soql, xml" in refused("quote(body, 'sql')")
    assert "is not a duration" in refused("date_add(body, '5 minutes')")
    assert "is not a time zone" in refused("date_format(body, 'iso', 'Europe/Madird')")
    assert "is not a date format" in refused("date_format(body, 'ISO')")
    assert "is not available in a date format" in refused("date_format(body, '%Q')")
    assert "the text to look for is empty" in refused("split(body, '')")


def test_jmespaths_own_functions_stay():
    assert value_of("not_null(body.a, `0`)", {"a": None}) == 0
    assert value_of("not_null(body.a, `true`)", {"a": False}) is False
    assert value_of("join(', ', body)", ["a", "b"]) == "a, b"
    assert value_of("sort_by(body, &n)[0].n", [{"n": 2}, {"n": 1}]) == 1
    assert value_of("max_by(body, &at.city).id", PEOPLE[:3]) == 1
    assert value_of("to_number(body)", "12.5") == 12.5
    assert value_of("map(&at.city, body)", PEOPLE[:2]) == ["Rome", "Oslo"]
    assert value_of("merge(body, {b: `2`})", {"a": 1}) == {"a": 1, "b": 2}


# What each language reads back from a literal, written from its grammar and not from our code.


def read_backslashed(literal, quote):
    assert literal[0] == literal[-1] == quote
    assert len(literal) >= 2
    text, at, escapes = "", 1, {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
    while at < len(literal) - 1:
        char = literal[at]
        assert char != quote, "the literal ends early"
        assert char not in "\n\r"
        if char == "\\":
            at += 1
            assert at < len(literal) - 1, "the closing quote is escaped"
            if literal[at] == "u":
                char, at = chr(int(literal[at + 1 : at + 5], 16)), at + 4
            else:
                char = escapes.get(literal[at], literal[at])
        text, at = text + char, at + 1
    return text


def read_odata(literal):
    assert literal[0] == literal[-1] == "'"
    inside = literal[1:-1]
    assert "'" not in inside.replace("''", "")
    return inside.replace("''", "'")


READERS = {
    "soql": lambda literal: read_backslashed(literal, "'"),
    "jql": lambda literal: read_backslashed(literal, '"'),
    "odata": read_odata,
    "graphql": json.loads,
    "xml": lambda text: ElementTree.fromstring(f'<a b="{text}">{text}</a>'),
}
tricky = st.text(st.one_of(st.sampled_from("'\"\\\n\r\t<>&;%_"), st.characters(exclude_categories=["Cs"])), max_size=12)


@pytest.mark.parametrize("language", ["soql", "jql", "odata", "graphql"])
@GENERATED
@given(text=tricky)
def test_quoted_text_is_one_literal_that_reads_back(language, text):
    assert READERS[language](value_of(f"quote(body, '{language}')", text)) == text


for_xml = st.sampled_from("'\"<>&\n\r\t];x") | st.characters(max_codepoint=0xFFFD, exclude_categories=["Cs", "Cc"])


@GENERATED
@given(text=st.text(for_xml))
def test_quoted_xml_reads_back_from_an_element_and_an_attribute(text):
    element = READERS["xml"](value_of("quote(body, 'xml')", text))
    assert (element.text or "", element.get("b")) == (text, text)
    assert not list(element)


def test_quote_puts_the_quotes_around_text_and_none_around_numbers():
    assert value_of("quote(body, 'soql')", "O'Neil \\ \n") == r"'O\'Neil \\ \n'"
    assert value_of("quote(body, 'jql')", 'a "b"') == r'"a \"b\""'
    assert value_of("quote(body, 'odata')", "O'Neil") == "'O''Neil'"
    assert value_of("quote(body, 'graphql')", 'é"\x01') == '"é\\"\\u0001"'
    assert value_of("quote(body, 'xml')", "<a b='\"'>&") == "&lt;a b=&apos;&quot;&apos;&gt;&amp;"
    assert value_of("quote(body, 'soql')", 5) == "5"
    assert value_of("quote(body, 'soql')", True) == "true"


def test_what_xml_cannot_carry_is_an_error():
    assert "cannot carry" in fails("quote(body, 'xml')", "a\x00")
    assert "cannot carry" in fails("quote(body, 'xml')", "\uffff")


@pytest.mark.parametrize(
    ("call", "result"),
    [
        ("add(`0.1`, `0.2`)", 0.3), ("add(`1`, `2`)", 3), ("sub(`1.1`, `1`)", 0.1), ("sub(`1`, `2`)", -1),
        ("mul(`1.1`, `3`)", 3.3), ("mul(`4.35`, `100`)", 435.0), ("div(`1`, `4`)", 0.25), ("div(`6`, `3`)", 2),
        ("div(`0.3`, `0.1`)", 3.0), ("round(`2.675`, `2`)", 2.68), ("round(`2.5`)", 3), ("round(`-2.5`)", -3),
        ("round(`1234`, `-2`)", 1200), ("round(`7`, `2`)", 7), ("round(`1e300`, `2`)", 1e300),
        ("round(`0.5`, null)", 1),
    ],
)  # fmt: skip
def test_arithmetic_is_that_of_written_out_decimals(call, result):
    found = value_of(call)
    assert found == result
    assert type(found) is type(result)


@pytest.mark.parametrize(
    "call",
    [
        "div(`1`, `0`)", "div(`1`, `0.0`)", "mul(`1e308`, `10`)", "add(`1.7e308`, `1.7e308`)", "round(`1`, `99`)",
        "round(`1`, `0.5`)", "mul(`9223372036854775807`, `9223372036854775807`)", "round(`1e300`)", "ceil(`1e300`)",
        "sum(`[1.7e308, 1.7e308]`)",
    ],
)  # fmt: skip
def test_arithmetic_never_leaves_json(call):
    fails(call)


def test_text_that_is_no_json_number_is_not_made_one():
    for text in ("Infinity", "nan", "-inf", "1e999", "9" * 400, "five", ""):
        assert value_of("to_number(body)", text) is None


@pytest.mark.parametrize(
    ("time", "duration", "moved"),
    [
        ("2026-11-20T10:00:00Z", "30m", "2026-11-20T10:30:00Z"),
        ("2026-11-20T10:00:00.250Z", "1h30m", "2026-11-20T11:30:00.250Z"),
        ("2026-11-20T10:00:00+02:00", "-2d", "2026-11-18T10:00:00+02:00"),
        ("2026-11-20T10:00:00.000+0000", "1s", "2026-11-20T10:00:01Z"),
        ("2026-11-20T23:30:00", "1h", "2026-11-21T00:30:00Z"),
        ("2026-11-20", "2w", "2026-12-04"),
        ("2026-11-20", "90m", "2026-11-20T01:30:00Z"),
        (1_700_000_000, "1d", 1_700_086_400),
        (1_700_000_000.5, "-1s", 1_699_999_999.5),
    ],
)
def test_date_add_moves_a_time_in_its_own_form(time, duration, moved):
    assert value_of(f"date_add(body, '{duration}')", time) == moved


@pytest.mark.parametrize(
    ("time", "arguments", "written"),
    [
        ("2026-11-20T23:30:00Z", "'%Y-%m-01', 'Europe/Madrid'", "2026-11-01"),
        ("2026-11-30T23:30:00Z", "'%Y-%m-%d', 'Europe/Madrid'", "2026-12-01"),
        ("2026-07-01T00:00:00Z", "'iso', 'Europe/Madrid'", "2026-07-01T02:00:00+02:00"),
        ("2026-11-20T10:00:00+02:00", "'iso'", "2026-11-20T10:00:00+02:00"),
        ("2026-11-20T10:00:00+02:00", "'unix'", 1_795_161_600),
        ("2026-11-20T08:00:00.250Z", "'unix_ms'", 1_795_161_600_250),
        ("2026-11-20", "'unix'", 1_795_132_800),
        (1_795_161_600, "'iso'", "2026-11-20T08:00:00Z"),
        (1_795_161_600.25, "'unix'", 1_795_161_600),
        (-1, "'iso'", "1969-12-31T23:59:59Z"),
        ("2026-11-20T10:00:00Z", "'%d/%m/%y 100%%'", "20/11/26 100%"),
        ("2026-11-20T10:00:00Z", "'iso', null", "2026-11-20T10:00:00Z"),
    ],
)
def test_date_format_writes_a_time_in_a_zone(time, arguments, written):
    assert value_of(f"date_format(body, {arguments})", time) == written


@pytest.mark.parametrize("time", ["yesterday", "", "2026-13-01", 1e300, -1e300, "10:00", 10**18])
def test_what_is_no_time_is_an_error(time):
    assert "is not a time" in fails("date_add(body, '1d')", time)
    assert "is not a time" in fails("date_format(body, 'iso')", time)


def test_a_time_does_not_leave_the_calendar():
    assert "leaves the calendar" in fails("date_add(body, '9999w')", "9999-12-01")
    assert "leaves the calendar" in fails("date_format(body, 'iso', 'Asia/Tokyo')", "9999-12-31T23:00:00Z")


@pytest.mark.parametrize("form", ["%999999999d", "%E", "%", "%-d", "%c", "x" * 100_000 + "%d"])
def test_a_pattern_from_a_parameter_cannot_ask_for_the_platforms_extras(form):
    fails("date_format(`0`, body)", form)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "/etc/passwd", "Europe", "\x00", "a" * 5_000, "UTC\n"])
def test_a_zone_from_a_parameter_is_only_ever_a_zone(name):
    assert "is not a time zone" in fails("date_format(`0`, 'iso', body)", name)


def test_text_and_collections():
    assert value_of("split(body, ', ')", "a, b,c") == ["a", "b,c"]
    assert value_of("replace(body, 'a', 'bb')", "banana") == "bbbnbbnbb"
    assert value_of("lower(body)", "ÀB") == "àb"
    assert value_of("upper(body)", "àß") == "ÀSS"
    assert value_of("byte_length(body)", "é🙂") == 6
    assert value_of("base64(body)", "user:pässword") == "dXNlcjpww6Rzc3dvcmQ="
    assert value_of("parse_json(body).a[1]", '{"a": [1, 2.5]}') == 2.5
    assert value_of("compact(body)", {"a": None, "b": 0, "c": {"d": None}}) == {"b": 0, "c": {"d": None}}
    assert value_of("compact(body)", [None, 0, "", None]) == [0, ""]
    assert value_of("to_items(body)", {"a": 1}) == [{"key": "a", "value": 1}]
    assert value_of("from_items(to_items(body))", {"a": 1, "b": None}) == {"a": 1, "b": None}
    assert "needs a `key`" in fails("from_items(body)", [{"key": 1}])
    assert "needs a `key`" in fails("from_items(body)", ["a"])


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", "Infinity", "1e999", '"\\ud800"', "\ud800", "[" * 100_000, "9" * 5_000, "{'a': 1}"]
)
def test_text_that_is_no_json_is_an_error(text):
    assert "is not JSON" in fails("parse_json(body)", text)


def test_no_function_makes_text_without_bound():
    mebibyte = "a" * MAX_TEXT
    assert "longer than" in fails("replace(body, 'a', 'aa')", mebibyte)
    assert "longer than" in fails("replace(body, 'a', body)", "a" * 2_000)
    assert "longer than" in fails("concat(body, 'a')", mebibyte)
    assert "longer than" in fails("join(body.a, body.b)", {"a": mebibyte, "b": [""] * 10_000})
    assert "longer than" in fails("quote(body, 'odata')", mebibyte)
    assert "longer than" in fails("base64(body)", mebibyte + "a")
    assert "longer than" in fails("split(body, 'a')", mebibyte)
    assert value_of("replace(body, 'a', '')", mebibyte) == ""


numbers = st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
CALLS = [
    compile_bare(f"{name}({', '.join(arguments)})", Scope(frozenset({"a", "b", "c"})))
    for name, signature in REGISTERED.items()
    for arguments in ("abc"[: len(signature.kinds)], "abc"[: signature.required])
]


@settings(max_examples=500, deadline=None, database=None)
@given(st.fixed_dictionaries({"a": json_values, "b": json_values, "c": json_values}))
def test_any_values_give_json_or_an_evaluation_error(context):
    for call in CALLS:
        try:
            result = call(context)
        except EvaluationError:
            continue
        json.dumps(result, allow_nan=False)
