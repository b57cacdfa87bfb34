"""FastMCP with one Python function per tool that asks the backend through httpx: the server people write by hand."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

import httpx2
import uvicorn
from fastmcp import FastMCP
from pydantic import Field


def build(backend: str, tools: int) -> FastMCP:
    """A server with `tools` tools, all of them one GET to `backend`."""
    server = FastMCP("bench")
    client = httpx2.AsyncClient(base_url=backend, limits=httpx2.Limits(max_connections=None), timeout=30)

    async def get_customer(
        customer_id: Annotated[str, Field(pattern="^C-[0-9]{1,9}$")],
        limit: Annotated[int, Field(ge=1, le=100)],
        region: Literal["emea", "apac", "amer"],
    ) -> dict[str, Any]:
        """Get one customer with the newest orders of a region."""
        answer = await client.get(f"/customers/{customer_id}", params={"limit": limit, "region": region})
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    for number in range(tools):
        server.tool(get_customer, name=f"get_customer_{number}")
    return server


if __name__ == "__main__":
    port, backend, tools = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    app = build(backend, tools).http_app(path="/mcp", stateless_http=True, json_response=True)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
