"""The table of backend kinds; a new kind is one file here, one schema fragment, and one line below."""

from __future__ import annotations

from bridge.core.ports import BackendKind
from bridge.kinds import Kinds

BACKENDS: Kinds[BackendKind] = Kinds(
    {
        "echo": "bridge.backends.echo:EchoBackend",
        "http": "bridge.backends.http:HttpBackend",
    },
    group="toolbridge.backends",
)
