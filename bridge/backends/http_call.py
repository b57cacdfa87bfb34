"""A tool's `call` as requests ready to be filled in: one Alternative for each way to make it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bridge.core.expressions import Expression, Tree, truthy
from bridge.core.parsing import dump_json
from bridge.core.templates import PathTemplate, encode_query

Context = Mapping[str, Any]
Arrays = Literal["repeat", "brackets", "comma", "indexed"]
Verdict = Callable[[Context], bool]


@dataclass(frozen=True, slots=True)
class Body:
    """A body written out in the call: its kind, its tree, and how arrays are spelled in a form."""

    kind: str
    tree: Tree
    arrays: Arrays

    def encode(self, context: Context) -> bytes:
        """Return the bytes to send."""
        value = self.tree(context)
        if self.kind == "json":
            return dump_json(value)
        if self.kind == "form":
            return encode_query(value or {}, self.arrays).encode("ascii")
        return value.encode() if isinstance(value, str) else b"" if value is None else dump_json(value)


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to make the call, ready to be filled in.

    `query` and `headers` are trees written in the call; `auto_*` are parameters placed by
    default, as (name, wire name). `success` judges the answer.
    """

    method: str
    path: PathTemplate
    when: Expression | None
    query: Tree | None
    headers: Tree | None
    body: Body | None
    auto_query: tuple[tuple[str, str], ...]
    auto_headers: tuple[tuple[str, str], ...]
    auto_body: tuple[tuple[str, str], ...] | None
    keep_nulls: bool
    arrays: Arrays
    success: Verdict
    content_type: str | None

    def applies(self, context: Context) -> bool:
        """Say whether this alternative's `when` holds."""
        return self.when is None or truthy(self.when(context))

    def target(self, context: Context, extra: Sequence[tuple[str, str]]) -> str:
        """Return path and query; `extra` are pairs that authentication adds."""
        params = context["params"]
        target = self.path.expand(params)
        pairs = dict(self.query(context) or {}) if self.query else {}
        for name, wire in self.auto_query:
            if params.get(name) is not None:
                pairs[wire] = params[name]
        pairs.update(extra)
        encoded = encode_query(pairs, self.arrays) if pairs else ""
        return target + ("&" if "?" in target else "?") + encoded if encoded else target

    def payload(self, context: Context) -> bytes | None:
        """Return the body, or None where the request has none."""
        if self.body is not None:
            return self.body.encode(context)
        if self.auto_body is None:
            return None
        params = context["params"]
        kept = ((name, wire) for name, wire in self.auto_body if name in params)
        return dump_json({wire: params[name] for name, wire in kept if self.keep_nulls or params[name] is not None})

    def header_values(self, context: Context) -> list[tuple[str, Any]]:
        """Return the call's own headers with their values, not yet text."""
        written = self.headers(context) if self.headers else {}
        params = context["params"]
        placed = [(wire, params[name]) for name, wire in self.auto_headers if params.get(name) is not None]
        return [*written.items(), *placed]
