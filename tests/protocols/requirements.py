"""What each protocol owes: an id, where that is written, and the sentence.

Tests carry the ids (`@pytest.mark.owes("manifest.keys")`); `tests/test_owed.py` checks both directions.
"""

from __future__ import annotations

from typing import NamedTuple


class Requirement(NamedTuple):
    id: str
    source: str
    sentence: str


_MANIFEST = "docs/protocols.md, manifest and execute"
_CALL = "docs/protocols.md, tools and call"
_DOOR = "docs/protocols.md, the door"

REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement("manifest.keys", _MANIFEST, "The manifest has exactly schema_version, metadata (name, description) and tools."),
    Requirement("manifest.tool_keys", _MANIFEST, "A tool has exactly name, description, input_schema and output_schema."),
    Requirement("manifest.order", _MANIFEST, "Tools come in the registry's order."),
    Requirement("manifest.output_schema", _MANIFEST, "output_schema is the declared one or {type: object}, never absent."),
    Requirement("manifest.etag", _MANIFEST, "ETag, If-None-Match and 304; private, no-cache; Vary: Authorization."),
    Requirement("execute.success", _MANIFEST, "A success is exactly status and result."),
    Requirement("execute.error", _MANIFEST, "An error is exactly status and error, with type and message inside."),
    Requirement("execute.no_parameters", _MANIFEST, "Absent parameters mean none."),
    Requirement("execute.missing", _MANIFEST, "A missing parameter reads: Missing required parameter 'sessionId'."),
    Requirement("execute.all_mistakes", _MANIFEST, "Several invalid parameters: one message joined by '; ', and details."),
    Requirement("execute.statuses", _MANIFEST, "HTTP statuses are those of the error table."),
    Requirement("execute.old_clients", _MANIFEST, "manifest_error_status 200 answers coded errors with 200."),
    Requirement("execute.members", _MANIFEST, "An unknown member of the body is refused."),
    Requirement("execute.options", _MANIFEST, "Body member and header say the same; both and different is a 400."),
    Requirement("execute.continue", _MANIFEST, "A continue that is unknown is refused."),
    Requirement("tools.keys", _CALL, "The list has exactly tools; a tool exactly name, description and input_schema."),
    Requirement("call.success", _CALL, "A success is exactly success: true and data."),
    Requirement("call.failure", _CALL, "What the tool answers is 200 with success: false, error and error_type."),
    Requirement("call.unreachable", _CALL, "A backend that cannot be reached reads: Service temporarily unavailable."),
    Requirement("call.unknown", _CALL, "An unknown or invisible tool is 404 {error: Function not found}."),
    Requirement("call.unauthorized", _CALL, "No or bad credentials: 401 {error: Unauthorized}."),
    Requirement("call.bare", _CALL, "INVALID_REQUEST is exactly {error: text} under its status."),
    Requirement("call.base_url", _CALL, "/mcp/tools and /mcp/call answer like /tools and /call."),
    Requirement("door.before_existence", _DOOR, "Credentials are checked before anything is said about a tool."),
    Requirement("door.headers", _DOOR, "Every answer carries X-Request-Id and X-Registry-Version."),
    Requirement("door.not_found", _DOOR, "An unknown path or method is answered in JSON."),
    Requirement("door.toolset", _DOOR, "A toolset that does not exist is a 404 with no tools."),
    Requirement("door.traceparent", _DOOR, "traceparent is continued to the backend."),
)
