"""One JSON line per call, for whoever reads logs.

The port AuditLog as a stream of lines: what is written is escaped to ASCII, so no value
can start a line of its own or move a terminal's cursor, and secrets are taken out last.
"""

from __future__ import annotations

import contextlib
import json
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from bridge.core.model import Accepted, Call, Outcome, Tool
from bridge.core.parsing import dump_json
from bridge.core.timestamps import iso
from bridge.errors import BridgeError, InvalidResult

#: The longest text of any member of a line, in characters; such a line fits into what a pipe takes in one piece.
MAX_TEXT = 1_000
#: The longest traceback.
MAX_TRACE = 16_000

Redact = Callable[[str], str]


class CallLog:
    """Writes lines through `write`, which takes one whole line and must be safe to call from any thread.

    The line of a success holds names from the registry and the request's id, so only the id is redacted.
    """

    def __init__(self, write: Callable[[str], None], redact: Redact, version: str) -> None:
        self._write = write
        self._redact = redact
        self._version = version

    def intend(self, accepted: Accepted, tool: Tool) -> None:
        """Write nothing before a call; a line says how it ended."""

    def record(self, call: Call, tool: Tool | None, outcome: Outcome, seconds: float) -> None:
        """Write the line of one finished call."""
        members: dict[str, Any] = {
            "time": iso(call.unix),
            "event": "call",
            "request_id": self._redact(call.id),
            "protocol": call.protocol,
            "tool": call.tool[:MAX_TEXT] if tool is None else tool.name,
            "caller": call.caller.id,
            "status": "ok" if outcome.error is None else outcome.error.shown_code,
            "ms": round(seconds * 1000, 1),
            "registry": self._version,
        }
        if call.caller.tenant is not None:
            members["tenant"] = call.caller.tenant
        if call.traceparent is not None:
            members["traceparent"] = call.traceparent
        if outcome.error is not None:
            members |= _about(outcome.error)
            self._write(self._redact(_line(members)))
        else:
            self._write(_line(members))


def _line(members: Mapping[str, Any]) -> str:
    """Return the line, in ASCII; orjson is ten times as fast, but leaves what is not ASCII as it is."""
    with contextlib.suppress(InvalidResult):
        line = dump_json(members)
        if line.isascii() and b"\x7f" not in line:
            return line.decode("ascii") + "\n"
    return json.dumps(members).replace("\x7f", "\\u007f") + "\n"


def _about(error: BridgeError) -> dict[str, str]:
    """Return what the operator may know of an error: also what the caller was not told, and our own bugs whole."""
    members = {"error": error.message[:MAX_TEXT]}
    if error.log is not None:
        members["detail"] = error.log[:MAX_TEXT]
    if error.__cause__ is not None:
        members["traceback"] = "".join(traceback.format_exception(error.__cause__))[-MAX_TRACE:]
    return members
