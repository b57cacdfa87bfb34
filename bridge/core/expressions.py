"""`${{ JMESPath }}` in a registry: checked and compiled at load, evaluated when a call runs.

One expression that is all of a text keeps its JSON type; among other text it is
interpolated. Plain paths (`body.customer.id`) become getters, everything else runs through
JMESPath. In a tree (a request's body, a tool's result) whatever holds no expression is
computed at load.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from jmespath.exceptions import JMESPathTypeError
from jmespath.functions import TYPES_MAP
from jmespath.visitor import Options, TreeInterpreter

from bridge.core.functions import as_text, follow, truthy
from bridge.core.interpolation import Span, cut
from bridge.core.jmespath_checks import Examined, Scope, examine
from bridge.core.jmespath_reading import ExpressionError, Node
from bridge.core.located import Problems
from bridge.core.signatures import EvaluationError, Functions

__all__ = [
    "EvaluationError",
    "Expression",
    "ExpressionError",
    "Scope",
    "Tree",
    "compile_bare",
    "compile_text",
    "compile_tree",
    "truthy",
]

Context = Mapping[str, Any]
Evaluate = Callable[[Context], Any]
Nulls = Literal["keep", "drop", "given"]

_PATH = re.compile(r"(\w+)(?:\.\w+|\[\d+\])+").fullmatch

# One for all threads: between calls it keeps nothing but which method visits which node.
_INTERPRETER = TreeInterpreter(Options(custom_functions=Functions()))


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression, or text with expressions in it.

    `source` is what was written; `roots` and `params` are the roots and the declared
    parameters it names; `path` has its names if it is a plain path. Calling it with a
    context gives a JSON value, or raises EvaluationError.
    """

    source: str
    roots: frozenset[str]
    params: frozenset[str]
    path: tuple[str, ...] | None
    evaluate: Evaluate

    def __call__(self, context: Context) -> Any:
        """Return the value for this call."""
        return self.evaluate(context)


def compile_bare(text: str, scope: Scope) -> Expression:
    """Compile a condition (`when`, `success`, `until`, `failed`): a bare expression or exactly one `${{ }}`.

    Raises ExpressionError.
    """
    bare = text.strip()
    if not bare.startswith("${{"):
        return _expression(bare, scope)
    first, *rest = cut(bare)
    if rest or not isinstance(first, Span):
        raise ExpressionError("write one expression here, with nothing around it")
    return _within(bare, first, scope)


def compile_text(text: str, scope: Scope) -> Expression | str:
    """Compile a scalar; return the text itself, its escapes undone, where it holds no expression.

    A newline after the only expression, as a YAML block leaves it, does not make it text.
    Raises ExpressionError.
    """
    parts = _parts(text, scope)
    expressions = [part for part in parts if isinstance(part, Expression)]
    if not expressions:
        return "".join(map(str, parts))
    if parts[:1] == expressions and parts[1:] in ([], ["\n"]):
        return expressions[0]
    return Expression(
        source=text,
        roots=frozenset().union(*(expression.roots for expression in expressions)),
        params=frozenset().union(*(expression.params for expression in expressions)),
        path=None,
        evaluate=_interpolation(parts),
    )


def _parts(text: str, scope: Scope) -> list[Expression | str]:
    return [_within(text, part, scope) if isinstance(part, Span) else part for part in cut(text)]


def _within(text: str, span: Span, scope: Scope) -> Expression:
    try:
        return _expression(span.source, scope)
    except ExpressionError as error:
        hint = None if error.hint is None else text.replace(span.source, f" {error.hint} ", 1)
        raise ExpressionError(error.message, hint) from None


def _expression(text: str, scope: Scope) -> Expression:
    source = text.strip()
    examined = examine(source, scope)
    return Expression(source, examined.roots, examined.params, examined.path, _evaluator(examined))


def _evaluator(examined: Examined) -> Evaluate:
    if examined.path is not None:
        return _getter(examined.path)
    return _guarded(_searcher(examined.tree))


@lru_cache(maxsize=1_000)  # the tools of a registry ask for the same few members
def _getter(path: tuple[str, ...]) -> Evaluate:
    return lambda context: follow(context, path)


def _searcher(tree: Node) -> Evaluate:
    visit: Callable[[Any, Context], Any] = _INTERPRETER.visit
    return lambda context: visit(tree, context)


def _interpolation(parts: Sequence[Expression | str]) -> Evaluate:
    def join(context: Context) -> str:
        return "".join([part if isinstance(part, str) else as_text(part.evaluate(context)) for part in parts])

    return _guarded(join)


def _guarded(evaluate: Evaluate) -> Evaluate:
    def guard(context: Context) -> Any:
        try:
            return evaluate(context)
        except JMESPathTypeError as error:
            raise EvaluationError(_mistyped(error)) from None
        except RecursionError:
            raise EvaluationError("the values are nested too deeply") from None
        except (TypeError, ValueError, ArithmeticError):
            raise EvaluationError("the values do not fit what the expression does with them") from None

    return guard


def _mistyped(error: JMESPathTypeError) -> str:
    # An item's type is told by its Python name, an argument's by JMESPath's.
    found = TYPES_MAP.get(error.actual_type, error.actual_type)
    return f"{error.function_name}() takes {' or '.join(error.expected_types)}, not {found}"


@dataclass(slots=True)
class Tree:
    """A compiled tree of mappings, lists and scalars.

    `roots` and `params` are those of all its expressions; `constant` says that it holds
    none. Calling it with a context gives the value to send or to show; what is constant
    in it is the same object every time, so nobody may change it. Raises EvaluationError.
    """

    roots: frozenset[str] = frozenset()
    params: frozenset[str] = frozenset()
    evaluate: Evaluate = field(default=lambda context: None)
    constant: bool = False

    def __call__(self, context: Context) -> Any:
        """Return the value for this call."""
        return self.evaluate(context)


def compile_tree(value: Any, scope: Scope, problems: Problems, nulls: Nulls = "keep") -> Tree:
    """Compile every scalar of `value`; report mistakes at their places and go on.

    `nulls` says which members of mappings are left out: none (`keep`), those that are
    null (`drop`), or only those that are just a parameter that was not given (`given`;
    `drop` leaves them out too). Items of lists always stay.
    """
    builder = _TreeBuilder(scope, nulls)
    node = builder.build(value, problems)
    return Tree(frozenset(builder.roots), frozenset(builder.params), _callable(node), isinstance(node, _Constant))


@dataclass(frozen=True, slots=True)
class _Constant:
    value: Any


_Branch = _Constant | Expression | Evaluate


def _callable(node: _Branch) -> Evaluate:
    if isinstance(node, _Constant):
        value = node.value
        return lambda context: value
    return node.evaluate if isinstance(node, Expression) else node


@dataclass(slots=True)
class _TreeBuilder:
    scope: Scope
    nulls: Nulls
    roots: set[str] = field(default_factory=set)
    params: set[str] = field(default_factory=set)

    def build(self, value: Any, problems: Problems) -> _Branch:
        if isinstance(value, str):
            return self._scalar(value, problems)
        if isinstance(value, dict):
            return self._mapping(value, problems)
        if isinstance(value, list):
            return self._list(value, problems)
        return _Constant(value)

    def _scalar(self, text: str, problems: Problems) -> _Branch:
        try:
            compiled = compile_text(text, self.scope)
        except ExpressionError as error:
            problems.add(error.message, code="registry/expression", hint=error.hint)
            return _Constant(None)
        if isinstance(compiled, str):
            self._suspect(text, problems)
            return _Constant(compiled)
        self.roots |= compiled.roots
        self.params |= compiled.params
        return compiled

    def _suspect(self, text: str, problems: Problems) -> None:
        """Warn about text that was probably meant as an expression."""
        path = _PATH(text)
        if path and path[1] in self.scope.roots:
            problems.warn(f"this is text; write ${{{{ {text} }}}} for its value")
        elif ("{{" in text or "}}" in text) and "$${" not in text:
            problems.warn("this is text; an expression begins with ${{ and ends with }}")

    def _list(self, items: Sequence[Any], problems: Problems) -> _Branch:
        nodes = [self.build(item, problems.at(index)) for index, item in enumerate(items)]
        if all(isinstance(node, _Constant) for node in nodes):
            return _Constant([node.value for node in nodes if isinstance(node, _Constant)])
        evaluators = [_callable(node) for node in nodes]
        return lambda context: [evaluate(context) for evaluate in evaluators]

    def _mapping(self, members: Mapping[str, Any], problems: Problems) -> _Branch:
        nodes = {}
        for key, member in members.items():
            if "${" in key:
                sentence = "a key is always literal; only values hold expressions"
                problems.add(sentence, key, key=True, code="registry/expression")
            nodes[key] = self.build(member, problems.at(key))
        if self.nulls == "drop":
            nodes = {key: node for key, node in nodes.items() if node != _Constant(None)}
        if all(isinstance(node, _Constant) for node in nodes.values()):
            return _Constant({key: node.value for key, node in nodes.items() if isinstance(node, _Constant)})
        return self._members(nodes)

    def _members(self, nodes: Mapping[str, _Branch]) -> Evaluate:
        members = [(key, _callable(node), _parameter(node)) for key, node in nodes.items()]
        if self.nulls == "keep":
            return lambda context: {key: evaluate(context) for key, evaluate, _ in members}
        drop = self.nulls == "drop"

        def evaluate_members(context: Context) -> dict[str, Any]:
            found = {}
            for key, evaluate, parameter in members:
                value = evaluate(context)
                if value is None and (drop or (parameter is not None and parameter not in context["params"])):
                    continue
                found[key] = value
            return found

        return evaluate_members


def _parameter(node: _Branch) -> str | None:
    """Return the parameter that the value is just taken from, if that is all it is."""
    path = node.path if isinstance(node, Expression) else None
    return path[1] if path and len(path) > 1 and path[0] == "params" else None
