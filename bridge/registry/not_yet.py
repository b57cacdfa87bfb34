"""What the format knows and this version refuses: one table, which may only shrink.

A member whose policy does not exist must never be accepted and ignored: a tool that says
`confirm` and does not ask would be worse than one that cannot be loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bridge.core.located import Diagnostic, Path, Row, Table, dotted, locate

CODE = "registry/not_yet"

#: Members that are refused; `*` is any name in a mapping, `[]` any item of a list.
MEMBERS = (
    "audit", "icons", "import", "prompts", "resources", "schedules", "toolsets",
    "auth.anonymous.toolset", "auth.jwt",
    "backends.*.allow", "backends.*.ca", "backends.*.circuit_breaker", "backends.*.mtls", "backends.*.retry",
    "backends.*.errors.*.retryable", "backends.*.errors.[].retryable",
    "callers.*.limits", "callers.*.toolset",
    "tools.*.async", "tools.*.audit", "tools.*.cache", "tools.*.complete", "tools.*.confirm", "tools.*.content",
    "tools.*.conversation", "tools.*.durable", "tools.*.examples", "tools.*.from", "tools.*.hidden", "tools.*.icons",
    "tools.*.idempotency", "tools.*.limits", "tools.*.remember", "tools.*.steps", "tools.*.visible",
    "tools.*.errors.*.retryable", "tools.*.errors.[].retryable",
    "tools.*.parameters.*.complete",
    "tools.*.call.auth", "tools.*.call.hosts", "tools.*.call.multipart", "tools.*.call.paginate", "tools.*.call.poll",
    "tools.*.call.response", "tools.*.call.url", "tools.*.call.xml",
    "tools.*.call.[].auth", "tools.*.call.[].hosts", "tools.*.call.[].multipart", "tools.*.call.[].paginate",
    "tools.*.call.[].poll", "tools.*.call.[].response", "tools.*.call.[].url", "tools.*.call.[].xml",
)  # fmt: skip

#: Values that are refused where others are not.
VALUES: Mapping[str, frozenset[str]] = {
    "backends.*.auth.type": frozenset(("hmac", "oauth2", "token_exchange")),
    "backends.*.type": frozenset(("agentforce", "manifest", "mcp", "python", "smtp", "sql")),
}


def check(document: Table, problems: list[Diagnostic]) -> None:
    """Report every member and value that this version refuses."""
    for path, value, meant in _refused(document):
        member = meant is _ANY
        said = f"`{path[-1] if member else value}` is not available in this version"
        problems.append(Diagnostic(locate(document, path, key=member), dotted(path), said, CODE))


def paths(document: Table) -> frozenset[Path]:
    """Return where nobody else needs to look: refused members, and what a refused value decides the shape of."""
    return frozenset(path if meant is _ANY else path[:-1] for path, _, meant in _refused(document))


_ANY = frozenset("*")
# `[]` in the tree of steps: no text, so that a member of that name is not taken for it.
_ITEM = None


def _grown() -> dict[str | None, Any]:
    """Return both tables as a tree of steps, so that a document is walked once."""
    tree: dict[str | None, Any] = {}
    for path, meant in (*((path, _ANY) for path in MEMBERS), *VALUES.items()):
        *above, last = (_ITEM if step == "[]" else step for step in path.split("."))
        branch = tree
        for step in above:
            branch = branch.setdefault(step, {})
        branch[last] = meant
    return tree


_TREE = _grown()


def _refused(document: Table) -> Iterator[tuple[Path, Any, frozenset[str]]]:
    for path, value, meant in _walk(document, _TREE, ()):
        if meant is _ANY or (isinstance(value, str) and value in meant):
            yield path, value, meant


def _walk(value: Any, tree: Mapping[str | None, Any], path: Path) -> Iterator[tuple[Path, Any, frozenset[str]]]:
    for name, item in _members(value):
        branch = tree.get(_ITEM if isinstance(name, int) else "*" if "*" in tree else name)
        if isinstance(branch, frozenset):
            yield (*path, name), item, branch
        elif branch is not None:
            yield from _walk(item, branch, (*path, name))


def _members(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, Table):
        return value.items()
    return enumerate(value) if isinstance(value, Row) else ()
