"""The table of protocols: each is one pure file, and one line below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from bridge.core.exchange import Reply, Route
from bridge.errors import BridgeError
from bridge.kinds import Kinds


class WireProtocol(Protocol):
    """What a protocol offers to whoever mounts it."""

    @property
    def name(self) -> str:
        """The name that a call's log line carries."""

    @property
    def routes(self) -> tuple[Route, ...]:
        """The methods and paths it answers."""

    def refuse(self, error: BridgeError, options: Mapping[str, Any]) -> Reply:
        """Word an error that ended a request before or outside a call."""


PROTOCOLS: Kinds[WireProtocol] = Kinds(
    {
        "manifest": "bridge.protocols.manifest:PROTOCOL",
        "tools_call": "bridge.protocols.tools_call:PROTOCOL",
    },
    group="toolbridge.protocols",
)
