"""One JSON line per call, for whoever reads logs.

The port AuditLog as a stream of lines: what is written is escaped to ASCII, so no value
can start a line of its own or move a terminal's cursor. Secrets are taken out of each text before
it is cut and written: a cut may not leave the beginning of one.
"""

from __future__ import annotations

import contextlib
import json
import traceback
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from bridge.core.model import Accepted, Call, Outcome, Tool
from bridge.core.parsing import dump_json
from bridge.core.redact import MASK, Redactor, texts
from bridge.core.timestamps import iso
from bridge.errors import BridgeError, InvalidResult

#: The longest text of any member of a line, in characters; such a line fits into what a pipe takes in one piece.
MAX_TEXT = 1_000
#: The longest traceback.
MAX_TRACE = 16_000

#: More secret texts than these in one call are not searched for one by one: nothing that could hold them is told.
MAX_SECRETS = 100

Redact = Callable[[str], str]


class CallLog:
    """Writes lines through `write`, which takes one whole line and must be safe to call from any thread.

    `redact` takes the registry's secrets out of a text; those that a call brings are found here.
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
            "tool": self._redact(call.tool)[:MAX_TEXT] if tool is None else tool.name,
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
            members |= self._about(call, tool, outcome.error)
        self._write(_line(members))

    def _about(self, call: Call, tool: Tool | None, error: BridgeError) -> dict[str, str]:
        """Return what the operator may know of an error: also what the caller was not told, and our own bugs whole."""
        redact = self._redact_call(call, tool)
        members = {"error": redact(error.message)[:MAX_TEXT]}
        if error.log is not None:
            members["detail"] = redact(error.log)[:MAX_TEXT]
        if error.__cause__ is not None:
            members["traceback"] = redact("".join(traceback.format_exception(error.__cause__)))[-MAX_TRACE:]
        return members

    def _redact_call(self, call: Call, tool: Tool | None) -> Redact:
        """Return what takes the registry's secrets and those of this call out of a text."""
        given = [call.arguments.get(name) for name in tool.secret] if tool is not None else []
        found = tuple(islice(texts(given), MAX_SECRETS + 1))
        if not found:
            return self._redact
        if len(found) > MAX_SECRETS:
            return lambda _: MASK
        secrets = Redactor(found)
        return lambda text: secrets.text(self._redact(text))


def _line(members: Mapping[str, Any]) -> str:
    """Return the line, in ASCII; orjson is ten times as fast, but leaves what is not ASCII as it is."""
    with contextlib.suppress(InvalidResult):
        line = dump_json(members)
        if line.isascii() and b"\x7f" not in line:
            return line.decode("ascii") + "\n"
    return json.dumps(members, separators=(",", ":")).replace("\x7f", "\\u007f") + "\n"
