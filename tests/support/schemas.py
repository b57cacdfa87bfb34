"""What tests of schemas share: how a schema is refused, and what work costs in CPU."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from bridge.core.schemas import SchemaError, Validator


def cpu_seconds(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def refusal(schema: Any) -> SchemaError:
    with pytest.raises(SchemaError) as caught:
        Validator(schema)
    return caught.value
