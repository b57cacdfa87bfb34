"""What the JSON protocols share: reading a call out of a message, answering a list, writing an error's members."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.core.exchange import JSON, Headers, Reply, Request, Service
from bridge.core.model import Call, Outcome, Tool
from bridge.core.parsing import dump_json
from bridge.errors import BridgeError, InvalidRequest

#: The optional members of a call's body and the headers that say the same.
OPTIONS: Mapping[str, str] = {
    "idempotency_key": "idempotency-key",
    "conversation": "x-conversation-id",
    "confirmation": "x-confirmation",
}
MAX_OPTION = 255

_OK = (JSON,)
_LIST_HEADERS: Headers = (JSON, ("Cache-Control", "private, no-cache"), ("Vary", "Authorization"))


@dataclass(frozen=True, slots=True)
class Envelope:
    """How a protocol spells a call's body: the members that hold the tool's name and its arguments."""

    protocol: str
    tool: str
    arguments: str

    def read(self, request: Request, service: Service) -> Call:
        """Return the call that `request` asks for. Raises InvalidRequest."""
        body = self._members(request.body)
        arguments = body.get(self.arguments)
        return Call(
            id=request.id,
            tool=body[self.tool],
            arguments={} if arguments is None else arguments,
            caller=request.caller,
            protocol=self.protocol,
            unix=service.clock.unix(),
            started=service.clock.monotonic(),
            toolset=request.toolset,
            traceparent=request.headers.get("traceparent"),
            idempotency_key=_option("idempotency_key", body, request),
            conversation=_option("conversation", body, request),
            confirmation=_option("confirmation", body, request),
        )

    def _members(self, body: Any) -> dict[str, Any]:
        if not isinstance(body, dict):
            raise InvalidRequest("The request body must be a JSON object")
        unknown = body.keys() - {self.tool, self.arguments, *OPTIONS}
        if unknown:
            names = ", ".join(repr(name[:100]) for name in sorted(unknown)[:5])
            raise InvalidRequest(f"Unknown member {names} in the request body")
        if not isinstance(body.get(self.tool), str):
            raise InvalidRequest(f"The member '{self.tool}' must name a tool")
        if not isinstance(body.get(self.arguments, {}), dict | None):
            raise InvalidRequest(f"The member '{self.arguments}' must be an object")
        return body


def _option(name: str, body: Mapping[str, Any], request: Request) -> str | None:
    """Return an option given in the body, in its header, or equally in both."""
    header = OPTIONS[name]
    inside, outside = body.get(name), request.headers.get(header)
    if inside is None and outside is None:
        return None
    if inside is not None and outside is not None and inside != outside:
        raise InvalidRequest(f"The member '{name}' and the header {header.title()} differ")
    value = outside if inside is None else inside
    if not isinstance(value, str) or not 0 < len(value) <= MAX_OPTION:
        raise InvalidRequest(f"The member '{name}' must be text of 1 to {MAX_OPTION} characters")
    return value


def carry_out(envelope: Envelope, request: Request, service: Service) -> Outcome:
    """Run the call that the body asks for, or give the next part of a cut result. Raises InvalidRequest."""
    body = request.body
    if not isinstance(body, dict) or "continue" not in body:
        return service.calls.run(envelope.read(request, service))
    if len(body) != 1 or not isinstance(body["continue"], str):
        raise InvalidRequest("The member 'continue' stands alone and is text")
    return service.calls.resume(request.caller, body["continue"])


def success(opening: bytes, outcome: Outcome) -> Reply:
    """Return a successful body: `opening`, the result, and the cursor of a cut one."""
    rest = b"" if outcome.cursor is None else b',"continue":' + dump_json(outcome.cursor)
    return Reply(200, _OK, opening + dump_json(outcome.result) + rest + b"}")


def list_reply(
    request: Request, service: Service, kind: str, render: Callable[[Sequence[Tool]], bytes]
) -> Reply:
    """Answer a list of tools from prepared bytes; 304 where the client has them already (RFC 9110 section 13.1.2)."""
    body, etag = service.catalogue.page(request.caller, request.toolset, kind, render)
    headers = (*_LIST_HEADERS, ("ETag", etag))
    known = request.headers.get("if-none-match", "")
    if known.strip() == "*" or etag in {tag.strip().removeprefix("W/") for tag in known.split(",")}:
        return Reply(304, headers[1:], b"")
    return Reply(200, headers, body)


def error_members(error: BridgeError) -> dict[str, Any]:
    """Return the optional members of an error's body: `details` and `retry_after` (whole seconds)."""
    members: dict[str, Any] = {}
    if error.details:
        members["details"] = [{"path": detail.path, "message": detail.message} for detail in error.details]
    if error.wait is not None:
        members["retry_after"] = error.wait
    return members


def json_reply(status: int, body: Any, headers: Headers = ()) -> Reply:
    """Return a JSON reply."""
    return Reply(status, (JSON, *headers), dump_json(body))
