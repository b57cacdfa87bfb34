"""Manifest and execute, schema version 202206: `GET /api/manifest`, `POST /api/execute`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.core.exchange import Reply, Request, Route, Service
from bridge.core.model import Tool
from bridge.core.parsing import dump_json
from bridge.errors import BodyTooLarge, BridgeError, MalformedBody, Unauthorized, UnsupportedMedia
from bridge.protocols.messages import Envelope, carry_out, error_members, json_reply, list_reply, success

SCHEMA_VERSION = "202206"

_ENVELOPE = Envelope("manifest", tool="tool", arguments="parameters")
_ANY_OBJECT: Mapping[str, Any] = {"type": "object"}

#: These keep their own status whatever `manifest_error_status` says.
_ALWAYS_THEMSELVES = (Unauthorized, BodyTooLarge, UnsupportedMedia, MalformedBody)


def manifest(request: Request, service: Service) -> Reply:
    """Describe every tool that the caller may use, in the registry's order."""

    def render(tools: Sequence[Tool]) -> bytes:
        return dump_json(
            {
                "schema_version": SCHEMA_VERSION,
                "metadata": {"name": service.name, "description": service.description},
                "tools": [_described(tool) for tool in tools],
            }
        )

    return list_reply(request, service, "manifest", render)


def _described(tool: Tool) -> dict[str, Any]:
    return {
        "name": tool.name,
        "description": tool.description,
        "input_schema": tool.input_schema,
        "output_schema": _ANY_OBJECT if tool.output_schema is None else tool.output_schema,
    }


def execute(request: Request, service: Service) -> Reply:
    """Run one tool, or give the next part of a result that was cut."""
    outcome = carry_out(_ENVELOPE, request, service)
    if outcome.error is not None:
        return refuse(outcome.error, service.options)
    return success(b'{"status":"success","result":', outcome)


def refuse(error: BridgeError, options: Mapping[str, Any]) -> Reply:
    """Word an error in the envelope; its status is the table's unless old clients are to get 200."""
    inside = {"type": error.shown_code, "message": error.message} | error_members(error)
    always_200 = options.get("manifest_error_status") == 200 and not isinstance(error, _ALWAYS_THEMSELVES)
    status = 200 if always_200 else error.status
    return json_reply(status, {"status": "error", "error": inside}, error.headers)


class ManifestProtocol:
    """The protocol as it is mounted."""

    name = "manifest"
    routes = (
        Route("GET", "/api/manifest", manifest),
        Route("POST", "/api/execute", execute, hot=True),
    )
    refuse = staticmethod(refuse)


PROTOCOL = ManifestProtocol()
