from __future__ import annotations

import sys
import threading
import time
from contextlib import suppress

import jmespath
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bridge.core.expressions import (
    EvaluationError,
    Expression,
    ExpressionError,
    Scope,
    compile_bare,
    compile_text,
    compile_tree,
    truthy,
)
from bridge.core.located import Mark, Problems, Table

OUT = Scope(
    roots=frozenset({"params", "caller", "call", "state"}),
    params=frozenset({"customer_id", "email", "priority", "n"}),
)
BACK = Scope(OUT.roots | {"body", "status", "headers"}, OUT.params)
CHAIN = Scope(OUT.roots | {"steps"}, OUT.params, steps=frozenset({"order", "refund"}))
GENERATED = settings(max_examples=500, deadline=None, database=None)

CONTEXT = {
    "params": {"customer_id": "C-1", "n": 5},
    "caller": {"id": "anna", "tenant": None, "scopes": ["a"], "claims": {"org": "acme"}},
    "call": {"id": "c1", "conversation": None, "now": "2026-11-20T10:00:00Z", "unix": 1795168800.0},
    "state": {},
    "steps": {"order": {"status": "delivered"}, "refund": None},
    "body": {"items": [{"id": "C-1", "ok": True}, {"id": "C-2", "ok": False}], "a": {"b": {"c": 1}}, "true": "odd"},
    "status": 200,
    "headers": {"content-type": "text/plain"},
}


def value_of(text, scope=BACK, context=CONTEXT):
    compiled = compile_text(text, scope)
    return compiled(context) if isinstance(compiled, Expression) else compiled


def condition(text, scope=BACK, context=CONTEXT):
    return compile_bare(text, scope)(context)


def mistake(text, scope=BACK, compiler=compile_bare):
    with pytest.raises(ExpressionError) as caught:
        compiler(text, scope)
    assert str(caught.value) == caught.value.message
    assert "\n" not in caught.value.message
    return caught.value


# Text


def test_a_scalar_that_is_one_expression_keeps_its_type():
    assert value_of("${{ params.n }}") == 5
    assert value_of("${{params.n}}") == 5
    assert value_of("${{ body.items[0].ok }}") is True
    assert value_of("${{ params.email }}") is None
    assert value_of("${{ body.a }}") == {"b": {"c": 1}}


def test_the_newline_that_a_yaml_block_leaves_does_not_make_it_text():
    assert value_of("${{ params.n }}\n") == 5
    assert value_of("\n${{ params.n }}") == "\n5"
    assert value_of(" ${{ params.n }}") == " 5"
    assert value_of("${{ params.n }}\n\n") == "5\n\n"


def test_inside_text_a_value_is_interpolated():
    assert value_of("n=${{ params.n }}!") == "n=5!"
    assert value_of("<${{ params.email }}>") == "<>"
    assert value_of("${{ params.n }}${{ params.customer_id }}") == "5C-1"
    assert value_of("is ${{ body.items[0].ok }}, ${{ body.a }}") == 'is true, {"b":{"c":1}}'
    assert value_of("is ${{ `[1.5, \"é\"]` }}") == 'is [1.5,"é"]'


def test_text_without_expressions_stays_text():
    assert compile_text("", OUT) == ""
    assert compile_text("a } b }} { {{x}} $ $$ {", OUT) == "a } b }} { {{x}} $ $$ {"


def test_escapes_give_the_characters_themselves():
    assert compile_text("$${{ params.n }} and $${HOME}", OUT) == "${{ params.n }} and ${HOME}"
    assert value_of("$${{ x }} ${{ params.n }}") == "${{ x }} 5"
    assert compile_text("$$${{ x }}", OUT) == "$${{ x }}"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${{ {a: {b: params.n}} }}", {"a": {"b": 5}}),
        ("${{ {a: {b: params.n}}}}", {"a": {"b": 5}}),
        ("${{ {a:{b:{c:params.n}}}}}!", '{"a":{"b":{"c":5}}}!'),
        ("${{ '}}' }}", "}}"),
        ("${{ 'it\\'s }}' }}", "it's }}"),
        ("${{ `{\"a\": {\"b\": 1}}` }}", {"a": {"b": 1}}),
        ("${{ body.\"}}\" }}", None),
        ("${{ params.n }} }}", "5 }}"),
        ("${{ params.n }}}", "5}"),
    ],
)
def test_an_expression_ends_at_the_first_braces_before_which_it_compiles(text, value):
    assert value_of(text) == value


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("${{ params.n", "this ${{ is never closed with }}"),
        ("a ${{ params.n } b", "this ${{ is never closed with }}"),
        ("${{", "this ${{ is never closed with }}"),
        ("${{ {a: params.n }}", "the expression ends too early"),
        ("${{ 'abc }}", "a ' is never closed"),
        ("${{ body.x[ }} and ${{ params.n }}", "the expression ends too early"),
        ("${{ }}", "the expression is empty"),
        ("x ${{ params.n }} ${{ parms.n }}", "nothing is called parms here (did you mean 'params'?)"),
        ("${{ " + "a" * 3_000 + " }}", "no end of this expression within 2,000 characters"),
    ],
)
def test_braces_that_hold_no_expression_are_a_sentence(text, sentence):
    assert mistake(text, compiler=compile_text).message == sentence


def test_an_environment_reference_has_no_place_where_expressions_are():
    for text in ("${HOME}", "a ${HOME:-x} b", "${file:/run/x}", "${", "${}"):
        assert "only backends, callers and auth may hold" in mistake(text, compiler=compile_text).message
    assert mistake("${params.n}", compiler=compile_text).message == "an expression has two braces: ${{ params.n }}"
    assert "does not hold `${...}`" in mistake("${HOME} == 'x'").message


def test_a_condition_is_bare_or_exactly_one_expression():
    assert condition("params.n") == 5
    assert condition(" ${{ params.n }}\n") == 5
    assert condition("params.n == `5` && status == `200`") is True
    for text in ("${{ params.n }} x", "${{ params.n }} == `5`", "${{ params.n }}${{ params.n }}"):
        assert mistake(text).message == "write one expression here, with nothing around it"
    assert mistake("").message == "the expression is empty"


# What an expression may not mean


HERE = "body, call, caller, headers, params, state and status"
ABOUT = f"say what this is about: an expression here starts from {HERE}"
NEGATED = "`!a.b` means `(!a).b`, which is always null; write !(a.b)"


def not_a_text(name):
    return f"\"{name}\" is the member of that name, not a text; a text is written '{name}'"


@pytest.mark.parametrize(
    ("text", "sentence", "hint"),
    [
        ("parms.n", "nothing is called parms here (did you mean 'params'?)", None),
        ("bdy.id == 'x'", "nothing is called bdy here (did you mean 'body'?)", None),
        ("customer_id", "nothing is called customer_id here (did you mean 'params.customer_id'?)", None),
        ("steps.order", f"steps is not known at this point; here are {HERE}", None),
        ("params.priority == urgent", f"nothing is called urgent here; here are {HERE}, and a text is 'urgent'", None),
        ("params.custmer_id", "no parameter is called 'custmer_id' (did you mean 'customer_id'?)", None),
        ("params.zzz", "no parameter is called 'zzz'; there are customer_id, email, n and priority", None),
        ("params.{id: custmer_id}", "no parameter is called 'custmer_id' (did you mean 'customer_id'?)", None),
        ("params | custmer_id", "no parameter is called 'custmer_id' (did you mean 'customer_id'?)", None),
        ("caller.identity", "caller has no member 'identity'; there are claims, id, scopes and tenant", None),
        ("call.nwo", "call has no member 'nwo' (did you mean 'now'?)", None),
        ("headers.\"Content-Type\"", 'header names are lower-case here: headers."content-type"', None),
        ("headers.Location", "header names are lower-case here: headers.location", None),
        ("params.priority == \"urgent\"", not_a_text("urgent"), "params.priority == 'urgent'"),
        ("\"urgent\" == params.priority", not_a_text("urgent"), "'urgent' == params.priority"),
        ("params.n != true && params.priority == \"u\"", not_a_text("u"), "params.n != true && params.priority == 'u'"),
        ("body.items[?id == \"C-1\"]", not_a_text("C-1"), "body.items[?id == 'C-1']"),
        ("contains(body.tags, \"a\")", not_a_text("a"), "contains(body.tags, 'a')"),
        ("!body.ok", NEGATED, "!(body.ok)"),
        ("! params.n == `5`", NEGATED, "!(params.n) == `5`"),
        ("status && !body.a.b", NEGATED, "status && !(body.a.b)"),
        ("!body[?ok]", NEGATED, None),
        ("!body[]", NEGATED, None),
        ("!body.*", NEGATED, None),
        ("params.n == `urgent`", "`urgent` is not JSON; a text is written 'urgent'", "params.n == 'urgent'"),
        ("`{a: 1}`", "`{a: 1}` is not JSON; a text is written '{a: 1}'", "'{a: 1}'"),
        ("`NaN`", "`NaN` is not JSON; a text is written 'NaN'", "'NaN'"),
        ("params.n > 5", "a number is written in backticks: `5`", "params.n > `5`"),
        ("params.n > -2.5 && true", "a number is written in backticks: `-2.5`", "params.n > `-2.5` && `true`"),
        ("params.n = `5`", "'=' is not expected there; equality is `==`", None),
        ("params.n + `5`", "'+' is not expected there; write add(a, b), or concat(a, b) for text", None),
        ("body.first-name", "'-' is not expected there; write sub(a, b), and quote a name that holds a dash", None),
        ("params.n and status", "'and' is not expected there; write &&", None),
        ("status == `200` ? 'a' : 'b'", "'?' is not expected there; write if(condition, a, b)", None),
        ("params.n params.n", "'params' is not expected there", None),
        ("'abc", "a ' is never closed", None),
        ("body.a[", "the expression ends too early", None),
        ("\"length\"(body)", "a function's name is not quoted", None),
        ("lenght(body.items)", "no function is called 'lenght' (did you mean 'length'?)", None),
        ("@", ABOUT, None),
        ("[0]", ABOUT, None),
        ("&body", "&path is only an argument of map, sort_by, min_by and max_by", None),
    ],
)  # fmt: skip
def test_a_silent_trap_is_an_error_with_the_text_to_write(text, sentence, hint):
    error = mistake(text)
    assert (error.message, error.hint) == (sentence, hint)
    if hint is not None and "{a" not in hint:
        compile_bare(hint, BACK)


def test_inside_text_the_hint_is_the_whole_text():
    assert mistake("a ${{!body.ok}} b", compiler=compile_text).hint == "a ${{ !(body.ok) }} b"
    assert mistake("${{ body.n > 5 }}").hint == "${{ body.n > `5` }}"
    assert mistake("a ${{ parms.n }}", compiler=compile_text).hint is None


def test_a_step_that_does_not_exist_is_an_error():
    assert condition("steps.order.status", CHAIN) == "delivered"
    assert mistake("steps.ordr.status", CHAIN).message == "no step is called 'ordr' (did you mean 'order'?)"


def test_names_that_are_not_known_yet_are_not_checked():
    anything = Scope(frozenset({"params", "steps"}))
    assert condition("params.whatever", anything) is None
    assert condition("steps.whatever", anything) is None
    none_declared = Scope(frozenset({"params"}), params=frozenset())
    assert mistake("params.whatever", none_declared).message == "no parameter is called 'whatever'"


REACHING = [
    ("body.items[?id == params.customer_id]", "params.customer_id", "where(body.items, 'id', params.customer_id)"),
    ("body.items[?a.b == caller.id].name", "caller.id", "where(body.items, 'a.b', caller.id)[].name"),
    ("body.items[?id == params.n] | [0].name", "params.n", "find(body.items, 'id', params.n).name"),
    ("body.items[?ok && id == params.n]", "params.n", None),
    ("body.items[*].{id: id, n: params.n}", "params.n", None),
    ("body.items[].[params.n]", "params.n", None),
    ("body.*.{n: params.n}", "params.n", None),
    ("sort_by(body.items, &call.id)", "call.id", None),
    ("map(&concat(id, params.customer_id), body.items)", "params.customer_id", None),
    ("body | params.n", "params.n", None),
    ("body.items[*].length(params.n)", "params.n", None),
    ("body.a.{x: caller.tenant}", "caller.tenant", None),
    ("steps.order[?id == steps.refund.id]", "steps.refund", "where(steps.order, 'id', steps.refund.id)"),
]


@pytest.mark.parametrize(("text", "name", "hint"), REACHING)
def test_what_only_exists_outside_an_element_asks_for_find_or_where(text, name, hint):
    scope = Scope(BACK.roots | {"steps"}, BACK.params, CHAIN.steps)
    error = mistake(text, scope)
    wanted = f"{name} is not visible there, only the element is; use find(array, 'path', {name}) or where(...)"
    assert (error.message, error.hint) == (wanted, hint)
    if hint is not None:
        compile_bare(hint, scope)


@pytest.mark.parametrize(
    "text",
    [
        "body.items[?body.id == 'x']", "body.items[?status == 'open'].state", "body.items[*].headers.A",
        "body.items[?item.id == `1`]", "body.items[?params.unknown]", "body.items[*].params.n", "body.params.n",
        "body.items[?\"first name\" == 'x']", "body.items[?caller == 'x']", "sort_by(body.items, &status)[0]",
        "[params.n, {a: call.id}]", "if(body.items[?ok], params.n, caller.id)", "body.items | [0].id",
        "!(body.ok)", "!body[0]", "!contains(body.items, params.n)", "!status && !(body.ok)", "params.{a: n}.a",
        "body.length(@)", "body.items[*].length(@)", "merge(params, body)", "body.items[0:2].id",
    ],
)  # fmt: skip
def test_what_is_meant_is_not_refused(text):
    compile_bare(text, BACK)


def test_true_false_and_null_are_literals_and_members_only_after_a_dot():
    assert condition("true") is True
    assert condition("null") is None
    assert condition("steps.refund == null", CHAIN) is True
    assert condition("steps.refund != null", CHAIN) is False
    assert condition("length(body.items[?ok == true])") == 1
    assert condition("{true: false, x: [null, true]}") == {"true": False, "x": [None, True]}
    assert condition("body.true") == "odd"
    assert condition("not_null(params.email, false)") is False
    assert condition("'true'") == "true"


# What it names


def test_an_expression_knows_the_parameters_it_names():
    assert compile_bare("params.n == `1` || params.email", OUT).params == {"n", "email"}
    assert compile_bare("params.{a: n, b: customer_id}", OUT).params == {"n", "customer_id"}
    assert compile_bare("params | email", OUT).params == {"email"}
    assert compile_bare("caller.id", OUT).params == frozenset()
    assert compile_text("a ${{ params.n }} b ${{ params.email }} ${{ state.x }}", OUT).params == {"n", "email"}
    assert compile_text("a ${{ params.n }} b ${{ state.x }}", OUT).roots == {"params", "state"}


@pytest.mark.parametrize("text", ["params", "merge(params, {a: `1`})", "params.*", "[params]", "params | keys(@)"])
def test_taking_all_parameters_names_them_all(text):
    assert compile_bare(text, OUT).params == OUT.params


def test_a_plain_path_is_known_as_one():
    assert compile_bare("body.a.b", BACK).path == ("body", "a", "b")
    assert compile_bare("status", BACK).path == ("status",)
    assert compile_bare("body.items[0]", BACK).path is None
    assert compile_text("x ${{ params.n }}", BACK).path is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@GENERATED
@given(json_values, st.lists(st.sampled_from("abc"), max_size=4))
def test_a_plain_path_gives_what_jmespath_gives(body, names):
    text = ".".join(["body", *names])
    assert compile_bare(text, BACK).path is not None
    assert condition(text, context={"body": body}) == jmespath.search(text, {"body": body})


@GENERATED
@given(json_values)
def test_truth_is_jmespaths(value):
    assert truthy(value) is (jmespath.search("body && `1`", {"body": value}) == 1)
    assert truthy(0)


# Bounds


@pytest.mark.owes("C12")
@pytest.mark.parametrize(
    "text",
    [
        "(" * 900 + "body" + ")" * 900,
        "[" * 1_900,
        "{a:" * 600,
        "!" * 1_900 + "body",
        "&" * 1_900,
        "not_null(" * 220,
        " || ".join(["body"] * 240),
        "body" + "[*]" * 600,
        "`" + "[" * 990 + "]" * 990 + "`",
        "(" * 3_000 + "body" + ")" * 3_000,
        "body" + ".a" * 20_000,
        "'" * 1_999,
        "`\\" * 999,
    ],
)
def test_a_monstrous_expression_is_a_clean_error_at_once(text):
    for compiler, source in ((compile_bare, text), (compile_text, "${{ " + text + " }}"), (compile_text, "${{" + text)):
        started = time.monotonic()
        mistake(source, compiler=compiler)
        assert time.monotonic() - started < 1


def test_a_deep_recursion_limit_does_not_let_depth_through():
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        assert "nested too deeply" in mistake("(" * 200 + "body" + "||body)" * 200).message
    finally:
        sys.setrecursionlimit(limit)


def test_ordinary_length_and_depth_are_fine():
    many = " || ".join(f"body.kind == '{index}'" for index in range(60))
    assert condition(many, context={"body": {"kind": "59"}}) is True


grammar = st.lists(
    st.sampled_from(
        ["body", "params", "n", "items", "id", ".", ".", "[", "]", "[?", "[*]", "[]", "(", ")", "{", "}", ":", ",", "|",
         "||", "&&", "&", "!", "==", "<", "@", "*", "'x'", "`1`", "`[1,2]`", "`x`", '"q"', "0", "-1", "true", "null",
         "length", "sort_by", "find", "if", "to_number", "sum", "contains", "join", " "]
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=2_000, deadline=None, database=None)
@given(grammar.map("".join))
def test_any_text_compiles_or_is_an_expression_error_and_then_runs_or_is_an_evaluation_error(text):
    try:
        compiled = compile_bare(text, BACK)
    except ExpressionError:
        return
    with suppress(EvaluationError):
        compiled(CONTEXT)


@pytest.mark.parametrize(
    ("text", "body", "sentence"),
    [
        ("length(body)", 5, "length() takes string or array or object, not number"),
        ("sort(body)", ["a", 1], "sort() takes array-string or array-number, not number"),
        ("sort_by(body, &n)", [{"n": 1}, {"n": "a"}], "sort_by() takes number, not string"),
        ("contains('abc', body)", 5, "the values do not fit what the expression does with them"),
        ("body < 'a'", 5, "the values do not fit what the expression does with them"),
        ("div(`1`, body)", 0, "div(): division by zero"),
    ],
)
def test_a_type_error_while_a_call_runs_is_a_sentence(text, body, sentence):
    with pytest.raises(EvaluationError) as caught:
        condition(text, context={"body": body})
    assert str(caught.value) == sentence


def test_one_compiled_expression_serves_many_threads():
    expression = compile_bare("(body.items[?id == 'C-2'] | [0].ok) || add(params.n, `1`)", BACK)
    found = []

    def work():
        found.extend(expression(CONTEXT) for _ in range(200))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [6] * 800


@pytest.mark.owes("C5")
def test_what_a_value_holds_is_data_and_never_an_expression():
    evil = "${{ caller.id }} ${HOME} {{7*7}} ' || `1` $${"
    context = {"params": {"email": evil}}
    assert value_of("${{ params.email }}", context=context) == evil
    assert value_of("<${{ params.email }}>", context=context) == f"<{evil}>"


# Trees


def tree(value, nulls="keep", scope=OUT):
    problems = Problems(document(value))
    compiled = compile_tree(value, scope, problems, nulls)
    assert problems.found == []
    return compiled


def document(value):
    root = Table(Mark("r.yaml", 1, 1))
    root["value"] = value
    return root


MEMBERS = {
    "given": "${{ params.n }}",
    "absent": "${{ params.email }}",
    "deep": "${{ params.email.host }}",
    "null": "${{ params.priority }}",
    "computed": "${{ state.missing }}",
    "literal": None,
    "text": "<${{ params.email }}>",
    "object": {"inner": "${{ params.email }}", "fixed": 1},
    "array": ["${{ params.email }}", None, {"inner": "${{ state.missing }}"}],
}
SENT = {"params": {"n": 5, "priority": None}, "state": {}}


def test_keep_keeps_every_null():
    assert tree(MEMBERS)(SENT) == {
        "given": 5, "absent": None, "deep": None, "null": None, "computed": None, "literal": None, "text": "<>",
        "object": {"inner": None, "fixed": 1}, "array": [None, None, {"inner": None}],
    }  # fmt: skip


def test_drop_leaves_null_members_out_and_items_in():
    assert tree(MEMBERS, "drop")(SENT) == {
        "given": 5, "text": "<>", "object": {"fixed": 1}, "array": [None, None, {}],
    }  # fmt: skip


def test_given_leaves_out_only_parameters_that_were_not_given():
    assert tree(MEMBERS, "given")(SENT) == {
        "given": 5, "null": None, "computed": None, "literal": None, "text": "<>",
        "object": {"fixed": 1}, "array": [None, None, {"inner": None}],
    }  # fmt: skip


def test_nulls_inside_a_value_are_data_and_stay():
    value = {"a": None, "b": [None]}
    assert tree({"x": "${{ params.n }}"}, "drop")({"params": {"n": value}}) == {"x": value}


def test_a_whole_tree_may_be_one_expression():
    assert tree("${{ params.n }}", "drop")(SENT) == 5
    assert tree("${{ params.email }}", "drop")(SENT) is None


def test_a_tree_without_expressions_is_computed_once():
    compiled = tree({"a": [1, {"b": "x $${y}", "c": None}], "d": None}, "drop")
    assert compiled.constant
    assert compiled({}) == {"a": [1, {"b": "x ${y}"}]}
    assert compiled({}) is compiled({})
    assert not tree({"a": "${{ params.n }}"}).constant


def test_a_tree_knows_what_it_names():
    compiled = tree({"a": ["${{ params.n }}", {"b": "x${{ params.email }}"}], "c": "${{ state.y }}"})
    assert compiled.params == {"n", "email"}
    assert compiled.roots == {"params", "state"}


def test_every_mistake_in_a_tree_is_reported_at_its_place():
    value = {"a": ["${{ params.nn }}", "fine"], "b": {"c": "${{ !params.n.x }}"}, "d": "${HOME}", "k${{ params.n }}": 1}
    problems = Problems(document(value)).at("value")
    compile_tree(value, OUT, problems)
    found = [(problem.path, problem.message[:27], problem.code) for problem in problems.found]
    assert found == [
        ("value.a[0]", "no parameter is called 'nn'", "registry/expression"),
        ("value.b.c", "`!a.b` means `(!a).b`, whic", "registry/expression"),
        ("value.d", "${HOME} is an environment r", "registry/expression"),
        ("value.k${{ params.n }}", "a key is always literal; on", "registry/expression"),
    ]
    assert problems.found[1].hint == "${{ !(params.n.x) }}"


@GENERATED
@given(json_values)
def test_a_tree_of_plain_values_is_those_values(value):
    assume("$" not in repr(value))
    assert tree(value)({}) == value


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("body.x", True),
        ("params.customer_id", True),
        ("body.items[0].name", True),
        ("{{ body.x }}", True),
        ("body.x }}", True),
        ("body", False),
        ("example.com", False),
        ("Say body.x to them", False),
        ("${{ body.x }}", False),
        ("$${{ body.x", False),
    ],
)
def test_text_that_was_probably_meant_as_an_expression_is_a_warning(text, warned):
    problems = Problems(Table(Mark("f", 1, 1)))
    compile_tree({"a": text}, Scope(frozenset({"body", "params"})), problems)
    assert [item.severity for item in problems.found] == ["warning"] * warned
