"""Wall-clock seconds as text."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


def iso(unix: float) -> str:
    """Return seconds since 1970 as ISO 8601 in UTC with milliseconds: `2026-11-20T09:30:00.125Z`."""
    whole, fraction = divmod(int(unix * 1000), 1000)
    return f"{_second(whole)}.{fraction:03}Z"


@lru_cache(maxsize=4)
def _second(whole: int) -> str:
    # Many calls share a second; formatting it is the slow part.
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
