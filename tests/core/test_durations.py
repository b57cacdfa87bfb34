"""Durations: what is one, what is none."""

import json
from pathlib import Path

import pytest

from bridge.core.durations import PATTERN, duration

SCHEMA = Path(__file__).parents[2] / "schemas" / "registry.schema.json"


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("10s", 10), ("500ms", 0.5), ("5m", 300), ("24h", 86_400), ("1d", 86_400), ("2.5s", 2.5), ("30", 30), (30, 30), (0.5, 0.5)],
)
def test_a_duration_is_read_in_seconds(written, seconds):
    assert duration(written) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "written", ["", "0", "0s", "0.0ms", 0, -1, "-5s", "ten", "10 s", "10S", "1w", "1e9s", "9" * 400, "10s\n", "٣s", True, float("inf"), float("nan")]
)
def test_what_is_no_duration_above_zero_is_refused(written):
    with pytest.raises(ValueError, match="write a duration above zero"):
        duration(written)


def test_the_schema_holds_the_same_pattern():
    assert json.loads(SCHEMA.read_text())["$defs"]["duration"]["pattern"] == PATTERN
