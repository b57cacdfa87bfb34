"""FastMCP made from an OpenAPI document: its own way to put an HTTP API behind tools."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import httpx2
import uvicorn
from fastmcp import FastMCP

if __name__ == "__main__":
    port, backend, document = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    client = httpx2.AsyncClient(base_url=backend, limits=httpx2.Limits(max_connections=None), timeout=30)
    server = FastMCP.from_openapi(json.loads(document.read_text()), client=client, name="bench")
    app = server.http_app(path="/mcp", stateless_http=True, json_response=True)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
