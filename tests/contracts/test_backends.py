"""What every kind of backend owes, run over the table: a new kind is examined by being in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import pytest

from bridge.backends import BACKENDS
from bridge.core.expressions import Scope
from bridge.core.located import Problems
from bridge.core.model import Answer, Parameter
from bridge.core.ports import Plan
from bridge.core.schemas import mistakes
from bridge.registry.structure import bundle
from tests.support.domain import accepted
from tests.support.fault_server import FaultServer, answer
from tests.support.http_tool import RESOURCES, located

SCOPE = Scope(frozenset({"params", "caller", "call"}), frozenset({"id"}))


@dataclass(frozen=True)
class Sample:
    """One working configuration of a kind: its options and a call with the parameter `id`."""

    options: dict[str, Any]
    call: Any


def samples(server: FaultServer) -> dict[str, Sample]:
    return {
        "echo": Sample({}, None),
        "http": Sample({"base_url": server.url().rstrip("/"), "auth": {"type": "bearer", "token": "canary"}}, "GET /x/{id}"),
    }


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        running.on("*", answer(200, b'{"ok": true}', ("Content-Type", "application/json")))
        yield running


@pytest.fixture(params=list(BACKENDS))
def kind(request) -> str:
    return request.param


@pytest.fixture
def sample(kind, server) -> Sample:
    return samples(server)[kind]


@pytest.fixture
def backend(kind, sample):
    problems = Problems(located({}))
    made = BACKENDS[kind](sample.options, RESOURCES, problems)
    assert problems.found == []
    yield made
    made.close()


@pytest.fixture
def tool(backend, sample):
    document = located({"call": sample.call})
    problems = Problems(document)
    prepared = backend.prepare(Plan(sample.call, {"id": Parameter("id", "id")}, SCOPE), problems.at("call"))
    assert problems.found == []
    return prepared


def test_a_kind_opens_nothing_before_its_first_call(backend, tool, server):
    assert server.accepted == 0
    assert backend.health()["state"] in ("ok", "unknown")


def test_a_kind_answers_a_call(tool):
    result = tool.execute(accepted({"id": "7"}))
    assert isinstance(result, Answer)
    assert result.success
    json.dumps(result.body)


def test_a_kind_says_whether_it_only_reads(tool):
    assert tool.read_only is True


def test_explaining_sends_nothing_and_shows_no_secret(tool, server):
    shown = json.dumps(tool.explain(accepted({"id": "7"})))
    assert "canary" not in shown
    assert "7" in shown
    assert server.accepted == 0


def test_health_is_json_and_closing_twice_is_harmless(backend, tool):
    tool.execute(accepted({"id": "7"}))
    assert json.loads(json.dumps(backend.health()))["state"] == "ok"
    backend.close()
    backend.close()


def test_a_kind_has_a_schema_of_its_own(kind, sample):
    fragment = json.loads(files("bridge.schemas.backends").joinpath(f"{kind}.json").read_text())
    assert {"backend", "call"} <= fragment["$defs"].keys()
    assert list(mistakes(bundle([kind]))) == []
