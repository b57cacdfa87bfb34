"""What this version refuses: nothing that the format knows is accepted and ignored."""

from __future__ import annotations

import pytest

from bridge.registry import not_yet
from bridge.registry.source import read_text


def refused(text):
    problems = []
    document = read_text(text, "f.yaml", problems)
    not_yet.check(document, problems)
    assert all(problem.code == "registry/not_yet" for problem in problems)
    return [str(problem) for problem in problems], not_yet.paths(document)


@pytest.mark.parametrize("path", not_yet.MEMBERS)
def test_every_member_of_the_table_is_refused_where_it_stands(path):
    steps = ["[]" if step == "[]" else "any" if step == "*" else step for step in path.split(".")]
    text = "5"
    for step in reversed(steps):
        text = f"[{text}]" if step == "[]" else f"{{{step}: {text}}}"
    problems, paths = refused(text)
    shown = ".".join(steps).replace(".[]", "[0]")
    assert [problem.partition(": ")[2] for problem in problems] == [f"{shown}: `{steps[-1]}` is not available in this version"]
    assert len(paths) == 1


def test_a_refused_member_is_shown_at_its_key():
    assert refused("tools:\n  a:\n    confirm: Really?\n")[0] == [
        "f.yaml:3:5: tools.a.confirm: `confirm` is not available in this version"
    ]


def test_a_refused_value_is_shown_at_its_place_and_takes_what_it_shapes_along():
    problems, paths = refused("backends: {s: {type: sql}, h: {type: http, auth: {type: oauth2, scope: x}}, e: {type: echo}}")
    assert sorted(problems) == [
        "f.yaml:1:22: backends.s.type: `sql` is not available in this version",
        "f.yaml:1:57: backends.h.auth.type: `oauth2` is not available in this version",
    ]
    assert paths == {("backends", "s"), ("backends", "h", "auth")}


@pytest.mark.parametrize(
    "text",
    [
        "tools: {a: {call: {json: {url: x, auth: y}}}}",
        "tools: {confirm: {}, cache: {backend: x}}",
        "tools: {a: {parameters: {limits: string, from: string}}}",
        "backends: {sql: {type: http}}",
        "backends: {a: {type: [sql]}}",
        "tools: x",
        "tools: [confirm]",
        "auth: {anonymous: true}",
    ],
)
def test_what_only_looks_like_one_is_not_refused(text):
    assert refused(text) == ([], frozenset())
