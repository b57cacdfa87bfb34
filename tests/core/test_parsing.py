"""The strict JSON parser of every door, and the writer."""

from __future__ import annotations

import json
import math
import time
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.parsing import MAX_DIGITS, dump_json, parse_json
from bridge.errors import InvalidRequest, InvalidResult


def refusal(body: bytes, **limits) -> str:
    with pytest.raises(InvalidRequest) as caught:
        parse_json(body, **limits)
    return caught.value.message


def cpu_seconds(body: bytes) -> float:
    start = time.process_time()
    refusal(body)
    return time.process_time() - start


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def test_a_call_is_read_as_it_was_written():
    body = b' {"tool": "t", "parameters": {"a": [1, -2.5e3, true, null, "\xc3\xa9\\n\\u00e9\\ud83d\\ude00"]}}\r\n'
    assert parse_json(body) == {"tool": "t", "parameters": {"a": [1, -2500.0, True, None, "é\né😀"]}}


@pytest.mark.owes("A4")
def test_a_minus_before_zero_is_kept():
    assert [math.copysign(1, zero) for zero in parse_json(b"[-0, 0, -0.0]")] == [-1, 1, -1]


@pytest.mark.owes("A3")
@pytest.mark.parametrize(
    ("body", "key"),
    [(b'{"a": 1, "a": 2}', "a"), (b'[{"x": {"y": 1, "z": 2, "y": 3}}]', "y"), (b'{"a": 1, "\\u0061": 2}', "a")],
)
def test_a_double_key_at_any_depth_is_named(body, key):
    assert refusal(body) == f"The body names the key {key!r} twice in one object"


def test_a_double_key_is_repeated_only_in_part_and_escaped():
    key = "k\\u0007" + "x" * 10_000
    message = refusal(f'{{"{key}": 1, "{key}": 2}}'.encode())
    assert "\\x07" in message
    assert len(message) < 200


@pytest.mark.owes("A4")
@pytest.mark.parametrize("name", ["NaN", "Infinity", "-Infinity"])
def test_what_only_javascript_calls_a_number_is_refused(name):
    assert refusal(b'{"a": [%s]}' % name.encode()) == f"{name} is not JSON"


@pytest.mark.owes("A4")
@pytest.mark.parametrize("number", [b"1e999", b"-1e999", b"9" * 400 + b".0"])
def test_a_number_that_would_become_infinite_is_refused(number):
    assert "too large" in refusal(b'{"a": %s}' % number)


def test_an_integer_of_twenty_digits_is_left_to_the_schema():
    assert parse_json(b"-12345678901234567890") == -12345678901234567890
    assert parse_json(b"9" * MAX_DIGITS) == 10**MAX_DIGITS - 1


@pytest.mark.owes("A5")
@pytest.mark.parametrize("digits", [MAX_DIGITS + 1, 400, 5_000, 1_000_000])
def test_an_endless_integer_is_refused_cheaply(digits):
    assert cpu_seconds(b'{"a": ' + b"7" * digits + b"}") < 0.2
    assert "digits" in refusal(b"7" * digits)


@pytest.mark.owes("A2")
def test_64_levels_are_accepted_and_65_are_not():
    assert parse_json(nested(64))
    assert parse_json(b'{"a":' * 63 + b"[]" + b"}" * 63)
    assert refusal(nested(65)) == "The body is nested more than 64 levels deep"
    assert "nested" in refusal(b'{"a":' * 65 + b"1" + b"}" * 65)
    assert "nested" in refusal(b'[1,{"a":' * 33 + b"1" + b"}]" * 33)
    assert parse_json(nested(3), max_depth=3)
    assert "3 levels" in refusal(nested(4), max_depth=3)


def test_brackets_inside_text_are_not_levels():
    text = "[" * 200 + '{"\\' * 200
    assert parse_json(json.dumps({"a": text, "b\\": ["\\", text]}).encode()) == {"a": text, "b\\": ["\\", text]}


def test_closing_brackets_inside_text_do_not_hide_levels():
    assert "nested" in refusal(b'["]",' * 65 + b"1" + b"]" * 65)
    assert "nested" in refusal(b'["\\"]",' * 65 + b"1" + b"]" * 65)
    assert "nested" in refusal(b'["\\\\",' * 65 + b"1" + b"]" * 65)


@pytest.mark.owes("A1")
@pytest.mark.parametrize("body", [b"[" * 100_000, nested(100_000), b'{"a":' * 100_000, b"[{" * 500_000, b'["]",' * 200_000])
def test_endless_nesting_is_refused_cheaply(body):
    assert cpu_seconds(body) < 0.5


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'["]",'])
def test_endless_nesting_that_is_never_closed_ends_before_the_decoder_does(opening):
    for depth in (130, 2_000, 9_000):
        assert "nested" in refusal(opening * depth, max_nodes=None)


def test_ten_thousand_values_are_accepted_and_one_more_is_not():
    assert len(parse_json(b"[" + b"1," * 9_998 + b"1]")) == 9_999
    assert "10,000 values" in refusal(b"[" + b"1," * 9_999 + b"1]")


def test_every_value_counts_and_text_does_not():
    commas = json.dumps("," * 50_000).encode()
    assert len(parse_json(b"[" + commas + b",1" * 9_998 + b"]")) == 9_999
    assert refusal(b"[" + commas + b",1" * 9_999 + b"]") == "The body holds more than 10,000 values"
    assert "values" in refusal(b"[" + b"[],{}," * 5_000 + b"1]")
    assert parse_json(b"[" + b"[], { }," * 4_999 + b"1]")
    assert len(parse_json(b"[1" + b",1" * 20_000 + b"]", max_nodes=None)) == 20_001


@pytest.mark.owes("A9")
def test_a_million_small_keys_are_refused_cheaply():
    body = b"{" + b",".join(b'"%d":1' % index for index in range(100_000)) + b"}"
    assert cpu_seconds(body) < 1


def test_a_backtracking_trap_for_the_search_for_text_is_refused_cheaply():
    assert cpu_seconds(b'"' + b"\\" * 1_000_001) < 0.5
    assert cpu_seconds(b'["' * 300_000) < 0.5
    assert cpu_seconds(b'["' + b"\\\\" * 500_000 + b"\\u0000") < 0.5


@pytest.mark.owes("A6")
@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "The body is empty"),
        (b" \n", "The body is empty"),
        (b"\xef\xbb\xbf{}", "The body begins with a byte order mark; send plain UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "The body is not UTF-8 (it looks like UTF-16 or UTF-32)"),
        ('{"a": 1}'.encode("utf-16-le"), "The body is not UTF-8 (it looks like UTF-16 or UTF-32)"),
        ('{"a": 1}'.encode("utf-16-be"), "The body is not UTF-8 (it looks like UTF-16 or UTF-32)"),
        ('{"a": 1}'.encode("utf-32"), "The body is not UTF-8 (it looks like UTF-16 or UTF-32)"),
        ('"é"'.encode("latin-1"), "The body is not UTF-8 (at byte 2)"),
        (b'"\xed\xa0\x80"', "The body is not UTF-8 (at byte 2)"),
        (b'"\xc0\xaf"', "The body is not UTF-8 (at byte 2)"),
        (b'{"a": 1} x', "The body goes on after the end of its JSON (at character 9)"),
        (b'{"a": 1}{}', "The body goes on after the end of its JSON (at character 9)"),
        (b'{"a": 1}\xc2\xa0', "The body goes on after the end of its JSON (at character 9)"),
        (b"{'a': 1}", "The body is not JSON: expecting property name enclosed in double quotes at line 1 column 2"),
        (b'{"a": 1,\n}', "The body is not JSON: expecting property name enclosed in double quotes at line 2 column 1"),
        (b'\n  {"a": nope}', "The body is not JSON: expecting value at line 2 column 9"),
        (b'{"a": "\n"}', "The body is not JSON: invalid control character at line 1 column 8"),
        (b"[}", "The body is not JSON: expecting value at line 1 column 2"),
    ],
)
def test_what_is_no_json_gets_a_short_sentence(body, says):
    assert refusal(body) == says


@pytest.mark.owes("A6")
@pytest.mark.parametrize("text", [r'"\ud800"', r'{"\udfff": 1}', r'["\\\ud83dx"]', r'"\uDE00\uD83D"'])
def test_half_a_surrogate_pair_is_refused(text):
    assert refusal(text.encode()) == "The body holds half of a surrogate pair in a string"


@pytest.mark.owes("A6")
def test_the_null_character_is_refused_unless_allowed():
    for body in (rb'{"a": "x\u0000"}', rb'["\\\u0000"]', rb'{"\u0000": 1}'):
        assert refusal(body) == "The body holds the character U+0000 in a string"
    assert parse_json(rb'"\u0000"', allow_nul=True) == "\0"
    assert parse_json(rb'["\\u0000", "\\\\u0000"]') == [r"\u0000", r"\\u0000"]
    assert "control character" in refusal(b'"\0"')


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda some: st.lists(some) | st.dictionaries(st.text(), some), max_leaves=20)


@settings(max_examples=200, deadline=None)
@given(values, st.booleans(), st.sampled_from([None, 1]))
def test_whatever_is_valid_reads_as_the_standard_library_reads_it(value, ascii_only, indent):
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    assert parse_json(body, allow_nul=True) == json.loads(body)
    assert json.loads(dump_json(value)) == value


@settings(max_examples=300, deadline=None)
@given(st.binary() | st.lists(st.sampled_from(list(b'[]{},:"\\u0d8e-.19 tn\xff'))).map(bytes))
def test_whatever_comes_is_read_as_the_standard_library_reads_it_or_refused(body):
    try:
        value = parse_json(body)
    except InvalidRequest:
        return
    assert json.loads(body) == value


def test_what_was_read_is_written_back():
    body = b'{"a":[1,-0.0,2.5,true,null,"\xc3\xa9"],"b":12345678901234567890123}'
    assert dump_json(parse_json(body)) == body


@pytest.mark.owes("A4")
@pytest.mark.parametrize(
    "value", [math.nan, [1, {"a": math.inf}], {"a": [None, -math.inf]}, "\ud800", {"a": date(2026, 1, 1)}, {"a": {1}}, b"x"]
)
def test_what_json_has_no_words_for_is_an_invalid_result(value):
    with pytest.raises(InvalidResult):
        dump_json(value)


def test_a_result_that_holds_itself_is_an_invalid_result():
    value: list = []
    value.append(value)
    with pytest.raises(InvalidResult):
        dump_json(value)
