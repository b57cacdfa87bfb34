"""`callers` and `auth`: who may call, and whether somebody without a credential may."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.core.late import Late
from bridge.core.located import Path, Problems
from bridge.core.model import Caller
from bridge.core.tokens import digest

#: Who calls where nobody has to authenticate: every scope, the root's tools.
EVERYBODY = Caller("anonymous")


@dataclass(slots=True)
class Callers:
    """Who may call: by token, by a token that may change, or without any."""

    by_name: dict[str, Caller] = field(default_factory=dict)
    credentials: dict[str, Caller] = field(default_factory=dict)
    late: list[tuple[Callable[[], str], Caller]] = field(default_factory=list)
    anonymous: Caller | None = None
    anonymous_written: bool = False


def read_callers(document: Mapping[str, Any], unresolved: frozenset[Path], problems: Problems) -> Callers:
    """Return the callers that the registry declares; report tokens that cannot be used."""
    found = Callers()
    for name, entry in document.get("callers", {}).items():
        caller = Caller(name, entry.get("tenant"), frozenset(entry.get("scopes", ())))
        found.by_name[name] = caller
        _tokens(entry, caller, found, unresolved, problems.at("callers", name))
    if "callers" not in document and "auth" not in document:
        found.anonymous = EVERYBODY
        return found
    _anonymous(document.get("auth", {}).get("anonymous", False), found)
    if not found.by_name and found.anonymous is None:
        problems.add("nobody may call: name `callers`, or write `anonymous: true`", "auth", key=True)
    return found


def _anonymous(written: Any, found: Callers) -> None:
    if written is False:
        return
    options = written if isinstance(written, Mapping) else {}
    found.anonymous = Caller("anonymous", scopes=frozenset(options.get("scopes", ())))
    found.anonymous_written = True


def _tokens(
    entry: Mapping[str, Any], caller: Caller, found: Callers, unresolved: frozenset[Path], problems: Problems
) -> None:
    members = [member for member in ("token", "token_sha256", "tokens") if member in entry]
    if not members:
        problems.add("a caller shows a `token`, a `token_sha256`, or one of `tokens`")
    for path, value in _values(entry):
        place = problems.at(*path)
        if any(place.path[: len(missing)] == missing for missing in unresolved):
            continue
        if isinstance(value, Late):
            found.late.append((value.read, caller))
        elif not value:
            place.add("a token cannot be empty")
        else:
            _claim(str(value).lower() if path[0] == "token_sha256" else digest(str(value)), caller, found, place)


def _values(entry: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    for member in ("token", "token_sha256"):
        if member in entry:
            yield (member,), entry[member]
    for index, token in enumerate(entry.get("tokens", ())):
        yield ("tokens", index), token


def _claim(shown: str, caller: Caller, found: Callers, problems: Problems) -> None:
    owner = found.credentials.setdefault(shown, caller)
    if owner is not caller:
        problems.add(f"caller {owner.id!r} has the same token")
