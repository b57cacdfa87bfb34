"""From one tool's members to a Tool whose every part is compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bridge.core.durations import duration
from bridge.core.expressions import Scope, compile_tree
from bridge.core.located import Problems, plain
from bridge.core.model import Accepted, Deprecation, Tool
from bridge.core.null import UnconfiguredBackend
from bridge.core.ports import Backend, Plan, Prepared
from bridge.core.redact import Redactor, mask
from bridge.core.results import ErrorRule, Judge, compile_check, compile_judge, with_answer
from bridge.core.schemas import SchemaError, mistakes
from bridge.registry.error_rules import read_errors
from bridge.registry.parameters import Inputs, read_inputs

#: The whole call, in seconds, where neither tool nor backend says otherwise.
DEFAULT_TIMEOUT = 29.0

# One for all: an empty frozenset takes 216 bytes, and Python makes a new one each time.
_NONE: frozenset[str] = frozenset()
_BEFORE = frozenset({"params", "caller", "call"})
_NO_SECRETS = Redactor(())


@dataclass(frozen=True, slots=True)
class Upstream:
    """A backend as its tools need it: who prepares their calls, the rules of its `errors`, its timeout in seconds.

    `unconfigured` stands in for it where something is missing from outside; `redactor` knows the registry's secrets.
    """

    name: str
    backend: Backend
    rules: tuple[ErrorRule, ...] = ()
    timeout: float = DEFAULT_TIMEOUT
    unconfigured: UnconfiguredBackend | None = None
    redactor: Redactor = _NO_SECRETS


def read_tool(name: str, entry: Mapping[str, Any], upstream: Upstream, problems: Problems) -> Tool | None:
    """Return the tool, or None where a mistake in it was reported."""
    before = len(problems.errors)
    inputs = read_inputs(entry, problems)
    scope = Scope(_BEFORE, _names(inputs))
    plan = Plan(entry.get("call"), inputs.parameters, scope, entry.get("read_only"))
    prepared = upstream.backend.prepare(plan, problems.at("call"))
    judge = _judge(entry, upstream, prepared.read_only, scope, problems)
    check = _check(entry, problems)
    secret = frozenset(parameter.name for parameter in inputs.parameters.values() if parameter.secret)
    if len(problems.errors) > before or inputs.arguments is None:
        return None
    return Tool(
        name=name,
        description=_description(entry),
        input_schema=inputs.schema,
        output_schema=plain(entry.get("output_schema")),
        backend=upstream.name,
        accept=inputs.arguments.accept,
        execute=(upstream.unconfigured or prepared).execute,
        judge=judge,
        check=check,
        explain=_explain(prepared, secret, upstream.redactor),
        timeout=duration(entry["timeout"]) if "timeout" in entry else upstream.timeout,
        secret=secret,
        **_traits(entry, prepared),
    )


def _explain(
    prepared: Prepared, secret: frozenset[str], redactor: Redactor
) -> Callable[[Accepted], Mapping[str, Any]]:
    """Return what a kind says that it would send, without secrets: neither the call's nor the registry's."""

    def explain(accepted: Accepted) -> Mapping[str, Any]:
        shown: Mapping[str, Any] = redactor.tree(
            prepared.explain(replace(accepted, params=mask(accepted.params, secret)))
        )
        return shown

    return explain


def _traits(entry: Mapping[str, Any], prepared: Prepared) -> dict[str, Any]:
    """Return the members that only describe the tool or decide who sees it."""
    tenants = entry.get("tenants")
    deprecated = entry.get("deprecated")
    return {
        "read_only": prepared.read_only,
        "destructive": entry.get("destructive", not prepared.read_only),
        "idempotent": entry.get("idempotent", prepared.read_only),
        "open_world": entry.get("open_world", True),
        "title": entry.get("title"),
        "tags": frozenset(entry["tags"]) if "tags" in entry else _NONE,
        "scopes": frozenset(entry["scopes"]) if "scopes" in entry else _NONE,
        "tenants": None if tenants is None else frozenset(tenants),
        "internal": entry.get("internal", False),
        "hide_without_scope": entry.get("hide_without_scope", False),
        "aliases": tuple(entry.get("aliases", ())),
        "deprecated": None if deprecated is None else Deprecation(**deprecated),
    }


def _names(inputs: Inputs) -> frozenset[str] | None:
    """Return the declared names, None where a schema without properties lets any through."""
    closed = inputs.parameters or inputs.schema.get("additionalProperties") is False
    return frozenset(inputs.parameters) if closed else None


def _description(entry: Mapping[str, Any]) -> str:
    """Return the description, with a note that a model can act on where the tool is on its way out."""
    text = str(entry.get("description", ""))
    deprecated = entry.get("deprecated")
    if not deprecated:
        return text
    use = f"; use {deprecated['use']} instead" if "use" in deprecated else ""
    end = f"; gone from {deprecated['sunset']}" if "sunset" in deprecated else ""
    return f"{text.rstrip()} (Deprecated{use}{end}.)"


def _judge(
    entry: Mapping[str, Any], upstream: Upstream, read_only: bool, scope: Scope, problems: Problems
) -> Judge:
    after = with_answer(scope)
    rules = [*read_errors(entry.get("errors") or {}, after, problems.at("errors")), *upstream.rules]
    tree = compile_tree(entry["result"], after, problems.at("result")) if "result" in entry else None
    return compile_judge(rules, None if tree is None else tree.evaluate, read_only)


def backend_scope() -> Scope:
    """Return what an expression in a backend's `errors` may see: the answer, and any tool's params."""
    return with_answer(Scope(_BEFORE))


def _check(entry: Mapping[str, Any], problems: Problems) -> Callable[[Any], None]:
    schema = entry.get("output_schema")
    try:
        return compile_check(plain(schema))
    except SchemaError as error:
        for mistake in list(mistakes(schema)) or [error]:
            problems.add(mistake.message, "output_schema", *mistake.path, code="registry/schema")
        return compile_check(None)
