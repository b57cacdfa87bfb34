"""JMESPath without its silent traps: an expression is read here, and judged before it ever runs.

JMESPath answers null to nearly every mistake: a misspelled name, `"urgent"` (a member of
that name, not a text), `!a.b` (which is `(!a).b`), `params.x` inside `[...]`, where names are looked up
in the element. All of that can be seen in the syntax tree, because what an expression
starts from is known. So the tree is walked with a *place*: what a name would be looked up in
just there. At ROOT it is the context; below `params`, `steps`, `caller` and the like it is
that part; MEMBER is directly after a projection's dot; ELEMENT is anything else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.core.jmespath_reading import MAX_DEPTH, ExpressionError, Node, read, text_meant, too_deep
from bridge.core.located import did_you_mean
from bridge.core.signatures import REFERENCE, UNKNOWN, EvaluationError, check_call

ROOT, MEMBER, ELEMENT = "", ".", "*"
MEMBERS = {
    "caller": frozenset({"id", "tenant", "scopes", "claims"}),
    "call": frozenset({"id", "conversation", "now", "unix"}),
    "request": frozenset({"method", "target", "body"}),
}
# Every name that an expression may start from somewhere in a registry.
_ROOTS = frozenset({"params", "state", "body", "status", "headers", "steps", "item", "signature", *MEMBERS})
# What an element has no member of, so that `params.x` inside `[...]` is a mistake.
_ONLY_OUTSIDE = frozenset({"params", "steps", "caller", "call"})
# So many names are listed where none is near the one that was written.
_FEW = 8
_NEGATED_PATH = re.compile(r"!\s*((?:\w+|\"[^\"]*\")(?:\.(?:\w+|\"[^\"]*\"))+)")
_FILTERED = re.compile(
    r"([\w.]+)\[\?\s*([\w.]+)\s*==\s*((?:params|steps|caller|call)(?:\.\w+)+)\s*\](\s*\|\s*\[0\])?(.*)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression at one place may see.

    `roots` are the names it may start from; `params` and `steps` are the declared
    parameters and steps, None where they are not known and so not checked.
    """

    roots: frozenset[str]
    params: frozenset[str] | None = None
    steps: frozenset[str] | None = None

    def members(self, root: str) -> frozenset[str] | None:
        """Return the members that `root` has, None if anything may be there."""
        declared = {"params": self.params, "steps": self.steps}
        return declared[root] if root in declared else MEMBERS.get(root)


@dataclass(frozen=True, slots=True)
class Examined:
    """A sound expression: its tree, the roots and parameters it uses, its names if it is a plain path."""

    tree: Node
    roots: frozenset[str]
    params: frozenset[str]
    path: tuple[str, ...] | None


def examine(text: str, scope: Scope) -> Examined:
    """Read an expression and check it. Raises ExpressionError with the first mistake."""
    tree, quoted = read(text)
    walk = _Walk(text, scope, quoted)
    try:
        walk.use(tree, ROOT)
    except RecursionError:
        raise too_deep() from None
    return Examined(tree, frozenset(walk.roots), frozenset(walk.params), _plain_path(tree))


def _plain_path(tree: Node) -> tuple[str, ...] | None:
    parts = tree["children"] if tree["type"] == "subexpression" else [tree]
    return tuple(part["value"] for part in parts) if all(part["type"] == "field" for part in parts) else None


@dataclass(slots=True)
class _Walk:
    """One walk over one tree; it stops at the first mistake."""

    text: str
    scope: Scope
    quoted: frozenset[str]
    roots: set[str] = field(default_factory=set)
    params: set[str] = field(default_factory=set)
    depth: int = 0

    def look(self, node: Node, place: str) -> str:
        """Check `node` at `place` and return the place that its value is."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise too_deep()
        found: str = getattr(self, f"_{node['type']}", self._whole_parts)(node, place)
        self.depth -= 1
        return found

    def use(self, node: Node, place: str) -> str:
        """Check a node whose value is taken as a whole: with `params` that is every parameter."""
        if self.look(node, place) == "params":
            self.params.update(self.scope.params or ())
        return ELEMENT

    def _whole_parts(self, node: Node, place: str) -> str:
        for child in node["children"]:
            self.use(child, ELEMENT if place == MEMBER else place)
        return ELEMENT

    def _literal(self, node: Node, place: str) -> str:
        return ELEMENT

    _index = _slice = _literal

    def _identity(self, node: Node, place: str) -> str:
        if place == ROOT:
            raise ExpressionError(f"say what this is about: an expression here starts from {_listed(self.scope.roots)}")
        return place

    _current = _identity

    def _field(self, node: Node, place: str) -> str:
        if place == ROOT:
            return self._root(node["value"])
        if place == "headers":
            self._check_header(node["value"])
        elif place not in (MEMBER, ELEMENT):
            self._check_member(place, node["value"])
        return ELEMENT

    def _root(self, name: str) -> str:
        if name not in self.scope.roots:
            raise self._unknown_root(name)
        self.roots.add(name)
        return name

    def _unknown_root(self, name: str) -> ExpressionError:
        if name in self.quoted:
            return text_meant(name, self.text)
        if name in (self.scope.params or ()) and "params" in self.scope.roots:
            return ExpressionError(f"nothing is called {name} here (did you mean 'params.{name}'?)")
        here = f"; here are {_listed(self.scope.roots)}"
        if name in _ROOTS:
            return ExpressionError(f"{name} is not known at this point{here}")
        near = did_you_mean(name, self.scope.roots) or f"{here}, and a text is {name!r}"
        return ExpressionError(f"nothing is called {name} here{near}")

    def _check_header(self, name: str) -> None:
        if name != name.lower():
            lowered = json.dumps(name.lower()) if "-" in name else name.lower()
            raise ExpressionError(f"header names are lower-case here: headers.{lowered}")

    def _check_member(self, root: str, name: str) -> None:
        if root == "params":
            self.params.add(name)
        known = self.scope.members(root)
        if known is None or name in known:
            return
        what = {"params": "no parameter is called", "steps": "no step is called"}.get(root, f"{root} has no member")
        others = f"; there are {_listed(known)}" if 0 < len(known) <= _FEW else ""
        raise ExpressionError(f"{what} {name!r}{did_you_mean(name, known) or others}")

    def _subexpression(self, node: Node, place: str) -> str:
        if place not in (ROOT, MEMBER):
            self._check_reach(node["children"])
        return self._index_expression(node, place)

    def _index_expression(self, node: Node, place: str) -> str:
        self._check_negation(node)
        return self._pipe(node, place)

    def _pipe(self, node: Node, place: str) -> str:
        for child in node["children"]:
            place = self.look(child, place)
        return place

    def _flatten(self, node: Node, place: str) -> str:
        self._check_negation(node)
        return self.use(node["children"][0], place)

    def _projection(self, node: Node, place: str) -> str:
        self._flatten(node, place)
        return self.use(node["children"][1], MEMBER)

    _value_projection = _projection

    def _filter_projection(self, node: Node, place: str) -> str:
        self._projection(node, place)
        return self.use(node["children"][2], ELEMENT)

    def _function_expression(self, node: Node, place: str) -> str:
        arguments = node["children"]
        try:
            check_call(node["value"], [_known(argument) for argument in arguments])
        except EvaluationError as error:
            raise ExpressionError(str(error)) from None
        for argument in arguments:
            if argument["type"] == "expref":
                self.use(argument["children"][0], ELEMENT)
            else:
                self.use(argument, ELEMENT if place == MEMBER else place)
        return ELEMENT

    def _expref(self, node: Node, place: str) -> str:
        raise ExpressionError("&path is only an argument of map, sort_by, min_by and max_by")

    def _check_negation(self, node: Node) -> None:
        if node["children"][0]["type"] == "not_expression":
            hint = _NEGATED_PATH.sub(r"!(\1)", self.text)
            meaning = "`!a.b` means `(!a).b`, which is always null; write !(a.b)"
            raise ExpressionError(meaning, hint if hint != self.text else None)

    def _check_reach(self, children: Sequence[Node]) -> None:
        first, second = children[0], children[1]
        if first["type"] != "field" or first["value"] not in _ONLY_OUTSIDE & self.scope.roots:
            return
        known = self.scope.members(first["value"])
        if second["type"] == "field" and known is not None and second["value"] in known:
            name = f"{first['value']}.{second['value']}"
            raise ExpressionError(
                f"{name} is not visible there, only the element is; use find(array, 'path', {name}) or where(...)",
                _without_filter(self.text),
            )


def _known(argument: Node) -> Any:
    return {"literal": argument.get("value"), "expref": REFERENCE}.get(argument["type"], UNKNOWN)


def _listed(names: frozenset[str]) -> str:
    *others, last = sorted(names) or ["nothing"]
    return f"{', '.join(others)} and {last}" if others else last


def _without_filter(text: str) -> str | None:
    match = _FILTERED.fullmatch(text.strip())
    if match is None:
        return None
    array, path, value, first, rest = match.groups()
    if first:
        return f"find({array}, '{path}', {value}){rest}"
    return f"where({array}, '{path}', {value})" + (f"[]{rest}" if rest.startswith(".") else rest)
