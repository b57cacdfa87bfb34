"""The official SDK's low-level server with one GET per call: the least a Python MCP server can do with it."""

from __future__ import annotations

import sys
from typing import Any

import httpx2
import uvicorn
from jsonschema import Draft202012Validator
from mcp.server.lowlevel import Server
from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult, PaginatedRequestParams, TextContent, Tool

SCHEMA = {
    "type": "object",
    "properties": {
        "customer_id": {"type": "string", "pattern": "^C-[0-9]{1,9}$"},
        "limit": {"type": "integer", "minimum": 1, "maximum": 100},
        "region": {"type": "string", "enum": ["emea", "apac", "amer"]},
    },
    "required": ["customer_id", "limit", "region"],
    "additionalProperties": False,
}


def build(backend: str, tools: int) -> Server[Any]:
    """A server with `tools` tools, all of them one GET to `backend`."""
    client = httpx2.AsyncClient(base_url=backend, limits=httpx2.Limits(max_connections=None), timeout=30)
    validator = Draft202012Validator(SCHEMA)
    offered = [
        Tool(name=f"get_customer_{number}", description="Get one customer.", input_schema=SCHEMA)
        for number in range(tools)
    ]

    async def list_tools(context: Any, params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=offered)

    async def call_tool(context: Any, params: CallToolRequestParams) -> CallToolResult:
        given = dict(params.arguments or {})
        validator.validate(given)
        answer = await client.get(f"/customers/{given.pop('customer_id')}", params=given)
        answer.raise_for_status()
        return CallToolResult(content=[TextContent(type="text", text=answer.text)])

    return Server("bench", on_list_tools=list_tools, on_call_tool=call_tool)


if __name__ == "__main__":
    port, backend, tools = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    app = build(backend, tools).streamable_http_app(stateless_http=True, json_response=True)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
