"""The golden table: every error over every protocol, as status, headers and body.

`python -m tests.support.golden` writes it anew; the diff is then reviewed like code.
"""

from __future__ import annotations

import json
from pathlib import Path

from bridge.errors import BridgeError, Detail, InvalidParameters, MethodNotAllowed, RateLimited, walk
from bridge.protocols import PROTOCOLS

PAGE = Path(__file__).parents[1] / "contracts" / "golden_errors.json"


def examples() -> dict[str, BridgeError]:
    """One error of every class, and those whose bodies say more."""
    found = {kind.__name__: kind(["POST"]) if kind is MethodNotAllowed else kind() for kind in walk()}
    found["InvalidParameters with details"] = InvalidParameters(
        "Missing required parameter 'sessionId'", details=[Detail("/sessionId", "Missing required parameter 'sessionId'")]
    )
    found["RateLimited for a while"] = RateLimited(retry_after=11.2)
    return found


def table() -> dict[str, dict[str, object]]:
    """What every protocol answers for every error; `manifest, old clients` has manifest_error_status 200."""
    rows: dict[str, dict[str, object]] = {}
    for title, error in examples().items():
        rows[title] = {name: _reply(name, error, {}) for name in PROTOCOLS}
        rows[title]["manifest, old clients"] = _reply("manifest", error, {"manifest_error_status": 200})
    return rows


def _reply(name: str, error: BridgeError, options: dict[str, object]) -> dict[str, object]:
    reply = PROTOCOLS[name].refuse(error, options)
    return {"status": reply.status, "headers": dict(reply.headers), "body": json.loads(reply.body)}


if __name__ == "__main__":
    PAGE.write_text(json.dumps(table(), indent=1) + "\n")
