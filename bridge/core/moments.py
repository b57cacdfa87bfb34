"""Points in time as the registry's expressions handle them: read, moved, written.

A time is ISO 8601 text or a number of Unix seconds. Text without an offset is UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"([+-]?)((?:[0-9]{1,9}[smhdw])+)")
_PART = re.compile(r"([0-9]+)([smhdw])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# What every C library knows and nobody can blow up: glibc takes a width (`%999999999d`).
_DIRECTIVE = re.compile(r"%[aAbBdfGHIjmMpSuUVwWyYzZ%]")


def read(time: str | float) -> datetime:
    """Return `time` as an aware datetime. Raises ValueError with a sentence."""
    try:
        if not isinstance(time, str):
            return EPOCH + timedelta(seconds=time)
        moment = datetime.fromisoformat(time.strip())
    except (ValueError, OverflowError):
        raise ValueError(f"{_shown(time)} is not a time (ISO 8601 text or Unix seconds)") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def seconds(duration: str) -> int:
    """Return how long `duration` is: `30m`, `-2d`, `1h30m`. Raises ValueError with a sentence."""
    match = _DURATION.fullmatch(duration.strip())
    if match is None:
        raise ValueError(f"{_shown(duration)} is not a duration (whole s, m, h, d or w, like '30m' or '-2d')")
    total = sum(int(count) * _SECONDS[unit] for count, unit in _PART.findall(match[2]))
    return -total if match[1] == "-" else total


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """Return the time zone of that IANA name. Raises ValueError with a sentence."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{_shown(name)} is not a time zone (an IANA name like 'Europe/Madrid')") from None


def move(time: str | float, duration: str) -> str | float:
    """Return `time` moved by `duration`, in the form that it came in.

    Unix seconds stay a number, a date moved by whole days stays a date, text keeps
    its offset (UTC is written `Z`). Raises ValueError with a sentence.
    """
    by = seconds(duration)
    moment = read(time)
    if not isinstance(time, str):
        return time + by
    try:
        moved = moment + timedelta(seconds=by)
    except OverflowError:
        raise ValueError(f"{_shown(time)} moved by {duration} leaves the calendar") from None
    return moved.date().isoformat() if _DATE.fullmatch(time) and by % 86_400 == 0 else iso(moved)


def write(time: str | float, form: str, zone_name: str | None = None) -> str | int:
    """Return `time` as `iso`, `unix`, `unix_ms` or by a strftime pattern, in `zone_name` if it is given.

    Raises ValueError with a sentence.
    """
    moment = read(time)
    check_form(form)
    if form == "unix":
        return (moment - EPOCH) // timedelta(seconds=1)
    if form == "unix_ms":
        return (moment - EPOCH) // timedelta(milliseconds=1)
    try:
        local = moment.astimezone(zone(zone_name)) if zone_name is not None else moment
    except OverflowError:
        raise ValueError(f"{_shown(time)} leaves the calendar in {zone_name}") from None
    return iso(local) if form == "iso" else local.strftime(form)


def check_form(form: str) -> None:
    """Raise ValueError with a sentence unless `write` knows `form`."""
    if form in {"iso", "unix", "unix_ms"}:
        return
    if "%" not in form:
        raise ValueError(f"{_shown(form)} is not a date format ('iso', 'unix', 'unix_ms' or a pattern like '%Y-%m-%d')")
    wrong = re.search("%.?", _DIRECTIVE.sub("", form))
    if wrong:
        raise ValueError(f"{_shown(wrong[0])} is not available in a date format")


def iso(moment: datetime) -> str:
    """Return `moment` as ISO 8601 text; UTC is written `Z`, zero fractions are left out."""
    exact = "milliseconds" if moment.microsecond and moment.microsecond % 1_000 == 0 else "auto"
    return moment.isoformat(timespec=exact).replace("+00:00", "Z")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:36]}..."
