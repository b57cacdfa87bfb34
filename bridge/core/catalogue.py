"""The tools as each caller sees them, rendered once per set of visible tools.

Visibility and authority are two things. What is not visible (internal, another
tenant's, outside the toolset, past its sunset, or hidden without its scope) does not
exist for the caller: it answers like a name that nobody ever used. What is visible but lacks
a scope is left out of lists and refused by name in the pipeline.

Callers differ in few ways (toolset, tenant, scopes), so views are kept by those, and the bytes
of a list are kept by the set of tools in it: two callers who see the same share them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time

from bridge.core.located import did_you_mean
from bridge.core.model import Caller, Registry, Tool
from bridge.core.ports import Clock
from bridge.errors import ToolNotFound

#: Views kept before starting afresh; a bound, because tenants can be many.
MAX_VIEWS = 1_000
#: Names compared for a suggestion; a bound, because the comparison is slow.
MAX_NEAR = 200

_Key = tuple[str | None, str | None, frozenset[str] | None]


class View:
    """What one kind of caller sees: tools by name (aliases too), and those it may use, in the registry's order."""

    __slots__ = ("by_name", "listed", "pages")

    def __init__(self, by_name: dict[str, Tool], listed: tuple[Tool, ...]) -> None:
        self.by_name = by_name
        self.listed = listed
        self.pages: dict[str, tuple[bytes, str]] = {}


class ToolCatalogue:
    """The port Catalogue over one accepted registry."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self._views: dict[_Key, View] = {}
        self._same: dict[tuple[Tool, ...], View] = {}
        self._sunsets = {name: _end(tool) for name, tool in registry.tools.items() if _end(tool)}
        self._stale_at = 0.0

    def has_toolset(self, toolset: str) -> bool:
        """Say whether the toolset exists."""
        return toolset in self._registry.toolsets

    def find(self, caller: Caller, toolset: str | None, name: str) -> Tool:
        """Return the visible tool of that name (or alias) or raise ToolNotFound."""
        view = self._view(caller, toolset)
        tool = view.by_name.get(name)
        if tool is None:
            raise ToolNotFound(f"Unknown tool {_shown(name)}{_suggest(name, view)}")
        return tool

    def page(
        self, caller: Caller, toolset: str | None, kind: str, render: Callable[[Sequence[Tool]], bytes]
    ) -> tuple[bytes, str]:
        """Return what `render` makes of the tools this caller may use, and its ETag (RFC 9110, strong)."""
        view = self._view(caller, toolset)
        if kind not in view.pages:
            body = render(view.listed)
            view.pages[kind] = body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        return view.pages[kind]

    def _view(self, caller: Caller, toolset: str | None) -> View:
        if self._sunsets and self._clock.unix() >= self._stale_at:
            self._forget()
        chosen = toolset if toolset is not None else caller.toolset
        key = (chosen, caller.tenant, caller.scopes)
        view = self._views.get(key)
        if view is None:
            if len(self._views) >= MAX_VIEWS:
                self._forget()
            view = self._views[key] = self._look(caller, chosen)
        return view

    def _forget(self) -> None:
        now = self._clock.unix()
        self._views, self._same = {}, {}
        self._stale_at = min((end for end in self._sunsets.values() if end > now), default=float("inf"))

    def _look(self, caller: Caller, toolset: str | None) -> View:
        now = self._clock.unix()
        tools = [tool for tool in self._registry.tools.values() if self._visible(tool, caller, toolset, now)]
        listed = tuple(tool for tool in tools if not caller.lacks(tool.scopes))
        by_name = {alias: tool for tool in tools for alias in tool.aliases} | {tool.name: tool for tool in tools}
        view = View(by_name, listed)
        view.pages = self._same.setdefault(listed, view).pages
        return view

    def _visible(self, tool: Tool, caller: Caller, toolset: str | None, now: float) -> bool:
        return not (
            tool.internal
            or (tool.tenants is not None and caller.tenant not in tool.tenants)
            or (toolset is not None and tool.name not in self._registry.toolsets.get(toolset, ()))
            or (tool.hide_without_scope and caller.lacks(tool.scopes))
            or self._sunsets.get(tool.name, float("inf")) <= now
        )


def _end(tool: Tool) -> float:
    """Return the second (UTC) from which a deprecated tool is refused, 0 if it has no sunset."""
    if tool.deprecated is None or tool.deprecated.sunset is None:
        return 0.0
    return datetime.combine(date.fromisoformat(tool.deprecated.sunset), time(), UTC).timestamp()


def _shown(name: str) -> str:
    return repr(name if len(name) <= 100 else name[:100] + "…")


def _suggest(name: str, view: View) -> str:
    near = [known for known in view.by_name if known[:1] == name[:1]][:MAX_NEAR]
    return did_you_mean(name[:100], near)
