"""Durations as a registry writes them: `10s`, `500ms`, `5m`, `24h`, `1d`, or a number of seconds."""

from __future__ import annotations

import re

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, None: 1.0}

#: How a duration above zero is written; `schemas/registry.schema.json` holds the same pattern.
PATTERN = r"^(0*[1-9][0-9]{0,8}(?:\.[0-9]{1,9})?|0*\.[0-9]{0,8}[1-9][0-9]{0,8})(ms|s|m|h|d)?$"

_written = re.compile(PATTERN).fullmatch


def duration(value: str | float) -> float:
    """Return the seconds that `value` stands for; raise ValueError if it is no duration above zero."""
    match = _written(str(value))
    if match is None:
        raise ValueError("write a duration above zero, such as 500ms, 10s, 5m, 24h, 1d or a number of seconds")
    return float(match[1]) * _SECONDS[match[2]]
