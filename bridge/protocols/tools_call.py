"""Tools and call: `GET /tools`, `POST /call`, for platforms that register a base URL and append those names.

An error of the tool or its policies is an answer like any other here: status 200 and
`success: false`. Only what never became a call has a status of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.core.exchange import Reply, Request, Route, Service
from bridge.core.model import Tool
from bridge.core.parsing import dump_json
from bridge.errors import (
    BridgeError,
    Cancelled,
    InternalError,
    InvalidRequest,
    Overloaded,
    RateLimited,
    ToolNotFound,
    Unauthorized,
)
from bridge.protocols.messages import Envelope, carry_out, error_members, json_reply, list_reply, success

_ENVELOPE = Envelope("tools_call", tool="name", arguments="arguments")

#: Errors that are no answer of a tool: exactly `{"error": text}` under their own status.
_BARE = (InvalidRequest, Unauthorized, RateLimited, Cancelled, Overloaded, InternalError)


def tools(request: Request, service: Service) -> Reply:
    """List every tool that the caller may use, in the registry's order."""
    if request.query:
        raise InvalidRequest("This list takes no query in this version")
    return list_reply(request, service, "tools", _render)


def _render(visible: Sequence[Tool]) -> bytes:
    keys = ("name", "description", "input_schema")
    return dump_json({"tools": [{key: getattr(tool, key) for key in keys} for tool in visible]})


def call(request: Request, service: Service) -> Reply:
    """Run one tool, or give the next part of a result that was cut."""
    outcome = carry_out(_ENVELOPE, request, service)
    if outcome.error is not None:
        return refuse(outcome.error, service.options)
    return success(b'{"success":true,"data":', outcome)


def refuse(error: BridgeError, options: Mapping[str, Any]) -> Reply:
    """Word an error: bare where there was no call, `success: false` where there was one."""
    if isinstance(error, ToolNotFound):
        return json_reply(404, {"error": "Function not found"})
    if isinstance(error, _BARE):
        return json_reply(error.status, {"error": error.message}, error.headers)
    body: dict[str, Any] = {"success": False, "error": error.message, "error_type": error.shown_code}
    return json_reply(200, body | error_members(error))


class ToolsCallProtocol:
    """The protocol as it is mounted; `/mcp/...` answers alike, for platforms whose base URL ends so."""

    name = "tools_call"
    routes = (
        Route("GET", "/tools", tools),
        Route("POST", "/call", call, hot=True),
        Route("GET", "/mcp/tools", tools),
        Route("POST", "/mcp/call", call, hot=True),
    )
    refuse = staticmethod(refuse)


PROTOCOL = ToolsCallProtocol()
