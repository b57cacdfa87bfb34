"""Who takes part, how each is started at its best, and through which doors it is called."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import backends, documents, install
from benchmarks.processes import NotStartedError, Server, Stage, free_port
from benchmarks.traffic import CALL, DIRECT, EXECUTE, MCP, NATIVE, TOKEN, Door, wrong

SERVERS = Path(__file__).with_name("servers")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a server shall serve: the backend's port, how many tools, and our own threads and concurrency.

    `beside` is the port of a second backend, which our registry reaches with one more tool, `BESIDE`.
    """

    backend: int
    tools: int = 10
    threads: int = 80
    concurrency: int = 64
    beside: int | None = None


@dataclass(frozen=True, slots=True)
class Contender:
    """A server of the comparison. `start` raises NotStartedError where it cannot take part."""

    name: str
    doors: tuple[Door, ...]
    start: Callable[[Stage, Wanted], Server]
    peer: bool = True


def _wait(server: Server, door: Door, wanted: Wanted) -> Server:
    server.wait_for(lambda: wrong(server.port, door, wanted.tools), 30 + wanted.tools / 50)
    return server


def _our_environment(stage: Stage, wanted: Wanted) -> dict[str, str]:
    file = documents.registry(
        stage.file(""), wanted.backend, wanted.tools, wanted.concurrency, wanted.beside
    )
    return {"TOOLBRIDGE_REGISTRY": str(file), "TOOLBRIDGE_THREADS": str(wanted.threads), "BENCH_TOKEN": TOKEN}


def _start_gunicorn(stage: Stage, wanted: Wanted) -> Server:
    port, env = free_port(), _our_environment(stage, wanted)
    command = [str(Path(sys.executable).with_name("toolbridge")), "serve", env["TOOLBRIDGE_REGISTRY"]]
    command += ["--port", str(port), "--workers", "1", "--threads", str(wanted.threads)]
    return _wait(stage.start("toolbridge", command, port, core=stage.server_core, env=env), EXECUTE, wanted)


def _start_granian(stage: Stage, wanted: Wanted) -> Server:
    port, env = free_port(), _our_environment(stage, wanted)
    env["PYTHONPATH"] = os.pathsep.join([str(install.granian()), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--workers", "1"]
    command += ["--http", "1", "--no-ws", "--blocking-threads", str(wanted.threads), "bridge.web.wsgi:app"]
    server = stage.start(
        "toolbridge, granian", command, port, core=stage.server_core, env=env, folder=backends.PROJECT
    )
    return _wait(server, EXECUTE, wanted)


def _start_proxy(stage: Stage, wanted: Wanted) -> Server:
    if not backends.has_nginx():
        raise NotStartedError("nginx is not installed")
    return backends.proxy(stage, wanted.backend)


def _start_toolbox(stage: Stage, wanted: Wanted) -> Server:
    port, file = free_port(), documents.toolbox(stage.file(".yaml"), wanted.backend, wanted.tools)
    command = [str(install.toolbox()), "--config", str(file), "--port", str(port), "--enable-api"]
    command += ["--disable-reload", "--disable-version-check", "--log-level", "WARN"]
    return _wait(stage.start("MCP Toolbox", command, port, core=stage.server_core), MCP, wanted)


def _start_python(script: str, *, document: bool = False) -> Callable[[Stage, Wanted], Server]:
    def start(stage: Stage, wanted: Wanted) -> Server:
        python, _ = install.python_peers()
        port = free_port()
        command = [str(python), str(SERVERS / script), str(port)]
        if document:
            file = documents.openapi(stage.file(".json"), wanted.backend, wanted.tools)
            command += [f"http://127.0.0.1:{wanted.backend}", str(file)]
        else:
            command += [f"http://127.0.0.1:{wanted.backend}", str(wanted.tools)]
        return _wait(stage.start(script, command, port, core=stage.server_core), MCP, wanted)

    return start


TOOLBRIDGE = Contender("toolbridge", (EXECUTE, CALL), _start_gunicorn, peer=False)
GRANIAN = Contender("toolbridge under granian", (EXECUTE,), _start_granian, peer=False)
PROXY = Contender("nginx proxy_pass", (DIRECT,), _start_proxy)
TOOLBOX = Contender("MCP Toolbox", (MCP, NATIVE), _start_toolbox)
FASTMCP_OPENAPI = Contender("FastMCP from_openapi", (MCP,), _start_python("fastmcp_openapi.py", document=True))
FASTMCP_TOOL = Contender("FastMCP tool with httpx", (MCP,), _start_python("fastmcp_tool.py"))
SDK = Contender("official SDK, low level", (MCP,), _start_python("mcp_lowlevel.py"))
EVERYBODY = (TOOLBRIDGE, GRANIAN, PROXY, TOOLBOX, FASTMCP_OPENAPI, FASTMCP_TOOL, SDK)


@dataclass(slots=True)
class Field:
    """Who really runs in a scenario, and why the others do not."""

    running: list[tuple[Contender, Server]]
    missing: dict[str, str]


def start(stage: Stage, wanted: Wanted, *contenders: Contender) -> Field:
    """Start those that can be started; peers only where the run asks for them."""
    field = Field([], {})
    for contender in contenders:
        if contender.peer and not stage.peers:
            continue
        try:
            field.running.append((contender, contender.start(stage, wanted)))
        except NotStartedError as error:
            field.missing[contender.name] = str(error)
            print(f"! {contender.name} does not take part: {error}", file=sys.stderr)
    return field
