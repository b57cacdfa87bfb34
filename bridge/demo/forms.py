"""What may stand in a request's body, and the demo CRM's words for what may not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.demo.records import CrmError


@dataclass(frozen=True, slots=True)
class Text:
    """A text member. Without `required` it may be missing or null, and is `default` then."""

    required: bool = True
    default: str | None = None
    choices: tuple[str, ...] = ()
    longest: int = 4_000
    moment: bool = False

    def refuse(self, value: Any) -> str | None:
        """Return what is wrong with `value`, or None."""
        if not isinstance(value, str):
            return "must be a text"
        if not value.strip() or len(value) > self.longest:
            return f"must have 1 to {self.longest} characters"
        if self.choices and value not in self.choices:
            return f"must be one of {', '.join(self.choices)}"
        if self.moment and not _is_moment(value):
            return "must be a date and time with an offset, such as 2026-12-01T15:00:00Z"
        return None


Form = Mapping[str, Text]

TICKET: Form = {
    "customer_id": Text(),
    "title": Text(longest=200),
    "description": Text(),
    "priority": Text(required=False, default="medium", choices=("low", "medium", "high", "urgent")),
    "source": Text(required=False, default="api", longest=40),
}
NOTE: Form = {
    "text": Text(),
    "type": Text(required=False, default="general", choices=("general", "support", "sales")),
}
CALLBACK: Form = {
    "customer_id": Text(),
    "preferred_time": Text(moment=True),
    "reason": Text(required=False, longest=500),
}


def read(form: Form, body: Any) -> dict[str, str | None]:
    """Return every member of `form`, from `body` or by default; raise CrmError at the first mistake."""
    if not isinstance(body, dict):
        raise CrmError("invalid_body", "The body must be a JSON object")
    for name in body:
        if name not in form:
            raise CrmError("unknown_field", f"There is no field '{name[:40]}'")
    return {name: _member(name, text, body.get(name)) for name, text in form.items()}


def _member(name: str, text: Text, value: Any) -> str | None:
    if value is None:
        if text.required:
            raise CrmError("missing_field", f"'{name}' is required")
        return text.default
    if wrong := text.refuse(value):
        raise CrmError("invalid_field", f"'{name}' {wrong}")
    return str(value)


def _is_moment(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
