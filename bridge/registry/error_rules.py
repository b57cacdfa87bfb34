"""`errors` of a tool or a backend: which answers become which error of the tree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bridge.core.expressions import Scope, compile_bare, compile_text
from bridge.core.located import Problems, did_you_mean
from bridge.core.members import compile_member
from bridge.core.results import ErrorRule
from bridge.errors import BY_CODE, BridgeError

_OWN_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


def read_errors(errors: Any, scope: Scope, problems: Problems) -> list[ErrorRule]:
    """Return the rules in the order in which they are looked at: as written, `default` last."""
    return [rule for rule in _rules(errors, scope, problems) if rule is not None]


def _rules(errors: Any, scope: Scope, problems: Problems) -> Iterator[ErrorRule | None]:
    if isinstance(errors, list):
        for index, entry in enumerate(errors):
            yield _rule(entry, entry.get("status"), scope, problems.at(index))
        return
    # An exact status before its class, and `default` behind both, whatever the order on the page.
    for status in sorted(errors, key=lambda key: (key == "default", key.endswith("xx"))):
        yield _rule(errors[status], status, scope, problems.at(status))


def _rule(entry: Mapping[str, Any], status: Any, scope: Scope, problems: Problems) -> ErrorRule | None:
    kind = _kind(entry, problems)
    when = compile_member(entry, "when", compile_bare, scope, problems)
    message = compile_member(entry, "message", compile_text, scope, problems)
    if kind is None:
        return None
    failures = status == "default"
    return ErrorRule(None if failures else _statuses(status), failures, when, kind, entry["code"], message)


def _kind(entry: Mapping[str, Any], problems: Problems) -> type[BridgeError] | None:
    code, like = entry["code"], entry.get("like")
    if like is not None and like not in BY_CODE:
        problems.add(f"no error is called {like!r}{did_you_mean(like, BY_CODE)}", "like")
        return None
    if like is not None and code not in BY_CODE and not _OWN_CODE.fullmatch(code):
        problems.add("an error code is written in capitals, digits and underscores", "code")
        return None
    known = BY_CODE.get(code if like is None else like)
    if known is None:
        near = did_you_mean(code, BY_CODE)
        problems.add(f"no error is called {code!r}{near}; a code of your own says which one it is `like:`", "code")
    return known


def _statuses(status: Any) -> range | None:
    if status is None:
        return None
    text = str(status)
    if text.endswith("xx"):
        first = int(text[0]) * 100
        return range(first, first + 100)
    return range(int(text), int(text) + 1)
