from __future__ import annotations

import posixpath
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.templates import TemplateError, compile_path, encode_query
from bridge.errors import InvalidParameters

THOROUGH = settings(max_examples=3_000, deadline=None, database=None)
QUICK = settings(max_examples=1_000, deadline=None, database=None)

HOSTILE = [
    "", ".", "..", "../x", "x/..", "/", "//", "//evil", "/etc/passwd", "a/b", "..%2f", "..%2Fadmin", "%2e%2e",
    "%2E%2e", "%2e", ".%2e", "%252e%252e", "%25252e", "%2525252e%252e", "a%2fb", "a%252fb", "%5c", "%255c..",
    "\\", "..\\", "..;", "..;/", "..;jsessionid=1", ".;x", ";", ";x", " .. ", "..%20", "..%00", "%00", "\x00",
    "\r\n", "a\r\nX-Evil: 1", "%0d%0a", "\t", "\x7f", "\x85", "..?x", "..#x", "http://evil", "%c3%28/..",
]  # fmt: skip
ORDINARY = [
    "@evil", "evil:80", "#", "?", "?x=1", "&", "=", "+", " ", "a b", "%", "100%", "%zz", "50%25", "\u2024\u2024",
    "\uff0e\uff0e", "\u2025", "...", "....", "a..", "..a", "a.b", "-", "~", "é", "漢字", "🙂", "${{ 7*7 }}", "{x}",
    "{{7*7}}", "${jndi:ldap}", "'", '"', "<script>", "__proto__", "a;b", "\u2028", "\ufeff", "0", "null", "x" * 10_000,
]  # fmt: skip

fragments = st.lists(
    st.sampled_from(
        [".", "..", "/", "\\", "%", "2e", "%2e", "%2F", "%25", "25", "5c", ";", "?", "#", "a", "é", " ", "\0", "\n"]
    ),
    max_size=8,
).map("".join)
values = st.one_of(fragments, st.text(max_size=20), st.sampled_from(HOSTILE + ORDINARY))


def refusal(template, params, **options):
    with pytest.raises(InvalidParameters) as caught:
        compile_path(template, **options).expand(params)
    return caught.value


def mistake(template, **options):
    with pytest.raises(TemplateError) as caught:
        compile_path(template, **options)
    return caught.value


def decodings(path):
    yield path
    for _ in range(4):
        path = unquote(path)
        yield path


def assert_contained(path):
    """Whatever a server does with dots and encodings, the path is still `/v1/customers/X/orders/Y/end`."""
    for decoded in decodings(path):
        for seen in (decoded, posixpath.normpath(decoded), posixpath.normpath(decoded.replace("\\", "/"))):
            first, version, customers, _, orders, _, end = seen.split("/")
            assert (first, version, customers, orders, end) == ("", "v1", "customers", "orders", "end")


@pytest.mark.owes("C1")
@THOROUGH
@given(values, values)
def test_a_value_stays_in_its_segment_or_is_refused(one, two):
    template = compile_path("/v1/customers/{one}/orders/{two}/end")
    try:
        path = template.expand({"one": one, "two": two})
    except InvalidParameters:
        return
    assert path.isascii()
    assert not set(path) & set(" ?#\\;")
    _, _, _, first, _, second, _ = path.split("/")
    assert (unquote(first), unquote(second)) == (one, two)
    assert_contained(path)


@pytest.mark.owes("C1")
@QUICK
@given(values)
def test_a_value_with_slashes_allowed_stays_below_its_prefix_or_is_refused(value):
    template = compile_path("/files/{+path}", allow_slash={"path"})
    try:
        path = template.expand({"path": value})
    except InvalidParameters:
        return
    assert unquote(path) == "/files/" + value
    for decoded in decodings(path):
        assert posixpath.normpath(decoded.replace("\\", "/")).startswith("/files/")
        assert not decoded.startswith("/files//")


@pytest.mark.parametrize("value", HOSTILE)
def test_what_could_leave_the_segment_is_refused_by_name(value):
    error = refusal("/v1/{before}/{x}", {"before": "fine", "x": value})
    assert error.status == 400
    assert [detail.path for detail in error.details] == ["/x"]
    assert "'x'" in error.message


@pytest.mark.parametrize("value", ORDINARY)
def test_what_only_looks_dangerous_arrives_as_it_is(value):
    path = compile_path("/v1/customers/{x}/orders/1/end").expand({"x": value})
    assert unquote(path.split("/")[3]) == value
    assert_contained(path)


def test_two_variables_share_a_segment_without_making_dots_of_it():
    template = compile_path("/compare/{base}...{head}")
    assert template.expand({"base": "main", "head": "v1.2"}) == "/compare/main...v1.2"
    with pytest.raises(InvalidParameters):
        template.expand({"base": ".", "head": "."})


def test_everything_but_the_unreserved_characters_is_encoded():
    assert compile_path("/{x}").expand({"x": "AZaz09-._~"}) == "/AZaz09-._~"
    assert compile_path("/{x}").expand({"x": "a@b:c,!$&'()*+é"}) == "/a%40b%3Ac%2C%21%24%26%27%28%29%2A%2B%C3%A9"


def test_deeply_encoded_text_is_refused_without_decoding_it_for_ever():
    error = refusal("/{x}", {"x": "%" + "25" * 400_000 + "2e"})
    assert error.message == "Parameter 'x' is percent-encoded too often"


def test_half_a_character_is_refused():
    refusal("/{x}", {"x": "\ud800"})
    with pytest.raises(InvalidParameters):
        encode_query({"x": ["\udfff"]}, "repeat")


@pytest.mark.parametrize(
    ("value", "written"), [(5, "5"), (-5, "-5"), (2.5, "2.5"), (5.0, "5.0"), (0, "0"), (True, "true"), (False, "false")]
)
def test_numbers_and_booleans_are_written_as_in_json(value, written):
    assert compile_path("/a/{x}{?x}").expand({"x": value}) == f"/a/{written}?x={written}"


def test_a_missing_path_variable_is_a_missing_parameter():
    error = refusal("/sessions/{sessionId}", {"sessionId": None})
    assert error.message == "Missing required parameter 'sessionId'"
    assert refusal("/sessions/{sessionId}", {}).message == error.message


def test_every_bad_path_variable_is_named_at_once():
    error = refusal("/{a}/{b}/{c}", {"a": "..", "b": "fine", "c": ["x"]})
    assert [detail.path for detail in error.details] == ["/a", "/c"]
    assert error.message == "; ".join(detail.message for detail in error.details)


def test_arrays_and_objects_do_not_fit_a_path():
    for value in ([], ["x"], {}, {"a": 1}):
        assert "must be text, a number or a boolean" in refusal("/{x}", {"x": value}).message


def test_slashes_are_sent_encoded_or_plain_as_the_template_says():
    allowed = {"allow_slash": {"project"}}
    assert compile_path("/projects/{project}", **allowed).expand({"project": "group/sub"}) == "/projects/group%2Fsub"
    assert compile_path("/raw/{+project}", **allowed).expand({"project": "a/b c"}) == "/raw/a/b%20c"


@pytest.mark.parametrize("value", ["/a", "..", "a/..", "../a", "a/./b", "a/%2e%2e/b", "a\\b", "", "a/..;/b", "a\x00"])
def test_allowed_slashes_do_not_allow_dot_segments(value):
    refusal("/raw/{+path}", {"path": value}, allow_slash={"path"})
    refusal("/raw/{path}", {"path": value}, allow_slash={"path"})


def test_query_variables_are_left_out_where_they_are_null():
    template = compile_path("/search{?email,page}{&sort}")
    assert template.expand({}) == "/search"
    assert template.expand({"email": None, "sort": "a"}) == "/search?sort=a"
    assert template.expand({"email": "a@b", "page": 2, "sort": ""}) == "/search?email=a%40b&page=2&sort="


def test_a_fixed_query_stays_before_the_variables():
    template = compile_path("/search?version=2&x=%20{&q}")
    assert template.expand({}) == "/search?version=2&x=%20"
    assert template.expand({"q": "a b"}) == "/search?version=2&x=%20&q=a%20b"
    assert compile_path("/search?version=2").expand({}) == "/search?version=2"


def test_query_variables_go_by_their_wire_name_and_path_variables_do_not():
    template = compile_path("/{id}{?top}", wire={"top": "$top", "id": "ID"})
    assert template.expand({"id": 1, "top": 5}) == "/1?%24top=5"
    assert template.path_variables == {"id"}
    assert template.query_variables == {"top"}
    assert template.variables == {"id", "top"}
    assert template.prefix == "/"


@pytest.mark.parametrize(
    ("template", "arrays", "query"),
    [
        ("/x{?a}", "repeat", "a=1,b%2Cc"),
        ("/x{?a*}", "repeat", "a=1&a=b%2Cc"),
        ("/x{?a*}", "brackets", "a%5B%5D=1&a%5B%5D=b%2Cc"),
        ("/x{?a}", "brackets", "a%5B%5D=1&a%5B%5D=b%2Cc"),
        ("/x{?a*}", "indexed", "a%5B0%5D=1&a%5B1%5D=b%2Cc"),
        ("/x{?a*}", "comma", "a=1,b%2Cc"),
    ],
)
def test_arrays_in_a_template_are_joined_repeated_or_spelled_as_the_call_says(template, arrays, query):
    assert compile_path(template, arrays=arrays).expand({"a": [1, "b,c"]}) == f"/x?{query}"


scalars = st.one_of(st.text(max_size=15), st.integers(), st.booleans(), st.sampled_from(HOSTILE + ORDINARY))


def shown(value):
    return value if isinstance(value, str) else str(value).lower()


@pytest.mark.owes("C2")
@QUICK
@given(st.dictionaries(values, scalars, max_size=4))
def test_a_query_value_stays_one_value(pairs):
    encoded = encode_query(pairs, "repeat")
    assert encoded.isascii()
    assert not set(encoded) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%&=")
    assert parse_qsl(encoded, keep_blank_values=True) == [(key, shown(value)) for key, value in pairs.items()]


@pytest.mark.owes("C2")
@settings(deadline=None, database=None)
@given(st.lists(scalars, max_size=5))
def test_array_items_stay_one_value_each(items):
    for arrays, key in (("repeat", "k"), ("brackets", "k[]")):
        repeated = [(key, shown(item)) for item in items]
        assert parse_qsl(encode_query({"k": items}, arrays), keep_blank_values=True) == repeated
    indexed = [(f"k[{index}]", shown(item)) for index, item in enumerate(items)]
    assert parse_qsl(encode_query({"k": items}, "indexed"), keep_blank_values=True) == indexed
    joined = encode_query({"k": items}, "comma").partition("=")[2]
    assert [unquote(item) for item in joined.split(",")] == ([shown(item) for item in items] or [""])


def test_objects_in_a_query_get_brackets_and_nulls_are_left_out():
    pairs = {"filter": {"name": "a&b", "at": {"gte": 1, "lt": None}}, "none": None, "empty": [], "list": [None, 2]}
    sent = [("filter[name]", "a&b"), ("filter[at][gte]", "1"), ("list", "2")]
    assert parse_qsl(encode_query(pairs, "repeat")) == sent
    assert parse_qsl(encode_query({"a": [{"b": 1}, {"b": 2}]}, "indexed")) == [("a[0][b]", "1"), ("a[1][b]", "2")]
    assert parse_qsl(encode_query({"a": [{"b": 1}, None, 2]}, "comma")) == [("a", '{"b":1},2')]


@pytest.mark.parametrize(
    ("template", "sentence", "hint"),
    [
        ("customers/{x}", "begins with a slash", "/customers/{x}"),
        ("", "begins with a slash", "/"),
        ("{x}", "begins with a slash", "/{x}"),
        ("https://evil/{x}", "whole address", None),
        ("//evil/{x}", "no empty segment", "/evil/{x}"),
        ("/a//b", "no empty segment", "/a/b"),
        ("/a b/{x}", "' ' is written %20", "/a%20b/{x}"),
        ("/é", "'é' is written %C3%A9", "/%C3%A9"),
        ("/a#b", "fragment", "/a"),
        ("/a%zz", "'%' is written %25", "/a%25zz"),
        ("/a/../b", "no segment `.` or `..`", None),
        ("/a/./b", "no segment `.` or `..`", None),
        ("/a/%2e%2e/b", "no segment `.` or `..`", None),
        ("/a/..;x/b", "no segment `.` or `..`", None),
        ("/.{x}", "begins with dots before a variable", None),
        ("/%2e{x}", "begins with dots before a variable", None),
        ("/a/:id/b", "a variable is written {id}", "/a/{id}/b"),
        ("/a/<int:id>", "a variable is written {id}", "/a/{id}"),
        ("/{+x}", "needs `allow_slash: true` on the parameter 'x'", None),
        ("/{#x}", "{#x} is not available", "/{x}"),
        ("/a{/x}", "{/x} is not available", "/a/{x}"),
        ("/a/{/x}", "{/x} is not available", "/a/{x}"),
        ("/{x:3}", "{x:3} is not available", "/{x}"),
        ("/{x*}", "{x*} is not available", "/{x}"),
        ("/{ x }", "{ x } is not available", "/{x}"),
        ("/a{? x}", "{? x} is not available", "/a{?x}"),
        ("/{x,y}", "{x,y} is not available", None),
        ("/{}", "{} is not available", None),
        ("/{{x}}", "one pair of braces", "/{x}"),
        ("/${HOST}/a", "no environment reference", "/{HOST}/a"),
        ("/${{ params.x }}", "no ${{ }}", None),
        ("/{x", "a { is never closed", None),
        ("/x}", "a } has no { before it", None),
        ("/x?email={email}", "written {?name}", "/x{?email}"),
        ("/x?v=1&email={email}", "written {?name}", "/x?v=1{&email}"),
        ("/x{?a}{?b}", "further query parameters are {&b}", "/x{?a}{&b}"),
        ("/x?v=1{?b}", "further query parameters are {&b}", "/x?v=1{&b}"),
        ("/x{&a}", "the first query parameters are {?a}", "/x{?a}"),
        ("/x{?a}/b", "stand at the end", None),
        ("/x{?a}&b=1", "stand at the end", None),
        ("/x?{&y}", "nothing after the `?`", "/x{?y}"),
        ("/x?", "nothing after the `?`", "/x"),
        ("/x?a=b c", "' ' is written %20", "/x?a=b%20c"),
    ],
)
def test_a_template_that_cannot_be_meant_says_what_to_write(template, sentence, hint):
    error = mistake(template)
    assert sentence in str(error)
    assert error.hint == hint
    if hint and hint != "/{HOST}/a":
        compile_path(hint)


@QUICK
@given(st.text(alphabet="/{}?&*+#.:%ax$ \\", max_size=12))
def test_any_text_is_a_template_or_a_template_error(text):
    try:
        template = compile_path(text, allow_slash={"a"})
    except TemplateError:
        return
    path = template.expand(dict.fromkeys(template.variables, "value"))
    assert path.startswith("/")
    assert not {"{", "}", " "} & set(path)
