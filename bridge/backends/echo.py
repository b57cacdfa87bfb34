"""The backend that reaches nothing: it answers with its parameters, for tests and demos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.core.located import Problems
from bridge.core.model import Accepted, Answer
from bridge.core.ports import Plan, Resources


class EchoBackend:
    """Answers every call with its params, status 200 and no headers."""

    def __init__(self, options: Mapping[str, Any], resources: Resources, problems: Problems) -> None:
        """Take no options."""

    def prepare(self, plan: Plan, problems: Problems) -> Echo:
        """Every call is the same."""
        return Echo()

    def health(self) -> Mapping[str, Any]:
        """Always well."""
        return {"state": "ok"}

    def close(self) -> None:
        """Hold nothing."""


class Echo:
    """A prepared echo."""

    read_only = True

    def execute(self, accepted: Accepted) -> Answer:
        """Return the params."""
        return Answer(accepted.params, status=200)

    def explain(self, accepted: Accepted) -> Mapping[str, Any]:
        """Return the params; there is nothing that would be sent."""
        return {"echo": accepted.params}
