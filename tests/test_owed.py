"""What is owed, to protocols and against threats, and the tests that prove it: checked in both directions."""

from __future__ import annotations

from tests.protocols.requirements import REQUIREMENTS
from tests.support.owed import carried
from tests.threats.table import PARTS, THREATS

IDS = [requirement.id for requirement in REQUIREMENTS] + [threat.id for threat in THREATS]


def test_everything_owed_has_a_test():
    assert set(IDS) - {one.id for one in carried()} == set()


def test_every_test_names_what_is_owed():
    assert {one.id for one in carried()} - set(IDS) == set()


def test_what_is_owed_is_numbered_once():
    assert len(IDS) == len(set(IDS))


def test_every_threat_belongs_to_a_part():
    assert {threat.id[0] for threat in THREATS} == set(PARTS)
