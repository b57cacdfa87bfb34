"""The whole product in this process: a registry file behind its WSGI application, with no server in front.

    with bridged(REGISTRY, tmp_path, CRM_URL=crm.url("")) as served:
        assert served.execute("look", {"id": "7"}).status == 200
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask

from bridge.assembly import Bridge
from bridge.settings import Settings
from bridge.web.app import create_app
from tests.support.strict_json import Answered
from tests.support.wsgi_client import ask

#: Every door that takes a call, and the members of its body that hold the tool's name and the arguments.
DOORS = {"/api/execute": ("tool", "parameters"), "/call": ("name", "arguments"), "/mcp/call": ("name", "arguments")}


@dataclass(frozen=True, slots=True)
class Bridged:
    """An application over a registry; `lines` are what it has logged, `path` is the registry's file."""

    app: Flask
    bridge: Bridge
    path: Path
    lines: list[str] = field(default_factory=list)

    def post(self, door: str, tool: str, arguments: Any, **headers: str) -> Answered:
        """Call a tool through one of the `DOORS`."""
        name, given = DOORS[door]
        named = {header.replace("_", "-"): value for header, value in headers.items()}
        return ask(self.app, "POST", door, {name: tool, given: arguments}, named)

    def execute(self, tool: str, arguments: Any, **headers: str) -> Answered:
        """Call a tool through `/api/execute`."""
        return self.post("/api/execute", tool, arguments, **headers)


@contextmanager
def bridged(registry: str, folder: Path, environ: Mapping[str, str] = {}, **settings: Any) -> Iterator[Bridged]:
    """Write `registry` into `folder`, serve it with `environ` for its references, and close everything at the end."""
    path = folder / "registry.yaml"
    path.write_text(registry, "utf-8")
    lines: list[str] = []
    given = {"reload": False, "state": folder / "state"} | settings
    bridge = Bridge(Settings(environ, registry=path, **given), lines.append)
    try:
        yield Bridged(create_app(bridge), bridge, path, lines)
    finally:
        bridge.close()
