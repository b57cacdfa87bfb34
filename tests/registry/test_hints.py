"""Hints: the line as it was meant, and none where nobody can know."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.core.located import Diagnostic, Mark
from bridge.registry import hints
from bridge.registry.source import read_text


def hint(text):
    problems = []
    read_text(text, "f.yaml", problems)
    return problems[0].hint


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("result: {ticket_id: ${{ body.id }}}", "result: {ticket_id: '${{ body.id }}'}"),
        ("result: {a: ${{ body.id }}, b: 'x', c: No. ${{ n }}}", "result: {a: '${{ body.id }}', b: 'x', c: 'No. ${{ n }}'}"),
        ("auth: {type: bearer, token: ${TOKEN}}", "auth: {type: bearer, token: '${TOKEN}'}"),
        ("call: {path: /x/{id}, method: GET}", "call: {path: '/x/{id}', method: GET}"),
        ("path: {id}/x", "path: '{id}/x'"),
        ("path: {id}/x  # the id first", "path: '{id}/x'  # the id first"),
        ("- path: {id}/x", "- path: '{id}/x'"),
        ("when: !params.x", "when: '!params.x'"),
        ("when: !(params.x == 'a')", "when: \"!(params.x == 'a')\""),
        ("pattern: *abc", "pattern: '*abc'"),
        ("include: [tour/*.yaml, *.yaml]", "include: [tour/*.yaml, '*.yaml']"),
        ("tools: [get_*, !delete_*]", "tools: [get_*, '!delete_*']"),
        ("  - *x", "  - '*x'"),
        ("title: @me", "title: '@me'"),
        ("when: `1` == params.x", "when: '`1` == params.x'"),
        ("title: %x", "title: '%x'"),
        ("when: > 5", "when: '> 5'"),
        ("description: Get: one", "description: 'Get: one'"),
        ("call: ${{ if(x, {a: 1}) }}", "call: '${{ if(x, {a: 1}) }}'"),
        ("title: It's #${{ x }}", "title: \"It's #${{ x }}\""),
        ("message: Refund #${{ x }}", "message: 'Refund #${{ x }}'"),
        ('pattern: "^\\d+$"', "pattern: '^\\d+$'"),
    ],
)
def test_a_trap_is_shown_with_quotes(line, meant):
    assert hint(f"{line}\n") == meant


def test_a_line_within_braces_is_quoted_as_such():
    assert hint("result: {\n  a: ${{ body.id }},\n  b: 1}\n") == "  a: '${{ body.id }}',"


@pytest.mark.parametrize("text", ["a: 1\n b: 2", "a\n", "a: [1, 2", "a: 'x", "a: 1\na: 2", "a: 010\na: 1\n", "%YAML 2.0\n---\na: b"])
def test_where_no_trap_is_known_there_is_no_hint(text):
    assert hint(text) is None


def test_a_later_mistake_on_a_line_with_a_trap_gets_the_hint():
    lines = ["path: {id}", "timeout: {a: 1}", "when: ${{ x }}", "call: x", "x" * 2_000 + "{"]
    marks = [Mark("f.yaml", line, 7) for line in (1, 2, 3, 4, 5, 9)]
    problems = [Diagnostic(mark, "", "expected text") for mark in marks]
    problems.append(Diagnostic(marks[0], "", "a warning", severity="warning"))
    hints.add(problems, {"f.yaml": lines}.__getitem__)
    assert [found.hint for found in problems] == ["path: '{id}'", None, None, None, None, None, None]


@settings(max_examples=500, deadline=None, database=None)
@example("@,,")
@example("*,['']:")
@given(st.text(alphabet="ab: {}[]$'\"#*!&@,\\-", max_size=40))
def test_a_hint_is_always_a_line_that_parses(line):
    found = hints.quoted(f"key: {line}")
    if found is not None:
        problems = []
        document = read_text(found, "f.yaml", problems)
        assert document is not None or read_text(f"{{x: [{found}\n]}}", "f.yaml", []) is not None
