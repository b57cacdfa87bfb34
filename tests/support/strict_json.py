"""JSON as strictly as we promise to write it: no NaN, no infinity, no key twice, nothing but UTF-8."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


def strict_json(body: bytes) -> Any:
    """Return what an answer's body holds; AssertionError where it is not strict JSON."""
    return json.loads(body.decode("utf-8"), parse_constant=_refused, object_pairs_hook=_members)


def _refused(word: str) -> Any:
    raise AssertionError(f"an answer holds {word}")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    assert len(members) == len(pairs), f"an answer names a key twice: {[name for name, _ in pairs]}"
    return members


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer, of a server or of an application called directly; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return strict_json(self.body)
