from __future__ import annotations

import json

import pytest

from bridge.core.exchange import JSON
from bridge.errors import BY_CODE, BridgeError, walk
from tests.support import golden


def test_the_golden_table_is_what_the_protocols_answer():
    assert json.loads(golden.PAGE.read_text()) == golden.table()


@pytest.mark.parametrize("kind", list(walk()), ids=lambda kind: kind.__name__)
def test_every_error_says_whose_move_it_is_and_whether_trying_again_helps(kind: type[BridgeError]):
    assert kind.move in ("caller", "a person", "operator", "us", "nobody")
    assert kind.again in ("no", "yes", "later", "maybe")
    assert 400 <= kind.status < 600
    assert kind.default[0].isupper()


def test_a_code_of_a_registry_takes_its_class_and_status_from_the_one_it_is_like():
    error = BY_CODE["NOT_FOUND"](code="SESSION_NOT_FOUND")
    assert (error.shown_code, error.status) == ("SESSION_NOT_FOUND", 404)


def test_no_protocol_answers_an_error_with_anything_but_json():
    for row in golden.table().values():
        for reply in row.values():
            assert dict([JSON]).items() <= reply["headers"].items()
