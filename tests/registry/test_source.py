"""Text and files: YAML 1.2 with marks, bounded, one sentence for what cannot be read."""

from __future__ import annotations

import json
import math
import os
import socket
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.located import Row, Table, locate, plain
from bridge.registry import hints
from bridge.registry.compose import MAX_ALIASES, MAX_DEPTH, MAX_MISTAKES, MAX_VALUES
from bridge.registry.source import MAX_BYTES, UnreadableError, read_file, read_text

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 11)
)


def read(text):
    problems = []
    document = read_text(text, "f.yaml", problems)
    return document, [str(found) for found in problems]


def good(text):
    document, problems = read(text)
    assert problems == []
    return document


def refusal(text):
    document, problems = read(text)
    assert document is None
    (sentence,) = problems
    return sentence


@pytest.fixture(params=["libyaml", "pure Python"])
def parser(request, monkeypatch):
    if request.param == "pure Python":
        monkeypatch.setattr(hints, "LOADER", yaml.SafeLoader)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
        ("12", 12), ("-12", -12), ("+12", 12), ("0o17", 15), ("0x1F", 31), ("1e3", 1000.0), (".5", 0.5), ("5.", 5.0),
        ("12:30:45", "12:30:45"), ("2026-11-20", "2026-11-20"), ("1_000", "1_000"), ("0b1", "0b1"), ("=", "="),
        ("'12'", "12"), ('"true"', "true"), ("!!str 12", "12"), ("!!int '5'", 5), ("! 12", "12"), ("|\n  x\n", "x\n"),
        ("9223372036854775807", 2**63 - 1), ("[1, a]", [1, "a"]), ("{b: {c: 1}}", {"b": {"c": 1}}), ("+", "+"),
    ],
)  # fmt: skip
def test_a_scalar_means_what_the_core_schema_says(written, meant):
    value = good(f"a: {written}\n")["a"]
    assert plain(value) == meant
    assert type(plain(value)) is type(meant)


def test_a_number_with_a_leading_zero_is_decimal_and_worth_a_word():
    document, problems = read("a: 010")
    assert document == {"a": 10}
    assert problems == ["f.yaml:1:4: a: warning: 010 is read as the number 10; quote it if it is text"]


@pytest.mark.parametrize("written", [".nan", ".inf", "-.Inf", "1e999", "9223372036854775808", "9" * 5_000])
def test_a_number_that_json_does_not_have_is_a_mistake(written):
    document, problems = read(f"a: {written}")
    assert "quote it if it is text" in problems[0]
    assert document == {"a": written}


def test_keys_are_the_text_they_are_written_with():
    assert list(good("404: a\nno: b\n0x10: c\n1.50: d\n'': e\ntrue: f\n")) == ["404", "no", "0x10", "1.50", "", "true"]


@pytest.mark.parametrize("key", ["null", "~"])
def test_nothing_is_no_key(key):
    assert read(f"{key}: 1")[1] == [f"f.yaml:1:1: {key}: {key!r} cannot be a name; quote it if it is text"]


@pytest.mark.parametrize("text", ["? [a]\n: b", "{[a]: b}", "a: &x b\n*x : c", "? {a: b}\n: c"])
def test_a_collection_or_alias_is_no_key(text):
    assert "a name has to be text" in refusal(text)


def test_every_value_and_key_knows_its_place():
    document = good("# first\na:\n  - b: 1\n    é c: ['x', y]\n")
    assert isinstance(document["a"], Row)
    assert isinstance(document["a"][0], Table)
    assert str(locate(document, ["a"], key=True)) == "f.yaml:2:1"
    assert str(locate(document, ["a", 0])) == "f.yaml:3:5"
    assert str(locate(document, ["a", 0, "é c"], key=True)) == "f.yaml:4:5"
    assert str(locate(document, ["a", 0, "é c", 1])) == "f.yaml:4:16"


def test_a_key_twice_is_a_mistake_that_shows_both_places():
    document, problems = read("a: 1\nb: {c: 1, d: 2, c: {e: 3}}\na: 4\n")
    assert document == {"a": 1, "b": {"c": 1, "d": 2}}
    assert problems == [
        "f.yaml:2:17: b.c: 'c' is declared twice (first at f.yaml:2:5)",
        "f.yaml:3:1: a: 'a' is declared twice (first at f.yaml:1:1)",
    ]


def test_an_alias_is_a_copy():
    document = good("a: &x {b: [1]}\nc: *x\n")
    document["c"]["b"].append(2)
    assert plain(document) == {"a": {"b": [1]}, "c": {"b": [1, 2]}}
    assert str(locate(document, ["c"])) == "f.yaml:2:4"


def test_an_alias_to_nothing_is_read_as_the_text_it_was_meant_to_be():
    document, problems = read("a: *abc\n")
    assert document == {"a": "*abc"}
    assert problems == ["f.yaml:1:4: a: '*' begins a YAML alias, and nothing is called '&abc'; quote it if it is text"]


def test_an_alias_inside_what_it_repeats_is_refused():
    assert refusal("a: &x [1, *x]") == "f.yaml:1:11: '*x' stands inside what it repeats"


@pytest.mark.owes("G1")
@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system ['x']", "!!timestamp x", "!x y", "!!binary eA==", "!!set {a}"])
def test_tags_are_refused_in_a_sentence(tag):
    _, problems = read(f"a: {tag}\n")
    assert problems[0].startswith("f.yaml:1:4: a: '!")
    assert "is a YAML tag, and a registry has none; quote it if it is text" in problems[0]


def test_merge_keys_are_refused():
    assert "merge keys" in read("a: &x {b: 1}\nc:\n  <<: *x\n")[1][0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "f.yaml:1:1: the file is empty"),
        ("# nothing\n---\n", "f.yaml:1:1: the file is empty"),
        ("- a\n", "f.yaml:1:1: expected a mapping at the top of the file, found a list"),
        ("just text\n", "f.yaml:1:1: expected a mapping at the top of the file, found text"),
        ("a: 1\n---\nb: 1\n", "f.yaml:2:1: a second document begins here; a file is one document"),
        ("a: 1\nb:\n\tc: 1\n", "f.yaml:3:1: a tab cannot be used for indentation; use spaces"),
        ("a: 'x\n", "f.yaml:1:4: the quoted text that begins here is never closed"),
        ("a: 1\nb\n", "f.yaml:2:1: expected 'name: value', and there is no ': '"),
        ("a: @x\n", "f.yaml:1:4: a value cannot begin with '@'; quote it"),
        ("a: \x07\n", "f.yaml:1:4: U+0007 may not stand in YAML; write an escape in double quotes"),
        ("a: b\u2028c\n", "f.yaml:1:5: U+2028 may not stand in YAML; write an escape in double quotes"),
        ("a: b\ufeffc\n", "f.yaml:1:5: U+FEFF may not stand in YAML; write an escape in double quotes"),
        (b"a: 1\nb: \xff\n", "f.yaml:2:4: the file is not UTF-8 text"),
        ("a: 1".encode("utf-16"), "f.yaml:1:1: the file is not UTF-8 text"),
        (b"a: \0", "f.yaml:1:4: U+0000 may not stand in YAML; write an escape in double quotes"),
        ("%TAG ! tag:x,1:\n---\na: 1\n", "f.yaml:1:1: %TAG lines are not supported"),
    ],
)
def test_what_cannot_be_read_gets_one_sentence_with_its_place(text, sentence):
    assert refusal(text) == sentence


def test_a_byte_order_mark_at_the_start_is_no_mistake():
    assert good(b"\xef\xbb\xbfa: 1\n") == {"a": 1}


def test_line_breaks_of_every_system_count_alike():
    assert [good(f"a: 1{end}b: 2{end}").values_at["b"].line for end in ("\n", "\r\n", "\r")] == [2, 2, 2]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: Refund #${{ x }}\n", "f.yaml:1:11"),
        ("a: #${{ x }}\n", "f.yaml:1:4"),
        ("a: No. # ${{ x }}\n", "f.yaml:1:8"),
        ("a: INV #A-${NAME}\n", "f.yaml:1:8"),
        ("a: {b: No. #${{ x }}\n  }\n", "f.yaml:1:12"),
    ],
)
def test_a_comment_that_swallows_an_expression_is_a_mistake(text, place):
    _, problems = read(text)
    assert [found.split(": ")[0] for found in problems] == [place]
    assert "is a comment, so the expression in it is lost" in problems[0]


@pytest.mark.parametrize(
    "text", ["a: 'x' # ${{ x }}", "a: 10s # like ${NAME}", "a: |\n  x #${{ x }}", "# ${{ x }}\na: 1", "a: x#${{ y }}", "a: # why ${X}\n  b: 1"]
)
def test_a_comment_that_is_meant_is_none(text):
    good(text)


@pytest.mark.owes("G1")
def test_limits_end_the_reading_in_a_sentence(parser):
    cases = {
        "[" * 30_000: f"nested more than {MAX_DEPTH} levels deep",
        "{a: " * 30_000: f"nested more than {MAX_DEPTH} levels deep",
        "- " * 30_000: f"nested more than {MAX_DEPTH} levels deep",
        BOMB: f"the file holds more than {MAX_VALUES:,} values",
        "a: &x y\nb: [" + "*x, " * (MAX_ALIASES + 1) + "]": f"the file holds more than {MAX_ALIASES} aliases",
        "".join(f"a{n}: &a{n} [[[[[[[[{f'*a{n - 1}' if n else ''}]]]]]]]]\n" for n in range(20)): f"nested more than {MAX_DEPTH} levels deep",
        "%TAG !a! tag:x\n" * 100_000 + "---\na: 1\n": "%TAG lines are not supported",
        "x" * (MAX_BYTES + 1): f"the file is larger than {MAX_BYTES:,} bytes",
    }
    for text, sentence in cases.items():
        assert refusal(text).endswith(sentence)


def test_as_many_values_as_there_may_be_are_read():
    assert len(good("a: [" + "b," * (MAX_VALUES - 2) + "]")["a"]) == MAX_VALUES - 2


def test_a_long_line_costs_no_more_than_many_short_ones():
    started = time.perf_counter()
    assert "values" in refusal("a: [" + "b," * (MAX_BYTES // 2 - 10) + "]")
    assert time.perf_counter() - started < 10


def test_a_file_full_of_mistakes_names_the_first_of_them():
    document, problems = read("a: 1\n" * 100_000)
    assert document is None
    assert len(problems) == MAX_MISTAKES + 1
    assert problems[-1].endswith(f"more than {MAX_MISTAKES} mistakes; mend those first")


# JSON escapes what lies beyond U+FFFF as two surrogates, which YAML does not know.
texts = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]))
# A YAML key that is written without `?` has at most 1,024 characters.
keys = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=100)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None, database=None)
@given(st.dictionaries(keys, json_values, max_size=5))
def test_json_is_yaml(value):
    document, problems = read(json.dumps(value))
    assert problems == []
    assert plain(document) == value


@settings(max_examples=600, deadline=None, database=None)
@given(st.text(alphabet="ab01.-:,[]{}'\"#&*!|>%@`?~$\\ \n\t\r\ufeff\u2028é", max_size=60) | st.text(max_size=60) | st.binary(max_size=60))
def test_any_text_is_read_or_refused_in_a_sentence(text):
    document, problems = read(text)
    assert isinstance(document, Table) or problems
    if document is not None:
        assert all(math.isfinite(value) for value in document.values() if isinstance(value, float))


def test_a_file_is_read_as_bytes(tmp_path):
    (tmp_path / "f").write_bytes(b"a: 1")
    (tmp_path / "link").symlink_to(tmp_path / "f")
    assert read_file(tmp_path / "link") == b"a: 1"


@pytest.mark.owes("G1")
def test_what_is_no_regular_file_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "s"))
        sentences = {}
        for name in ("fifo", "zero", "loop", "s", ".", "none", "a\0b", "x" * 5_000):
            with pytest.raises(UnreadableError) as caught:
                read_file(tmp_path / name)
            sentences[name[:4]] = str(caught.value)
    assert sentences["fifo"] == sentences["zero"] == "it is not a regular file"
    assert sentences["."] == "it is a folder"
    assert sentences["none"] == "there is no such file"
    assert all("it cannot be opened" in sentences[name] for name in ("loop", "s", "a\0b", "xxxx"))


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="no file here that opens and cannot be read")
def test_a_file_that_fails_while_it_is_read_is_told_apart():
    with pytest.raises(UnreadableError, match=r"it cannot be read \(.+\)"):
        read_file(Path("/proc/self/mem"))


@pytest.mark.owes("G1")
def test_a_huge_sparse_file_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(2 * 1024**3)
    started = time.perf_counter()
    with pytest.raises(UnreadableError, match="larger than 2,097,152 bytes"):
        read_file(tmp_path / "sparse")
    assert time.perf_counter() - started < 10
