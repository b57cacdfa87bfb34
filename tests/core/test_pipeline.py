from __future__ import annotations

import pytest

from bridge.core import null, pipeline
from bridge.core.model import Answer, Caller, Outcome
from bridge.errors import (
    BackendUnavailable,
    Conflict,
    Forbidden,
    InternalError,
    InvalidParameters,
    InvalidRequest,
    RateLimited,
    ToolNotFound,
)
from tests.support.domain import Recorder, a_call, a_pipeline, a_registry, a_tool


def refuse(error):
    def raising(*_):
        raise error

    return raising


def test_the_order_of_the_steps_is_the_one_that_is_promised():
    names = [step.__name__ for step in pipeline.STEPS]
    assert names == [
        "resolve", "authorise", "validate", "limit", "replay", "confirm", "reserve", "execute", "shape", "check", "cap",
    ]  # fmt: skip


def test_a_call_ends_with_the_result_of_its_tool():
    outcome = a_pipeline(a_registry(a_tool())).run(a_call(arguments={"a": 1}))
    assert outcome == Outcome({"a": 1})


def test_an_unknown_tool_is_refused_before_anything_is_asked():
    outcome = a_pipeline(a_registry(a_tool())).run(a_call("lok"))
    assert isinstance(outcome.error, ToolNotFound)
    assert outcome.error.message == "Unknown tool 'lok' (did you mean 'look'?)"


def test_a_missing_scope_is_named_before_the_arguments_are_looked_at():
    tool = a_tool(scopes=frozenset({"orders:read"}), accept=refuse(AssertionError()))
    outcome = a_pipeline(a_registry(tool)).run(a_call(caller=Caller("c", scopes=frozenset())))
    assert isinstance(outcome.error, Forbidden)
    assert "orders:read" in outcome.error.message


def test_invalid_parameters_never_reach_the_limits_or_the_backend():
    class Untouched(null.NullCounters):
        admit = refuse(AssertionError())

    tool = a_tool(accept=refuse(InvalidParameters("no")), execute=refuse(AssertionError()))
    outcome = a_pipeline(a_registry(tool), counters=Untouched()).run(a_call())
    assert isinstance(outcome.error, InvalidParameters)


def test_a_write_is_on_record_before_its_backend_is_reached():
    audit = Recorder()
    tool = a_tool(read_only=False, execute=lambda accepted: Answer(len(audit.intended)))
    assert a_pipeline(a_registry(tool), audit=audit).run(a_call()).result == 1


def test_a_read_has_no_intent_on_record():
    audit = Recorder()
    a_pipeline(a_registry(a_tool()), audit=audit).run(a_call())
    assert audit.intended == []
    assert len(audit.recorded) == 1


def test_a_bug_is_opaque_to_the_caller_and_whole_for_the_operator():
    bug = ZeroDivisionError("secret detail")
    outcome = a_pipeline(a_registry(a_tool(execute=refuse(bug)))).run(a_call())
    assert isinstance(outcome.error, InternalError)
    assert outcome.error.message == "Internal error"
    assert outcome.error.__cause__ is bug


@pytest.mark.parametrize("step", ["accept", "execute", "judge", "check"])
def test_every_call_is_audited_wherever_it_ended(step):
    audit = Recorder()
    tool = a_tool(**{step: refuse(BackendUnavailable())})
    outcome = a_pipeline(a_registry(tool), audit=audit).run(a_call())
    assert audit.recorded[0][2] is outcome
    assert isinstance(outcome.error, BackendUnavailable)


class Slots(null.NullCounters):
    def __init__(self):
        self.held = 0

    def admit(self, accepted, tool):
        self.held += 1

    def leave(self, accepted, tool):
        self.held -= 1


@pytest.mark.parametrize("error", [None, BackendUnavailable(), ZeroDivisionError()])
def test_what_a_limit_took_is_given_back_however_the_call_ends(error):
    slots = Slots()
    tool = a_tool() if error is None else a_tool(execute=refuse(error))
    a_pipeline(a_registry(tool), counters=slots).run(a_call())
    assert slots.held == 0


def test_a_refused_call_gives_nothing_back_that_it_never_took():
    class Full(Slots):
        def admit(self, accepted, tool):
            raise RateLimited(retry_after=3)

    slots = Full()
    outcome = a_pipeline(a_registry(a_tool()), counters=slots).run(a_call())
    assert isinstance(outcome.error, RateLimited)
    assert slots.held == 0


class Keys(null.NullIdempotencyStore):
    def __init__(self, stored=None, conflict=False):
        self.stored, self.conflict, self.settled = stored, conflict, []

    def replay(self, accepted, tool):
        return self.stored

    def reserve(self, accepted, tool):
        if self.conflict:
            raise Conflict

    def settle(self, accepted, tool, outcome):
        self.settled.append(outcome)


def test_a_stored_answer_is_given_again_without_the_backend():
    stored = Outcome("before", replayed=True)
    tool = a_tool(execute=refuse(AssertionError()))
    assert a_pipeline(a_registry(tool), idempotency=Keys(stored)).run(a_call()) is stored


def test_a_reserved_key_is_settled_with_the_outcome_also_when_it_failed():
    keys = Keys()
    outcome = a_pipeline(a_registry(a_tool(execute=refuse(BackendUnavailable()))), idempotency=keys).run(a_call())
    assert keys.settled == [outcome]


def test_a_key_that_was_not_reserved_is_not_settled():
    keys = Keys(conflict=True)
    outcome = a_pipeline(a_registry(a_tool()), idempotency=keys).run(a_call())
    assert isinstance(outcome.error, Conflict)
    assert keys.settled == []


def test_the_deadline_is_the_nearer_of_the_tools_and_the_calls():
    seen = []
    tool = a_tool(timeout=10.0, execute=lambda accepted: seen.append(accepted.deadline) or Answer(None))
    run = a_pipeline(a_registry(tool)).run
    run(a_call())
    run(a_call(deadline=4.0))
    assert seen == [10.0, 4.0]


@pytest.mark.parametrize("member", ["idempotency_key", "confirmation"])
def test_a_policy_that_does_not_exist_yet_refuses_whoever_relies_on_it(member):
    tool = a_tool(read_only=False, execute=refuse(AssertionError()))
    outcome = a_pipeline(a_registry(tool)).run(a_call(**{member: "k"}))
    assert isinstance(outcome.error, InvalidRequest)


def test_an_unknown_cursor_is_refused():
    outcome = a_pipeline(a_registry(a_tool())).resume(Caller("c"), "x")
    assert isinstance(outcome.error, InvalidRequest)


@pytest.mark.parametrize("port", ["audit", "idempotency", "metrics"])
def test_a_port_that_fails_at_the_end_never_lets_the_call_raise(port):
    class Broken(Recorder, null.NullIdempotencyStore, null.NullMetrics):
        record = settle = observe = refuse(OSError("disk full"))

    outcome = a_pipeline(a_registry(a_tool()), **{port: Broken()}).run(a_call())
    assert isinstance(outcome.error, InternalError)
