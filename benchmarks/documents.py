"""The same tools, declared for each contender: our registry, MCP Toolbox's YAML, an OpenAPI document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.traffic import REGIONS, tool_name

PER_FILE = 1_000
"""Tools per included file: well under the loader's bounds of 2 MiB and 100,000 nodes per file."""

BESIDE = "ask_the_other"
"""The tool of our registry that reaches its second backend, where there is one."""

_PARAMETERS = f"""\
    parameters:
      customer_id: {{type: string, pattern: '^C-[0-9]{{1,9}}$', description: The customer's number.}}
      limit: {{type: integer, minimum: 1, maximum: 100, description: How many orders.}}
      region: {{type: string, enum: [{", ".join(REGIONS)}], description: The sales region.}}
    call: GET /customers/{{customer_id}}
"""


def _tool(name: str, backend: str, description: str) -> str:
    return f"  {name}:\n    description: {description}\n    backend: {backend}\n{_PARAMETERS}"


def _tools(numbers: range) -> str:
    return "".join(_tool(tool_name(number), "crm", f"Get one customer, way {number}.") for number in numbers)


def _backend(name: str, port: int, concurrency: int) -> str:
    return f"  {name}: {{type: http, base_url: 'http://127.0.0.1:{port}', concurrency: {concurrency}}}\n"


def registry(folder: Path, backend: int, tools: int, concurrency: int, beside: int | None) -> Path:
    """Our registry file; more than `PER_FILE` tools are spread over included files."""
    folder.mkdir()
    head = "bridge: 1\nname: bench\ncallers:\n  bench: {token: '${BENCH_TOKEN}'}\nbackends:\n"
    head += _backend("crm", backend, concurrency)
    if beside is not None:
        head += _backend("other", beside, concurrency)
    if tools <= PER_FILE:
        head += "tools:\n" + _tools(range(tools))
        if beside is not None:
            head += _tool(BESIDE, "other", "Ask the other backend.")
    else:
        head += "include: ['tools/*.yaml']\n"
        (folder / "tools").mkdir()
        for first in range(0, tools, PER_FILE):
            part = "tools:\n" + _tools(range(first, min(first + PER_FILE, tools)))
            (folder / "tools" / f"{first:06}.yaml").write_text(part)
    file = folder / "registry.yaml"
    file.write_text(head)
    return file


def toolbox(file: Path, backend: int, tools: int) -> Path:
    """MCP Toolbox's configuration in its flat format."""
    parts = [
        f"kind: source\nname: crm\ntype: http\nbaseUrl: http://127.0.0.1:{backend}\ntimeout: 30s\n"
        "allowedIpRanges: [127.0.0.0/8]\n"
    ]
    for number in range(tools):
        parts.append(f"""\
kind: tool
name: {tool_name(number)}
type: http
source: crm
method: GET
path: /customers/{{{{.customer_id}}}}
description: Get one customer, way {number}.
pathParams:
  - {{name: customer_id, type: string, description: The customer's number.}}
queryParams:
  - {{name: limit, type: integer, minValue: 1, maxValue: 100, description: How many orders.}}
  - {{name: region, type: string, allowedValues: [{", ".join(REGIONS)}], description: The sales region.}}
""")
    file.write_text("---\n".join(parts))
    return file


def openapi(file: Path, backend: int, tools: int) -> Path:
    """An OpenAPI document with one operation per tool; they differ in a prefix that the backend ignores."""
    region = {"type": "string", "enum": list(REGIONS)}
    identity = {"type": "string", "pattern": "^C-[0-9]{1,9}$"}
    limit = {"type": "integer", "minimum": 1, "maximum": 100}
    placed: list[dict[str, Any]] = [
        {"name": "customer_id", "in": "path", "required": True, "schema": identity},
        {"name": "limit", "in": "query", "required": True, "schema": limit},
        {"name": "region", "in": "query", "required": True, "schema": region},
    ]
    answer = {"200": {"description": "ok", "content": {"application/json": {"schema": {"type": "object"}}}}}
    paths = {
        f"/v{number}/customers/{{customer_id}}": {
            "get": {
                "operationId": tool_name(number),
                "summary": f"Get one customer, way {number}.",
                "parameters": placed,
                "responses": answer,
            }
        }
        for number in range(tools)
    }
    file.write_text(
        json.dumps(
            {
                "openapi": "3.1.0",
                "info": {"title": "bench", "version": "1"},
                "servers": [{"url": f"http://127.0.0.1:{backend}"}],
                "paths": paths,
            }
        )
    )
    return file
