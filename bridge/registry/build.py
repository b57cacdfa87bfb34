"""From a located document to a Registry: every name, expression, template and schema is checked here.

All mistakes are found at once. A part that is already known to be misshapen is not
looked into again, so one mistake gives one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.core.durations import duration
from bridge.core.located import Diagnostic, Path, Problems, Table, did_you_mean, dotted
from bridge.core.model import Registry, Tool
from bridge.core.null import NullBackend, UnconfiguredBackend
from bridge.core.ports import BackendKind, Resources
from bridge.core.redact import Redactor
from bridge.kinds import Kinds
from bridge.registry import hints, loader, not_yet, structure
from bridge.registry.callers import Callers, read_callers
from bridge.registry.error_rules import read_errors
from bridge.registry.references import MISSING, Resolved, resolve
from bridge.registry.tools import DEFAULT_TIMEOUT, Upstream, backend_scope, read_tool


@dataclass(frozen=True, slots=True)
class Built:
    """What came of reading a registry: `registry` is None where it cannot be served."""

    registry: Registry | None
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds registries for one process: which kinds there are, what they may use, and the environment."""

    kinds: Kinds[BackendKind]
    resources: Resources
    environ: Mapping[str, str]
    no_env: bool = False

    def build(self, loaded: loader.Loaded | None, found: list[Diagnostic]) -> Built:
        """Return the registry in `loaded`; `found` holds what loading it already reported."""
        registry = None
        if loaded is not None:
            registry = self._registry(loaded, found)
            hints.add(found, loaded.lines)
        if any(map(blocking, found)):
            registry = None
        return Built(registry, tuple(sorted(found)))

    def _registry(self, loaded: loader.Loaded, found: list[Diagnostic]) -> Registry | None:
        document = loaded.document
        resolved = resolve(document, self.environ, found, no_env=self.no_env)
        structure.check(
            document, found, kinds=self.kinds, unresolved=resolved.unresolved, texts=resolved.texts
        )
        not_yet.check(document, found)
        if not loaded.whole:
            return None
        problems = Problems(document, found=found)
        sound = _Sound(found)
        upstreams = self._upstreams(document, resolved, sound, problems)
        tools = _tools(document, upstreams, sound, problems)
        callers = read_callers(document, resolved.unresolved, problems) if sound("callers", "auth") else Callers()
        return Registry(
            name=str(document.get("name", "")),
            version=loader.version(loaded.files),
            tools=tools,
            backends={name: upstream.unconfigured or upstream.backend for name, upstream in upstreams.items()},
            title=document.get("title"),
            description=document.get("description", ""),
            instructions=document.get("instructions"),
            credentials=callers.credentials,
            late_credentials=tuple(callers.late),
            callers=callers.by_name,
            anonymous=callers.anonymous,
            anonymous_written=callers.anonymous_written,
            secrets=resolved.secrets,
            warnings=tuple(diagnostic for diagnostic in found if not blocking(diagnostic)),
        )

    def _upstreams(
        self, document: Table, resolved: Resolved, sound: _Sound, problems: Problems
    ) -> dict[str, Upstream]:
        upstreams = {}
        redactor = Redactor(resolved.secrets)
        for name, options in _mapping(document, "backends").items():
            # What is one reference to something missing has no shape to look into.
            if sound(("backends", name)) and isinstance(options, Mapping) and options["type"] in self.kinds:
                place = problems.at("backends", name)
                upstreams[name] = self._upstream(name, options, resolved.unresolved, redactor, place)
        return upstreams

    def _upstream(
        self,
        name: str,
        options: Mapping[str, Any],
        unresolved: frozenset[Path],
        redactor: Redactor,
        problems: Problems,
    ) -> Upstream:
        # Placeholders stand where variables are missing; what they would break is no mistake of the file.
        absent = any(path[:2] == ("backends", name) for path in unresolved)
        ours = Problems(problems.document, problems.path) if absent else problems
        backend = self.kinds[options["type"]](options, self.resources, ours)
        rules = read_errors(options.get("errors") or {}, backend_scope(), problems.at("errors"))
        timeout = duration(options["timeout"]) if "timeout" in options else DEFAULT_TIMEOUT
        return Upstream(name, backend, tuple(rules), timeout, _unconfigured(problems) if absent else None, redactor)


def _unconfigured(problems: Problems) -> UnconfiguredBackend:
    below = dotted(problems.path) + "."
    missing = [item for item in problems.found if item.code == MISSING and item.path.startswith(below)]
    return UnconfiguredBackend([item.message for item in missing])


def blocking(diagnostic: Diagnostic) -> bool:
    """Say whether a registry with this mistake must not be served; what is missing keeps only its own part away."""
    return diagnostic.severity == "error" and diagnostic.code != MISSING


class _Sound:
    """Knows which parts of the document are misshapen, so that nobody looks into them."""

    def __init__(self, found: Iterable[Diagnostic]) -> None:
        self._bad: set[str] = set()
        for item in found:
            if blocking(item) and item.code != not_yet.CODE:
                self._bad.add(item.path)
                self._bad.update(item.path[: cut.start()] for cut in re.finditer(r"[.\[]", item.path))

    def __call__(self, *parts: str | Path) -> bool:
        return not any((part if isinstance(part, str) else dotted(part)) in self._bad for part in parts)


def _mapping(document: Table, member: str) -> Mapping[str, Any]:
    value = document.get(member)
    return value if isinstance(value, Mapping) else {}


def _tools(document: Table, upstreams: Mapping[str, Upstream], sound: _Sound, problems: Problems) -> dict[str, Tool]:
    """Return the tools; their entries are gone from the document then, so that a new tool takes an old entry's room."""
    _check_names(document, sound, problems)
    tools = {}
    entries = _mapping(document, "tools")
    for name in list(entries):
        if not sound(("tools", name)):
            continue
        place, entry = problems.at("tools", name), entries[name]
        tool = read_tool(name, entry, _upstream_of(entry, document, upstreams, place), place)
        if tool is not None and entry.get("enabled", True):
            tools[name] = tool
        del document["tools"][name]
    return tools


def _upstream_of(
    entry: Mapping[str, Any], document: Table, upstreams: Mapping[str, Upstream], problems: Problems
) -> Upstream:
    """Return the tool's backend, or a null one where there is none to use, so that the rest is still checked."""
    name = entry.get("backend")
    declared = _mapping(document, "backends")
    if name is None:
        if not {"steps", "from"} & entry.keys():
            problems.add("a tool needs a `backend`", key=True)
    elif name not in declared:
        problems.add(f"no backend is called {name!r}{did_you_mean(name, declared)}", "backend")
    return upstreams.get(name or "") or Upstream(name or "", NullBackend())


def _check_names(document: Table, sound: _Sound, problems: Problems) -> None:
    """Aliases must not collide, and what a deprecated tool points to must exist."""
    tools = _mapping(document, "tools")
    taken = dict.fromkeys(tools, "the name of a tool")
    for name, entry in tools.items():
        if not sound(("tools", name)):
            continue
        place = problems.at("tools", name)
        for index, alias in enumerate(entry.get("aliases", ())):
            if alias in taken:
                place.add(f"{alias!r} is already {taken[alias]}", "aliases", index)
            taken[alias] = f"an alias of {name!r}"
        use = entry.get("deprecated", {}).get("use")
        if use is not None and use not in tools:
            place.add(f"no tool is called {use!r}{did_you_mean(str(use), tools)}", "deprecated", "use")
