"""Values that are read when they are needed, because what they refer to may change (`${file:...}`)."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class Late(Protocol):
    """Text that is read when it is needed."""

    def read(self) -> str:
        """Return the text as it is now."""


def read(value: str | Late) -> str:
    """Return text that may be late."""
    return value.read() if isinstance(value, Late) else value
