"""What is asked: distinct valid calls of one tool shape, worded for each door, and the answers that are right."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REGIONS = ("emea", "apac", "amer")
MARKER = "Ada Lovelace"
"""A text that every right answer holds and no error does; the load generators look for it in each answer."""

TOKEN = "bench-only-token-0f8e4c"
POOL = 10_000


def tool_name(number: int) -> str:
    """The name that every contender gives its tool of this number."""
    return f"get_customer_{number}"


def arguments(number: int) -> dict[str, Any]:
    """The valid arguments of one call; another number gives another URL at the backend."""
    return {"customer_id": f"C-{number}", "limit": number % 100 + 1, "region": REGIONS[number % 3]}


def customer(number: int) -> dict[str, Any]:
    """What the backend answers to these arguments."""
    given = arguments(number)
    return {"id": given["customer_id"], "name": MARKER, "region": given["region"], "limit": given["limit"]}


@dataclass(frozen=True, slots=True)
class Door:
    """One way to call a tool over HTTP.

    `target` and `body` word a call of a tool (an empty body is a GET); `found` takes the customer out of the parsed
    answer; `listing` is (target, body) of the same door's list of tools, where it has one.
    """

    name: str
    target: Callable[[str, dict[str, Any]], str]
    body: Callable[[str, dict[str, Any]], str]
    found: Callable[[Any], Any]
    headers: tuple[tuple[str, str], ...] = ()
    listing: tuple[str, str] | None = None

    @property
    def method(self) -> str:
        """GET where there is nothing to send, else POST."""
        return "POST" if self.body("", {}) else "GET"


def _path(given: dict[str, Any]) -> str:
    return f"/customers/{given.get('customer_id')}?limit={given.get('limit')}&region={given.get('region')}"


def _json_rpc(method: str, params: dict[str, Any]) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})


_POSTED = (("Content-Type", "application/json"),)
_OURS = (*_POSTED, ("Authorization", f"Bearer {TOKEN}"))

EXECUTE = Door(
    "/api/execute",
    target=lambda tool, given: "/api/execute",
    body=lambda tool, given: json.dumps({"tool": tool, "parameters": given}),
    found=lambda answer: answer["result"],
    headers=_OURS,
    listing=("/api/manifest", ""),
)
CALL = Door(
    "/call",
    target=lambda tool, given: "/call",
    body=lambda tool, given: json.dumps({"name": tool, "arguments": given}),
    found=lambda answer: answer["data"],
    headers=_OURS,
    listing=("/tools", ""),
)
MCP = Door(
    "/mcp",
    target=lambda tool, given: "/mcp",
    body=lambda tool, given: _json_rpc("tools/call", {"name": tool, "arguments": given}),
    found=lambda answer: json.loads(answer["result"]["content"][0]["text"]),
    headers=(*_POSTED, ("Accept", "application/json, text/event-stream"), ("MCP-Protocol-Version", "2025-11-25")),
    listing=("/mcp", _json_rpc("tools/list", {})),
)
NATIVE = Door(
    "/api/tool/NAME/invoke",
    target=lambda tool, given: f"/api/tool/{tool}/invoke",
    body=lambda tool, given: json.dumps(given),
    found=lambda answer: json.loads(answer["result"]),
    headers=_POSTED,
)
DIRECT = Door(
    "GET",
    target=lambda tool, given: _path(given),
    body=lambda tool, given: "",
    found=lambda answer: answer,
)


def write_calls(door: Door, tools: int, file: Path, name: Callable[[int], str] = tool_name) -> Path:
    """Write `POOL` distinct calls, spread over all tools, one per line: target, TAB, body."""
    lines = []
    for number in range(1, POOL + 1):
        tool, given = name(number % tools), arguments(number)
        lines.append(f"{door.target(tool, given)}\t{door.body(tool, given)}\n")
    file.write_text("".join(lines))
    return file


def ask(port: int, door: Door, target: str, body: str, extra: dict[str, str] | None = None) -> tuple[int, bytes]:
    """Send one request on a connection of its own; the answer's status and body. Raises OSError."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST" if body else "GET", target, body or None, {**dict(door.headers), **(extra or {})})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def wrong(port: int, door: Door, tools: int) -> str | None:
    """Call the first and the last tool once; what is wrong with the answers, or None. Raises OSError."""
    for number in (tools, tools - 1):
        given = arguments(number)
        tool = tool_name(number % tools)
        status, body = ask(port, door, door.target(tool, given), door.body(tool, given))
        try:
            found = door.found(json.loads(body)) if status == http.client.OK else None
        except (ValueError, LookupError, TypeError):
            found = None
        if found != customer(number):
            return f"status {status}: {body[:300]!r}"
    return None
