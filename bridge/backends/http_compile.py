"""From a tool's `call` to requests: placement, templates and trees, compiled at load.

Where a parameter goes is settled once, for all alternatives together: what any of them
names (in the path, `query`, `headers`, a body or `when`) is placed by hand; every other
parameter goes where `in` says, or to the JSON body of a POST, PUT or PATCH, or to the query of
any other method. A parameter that would go nowhere is a mistake at load.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from bridge.backends.http_auth import Credentials
from bridge.backends.http_call import Alternative, Arrays, Body, Verdict
from bridge.backends.http_names import check_names, query_names, wrong_name, wrong_value
from bridge.core.expressions import Expression, Scope, Tree, compile_bare, compile_tree, truthy
from bridge.core.located import Problems, did_you_mean
from bridge.core.members import compile_member
from bridge.core.model import Parameter
from bridge.core.ports import Plan
from bridge.core.results import with_answer
from bridge.core.templates import PathTemplate, TemplateError, compile_path

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
BODIES = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "text": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class _Draft:
    """An alternative whose parts are compiled and whose placement is still open."""

    call: Mapping[str, Any]
    method: str
    path: PathTemplate
    when: Expression | None
    trees: Mapping[str, Tree]
    problems: Problems

    @property
    def named(self) -> frozenset[str]:
        parts = [self.path.variables, *(tree.params for tree in self.trees.values())]
        return frozenset().union(*parts, self.when.params if self.when else ())

    @property
    def body_kind(self) -> str | None:
        return next((kind for kind in BODIES if kind in self.call), None)


def compile_call(plan: Plan, credentials: Credentials, problems: Problems) -> tuple[Alternative, ...]:
    """Return the alternatives of a tool's `call`, in order; report every mistake in them."""
    if plan.call is None:
        problems.add("write a `call`: `METHOD /path`, or a mapping with a `path`")
        return ()
    parts = plan.call if isinstance(plan.call, list) else [plan.call]
    places = [problems.at(index) if isinstance(plan.call, list) else problems for index in range(len(parts))]
    drafts = [_draft(part, plan, place) for part, place in zip(parts, places, strict=True)]
    whole = [draft for draft in drafts if draft is not None]
    if len(whole) < len(drafts):
        return ()
    _check_order(whole, plan)
    named = frozenset().union(*(draft.named for draft in whole))
    alternatives = tuple(_place(draft, plan, named) for draft in whole)
    for draft, alternative in zip(whole, alternatives, strict=True):
        _check_collisions(draft, alternative, plan, credentials)
    return alternatives


def short_form(text: str) -> dict[str, str] | None:
    """Return the members that `METHOD /path` stands for, None if it is not of that form."""
    method, space, path = text.strip().partition(" ")
    return {"method": method, "path": path.strip()} if space and method in METHODS else None


def _draft(part: Any, plan: Plan, problems: Problems) -> _Draft | None:
    call = short_form(part) if isinstance(part, str) else part
    if call is None:
        problems.add(f"write `METHOD /path`, with one of the methods {', '.join(METHODS)}")
        return None
    path = _path(call, plan, problems if isinstance(part, str) else problems.at("path"))
    when = compile_member(call, "when", compile_bare, plan.scope, problems)
    nulls: Literal["given", "drop"] = "given" if call.get("nulls") == "keep" else "drop"
    trees = {
        member: compile_tree(call[member], plan.scope, problems.at(member), nulls)
        for member in ("query", "headers", *BODIES)
        if member in call
    }
    _check_members(call, problems)
    if path is None:
        return None
    return _Draft(call, call.get("method", "GET"), path, when, trees, problems)


def _path(call: Mapping[str, Any], plan: Plan, problems: Problems) -> PathTemplate | None:
    parameters = plan.parameters
    wire = {name: parameter.wire for name, parameter in parameters.items()}
    slashes = {name for name, parameter in parameters.items() if parameter.allow_slash}
    try:
        template = compile_path(call["path"], allow_slash=slashes, wire=wire, arrays=_arrays(call))
    except TemplateError as error:
        problems.add(error.message, code="registry/template", hint=error.hint)
        return None
    declared = plan.scope.params
    for name in sorted(template.variables - (template.variables if declared is None else declared)):
        problems.add(_undeclared(name, parameters))
    return template


def _undeclared(name: str, parameters: Mapping[str, Parameter]) -> str:
    return f"no parameter is called {name!r}{did_you_mean(name, parameters)}"


def _arrays(call: Mapping[str, Any]) -> Arrays:
    return cast(Arrays, call.get("arrays", "repeat"))


def _check_members(call: Mapping[str, Any], problems: Problems) -> None:
    bodies = [kind for kind in BODIES if kind in call]
    for extra in bodies[1:]:
        problems.add(f"a call has one body: `{bodies[0]}` or `{extra}`, not both", extra, key=True)
    if bodies and call.get("method", "GET") in ("GET", "HEAD"):
        problems.add("a body needs a `method` of POST, PUT, PATCH or DELETE", bodies[0], key=True)
    for name in call.get("headers", ()):
        sentence = wrong_name(name)
        if sentence is not None:
            problems.add(sentence, "headers", name, key=True)
        value = call["headers"][name]
        if isinstance(value, str) and "${{" not in value and wrong_value(name, value):
            problems.add(f"the header {name} cannot carry this value", "headers", name)


def _check_order(drafts: Sequence[_Draft], plan: Plan) -> None:
    for draft in drafts[:-1]:
        if draft.when is None and "when" not in draft.call:
            draft.problems.add("this alternative has no `when`, so those after it can never be reached")
    last = drafts[-1]
    if len(drafts) > 1 and last.when is None:
        for name in sorted(last.path.query_variables):
            if name in plan.parameters and plan.parameters[name].optional:
                sentence = f"the optional {name!r} may be absent here; a `when` would say what is meant"
                last.problems.warn(sentence, "path")


def _place(draft: _Draft, plan: Plan, named: frozenset[str]) -> Alternative:
    spots: dict[str, list[tuple[str, str]]] = {"query": [], "header": [], "body": []}
    for parameter in plan.parameters.values():
        spot = _spot(parameter, draft, named)
        if spot is not None:
            spots[spot].append((parameter.name, parameter.wire))
    sends_body = bool(spots["body"]) or (draft.body_kind is None and draft.method in WITH_BODY)
    body = None
    if draft.body_kind is not None:
        body = Body(draft.body_kind, draft.trees[draft.body_kind], _arrays(draft.call))
    return Alternative(
        method=draft.method,
        path=draft.path,
        when=draft.when,
        query=draft.trees.get("query"),
        headers=draft.trees.get("headers"),
        body=body,
        auto_query=tuple(spots["query"]),
        auto_headers=tuple(spots["header"]),
        auto_body=tuple(spots["body"]) if sends_body and spots["body"] else None,
        keep_nulls=draft.call.get("nulls") == "keep",
        arrays=_arrays(draft.call),
        success=_success(draft, plan.scope),
        content_type=_content_type(draft, bool(spots["body"])),
    )


def _spot(parameter: Parameter, draft: _Draft, named: frozenset[str]) -> str | None:
    """Return where a parameter goes besides the places that name it; report one that goes nowhere."""
    place, name = parameter.place, parameter.name
    if place == "none" or (place is None and name in named):
        return None
    if place == "path":
        if name not in draft.path.path_variables:
            draft.problems.add(f"parameter {name!r} is `in: path`, but the path does not name it")
        return None
    if place is None:
        place = "body" if draft.method in WITH_BODY else "query"
        if (place == "query" and "query" in draft.call) or (place == "body" and draft.body_kind):
            draft.problems.add(f"parameter {name!r} goes nowhere; place it, or write `in: none` if that is meant")
            return None
    if place == "header":
        sentence = wrong_name(parameter.wire)
        if sentence is not None:
            draft.problems.add(f"parameter {name!r} is `in: header`, but {sentence}")
    if place == "body" and (draft.body_kind or draft.method in ("GET", "HEAD")):
        draft.problems.add(f"parameter {name!r} is `in: body`, but this call has no body of parameters")
        return None
    return place


def _check_collisions(draft: _Draft, alternative: Alternative, plan: Plan, credentials: Credentials) -> None:
    headers = [*draft.call.get("headers", ()), *(wire for _, wire in alternative.auto_headers)]
    query = query_names(draft.call, sorted(draft.path.query_variables), plan.parameters)
    query += [wire for _, wire in alternative.auto_query]
    check_names("the header", [name.lower() for name in headers], credentials.header, draft.problems)
    check_names("the query's", query, credentials.parameter, draft.problems)
    check_names("the body's", [wire for _, wire in alternative.auto_body or ()], None, draft.problems)


def _content_type(draft: _Draft, placed: bool) -> str | None:
    if draft.body_kind is not None:
        return BODIES[draft.body_kind]
    return BODIES["json"] if placed else None


def _success(draft: _Draft, scope: Scope) -> Verdict:
    wanted = draft.call.get("success")
    if isinstance(wanted, list):
        statuses = frozenset(wanted)
        return lambda context: context["status"] in statuses
    if wanted is None:
        return _fine
    condition = compile_member(draft.call, "success", compile_bare, with_answer(scope), draft.problems)
    return lambda context: condition is None or truthy(condition(context))


def _fine(context: Mapping[str, Any]) -> bool:
    return bool(200 <= context["status"] < 300)
