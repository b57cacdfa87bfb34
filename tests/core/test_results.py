from __future__ import annotations

import pytest

from bridge.core.expressions import Scope, compile_bare, compile_text, compile_tree
from bridge.core.located import Mark, Problems, Table
from bridge.core.model import Accepted, Answer
from bridge.core.results import ErrorRule, compile_check, compile_judge, with_answer
from bridge.errors import (
    BackendRejected,
    BackendUnavailable,
    BridgeError,
    InvalidResult,
    NotFound,
    OutcomeUnknown,
)
from tests.support.domain import a_call

SCOPE = with_answer(Scope(frozenset({"params", "caller", "call"})))
ACCEPTED = Accepted(a_call(), {"id": "7"}, 29.0)


def judged(answer, rules=(), result=None, read_only=True):
    problems = Problems(Table(Mark("f", 1, 1)))
    tree = None if result is None else compile_tree(result, SCOPE, problems)
    return compile_judge(rules, tree, read_only)(ACCEPTED, answer)


def refused(answer, **options) -> BridgeError:
    with pytest.raises(BridgeError) as caught:
        judged(answer, **options)
    return caught.value


def a_rule(statuses=None, when=None, message=None, failures=False, code="NOT_FOUND"):
    condition = None if when is None else compile_bare(when, SCOPE)
    text = None if message is None else compile_text(message, SCOPE)
    return ErrorRule(statuses, failures, condition, NotFound, code, text)


def test_without_a_result_the_answer_is_the_result():
    assert judged(Answer({"a": [1]}, 200)) == {"a": [1]}


def test_a_result_is_a_tree_over_the_answer_and_the_call():
    tree = {"id": "${{ params.id }}", "n": "${{ body.count }}", "s": "${{ status }}", "none": "${{ body.x }}"}
    assert judged(Answer({"count": 3}, 200), result=tree) == {"id": "7", "n": 3, "s": 200, "none": None}


def test_the_first_error_that_matches_wins():
    rules = [a_rule(range(404, 405), message="first"), a_rule(range(400, 500), message="second")]
    assert refused(Answer(None, 404, success=False), rules=rules).message == "first"
    assert refused(Answer(None, 410, success=False), rules=rules).message == "second"


def test_errors_are_looked_at_on_every_status():
    rules = [a_rule(when="body.ok == `false`", message="The CRM says ${{ body.error }}", code="CRM_SAYS_NO")]
    error = refused(Answer({"ok": False, "error": "gone"}, 200), rules=rules)
    assert (error.message, error.shown_code, error.status) == ("The CRM says gone", "CRM_SAYS_NO", 404)


def test_the_default_is_for_answers_that_are_no_success():
    rules = [a_rule(failures=True)]
    assert judged(Answer("fine", 200), rules=rules) == "fine"
    assert isinstance(refused(Answer(None, 500, success=False), rules=rules), NotFound)


@pytest.mark.parametrize(
    ("status", "read_only", "kind"),
    [
        (302, True, BackendRejected),
        (400, True, BackendRejected),
        (401, False, BackendRejected),
        (403, True, BackendRejected),
        (429, True, BackendUnavailable),
        (429, False, BackendUnavailable),
        (503, False, BackendUnavailable),
        (408, True, BackendUnavailable),
        (408, False, OutcomeUnknown),
        (500, True, BackendUnavailable),
        (500, False, OutcomeUnknown),
        (599, False, OutcomeUnknown),
    ],
)
def test_what_nobody_mapped_follows_the_status_and_whether_it_was_a_write(status, read_only, kind):
    error = refused(Answer({"x": "the backend's own words"}, status, success=False), read_only=read_only)
    assert type(error) is kind
    assert "own words" not in error.message
    assert "own words" in error.log


@pytest.mark.owes("I6")
@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("7", 7),
        ("0", 1),
        ("-5", 5),
        ("315360000", 3600),
        ("soon", 5),
        ("", 5),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30),
        ("Tue, 14 Nov 2000 22:13:50 GMT", 1),
        ("Tue, 99 Nov 2023 22:13:50 GMT", 5),
        ("٣", 3),
    ],
)
def test_a_retry_after_is_passed_on_within_bounds(header, wait):
    assert refused(Answer(None, 429, {"retry-after": header}, success=False)).wait == wait


def test_a_body_that_cannot_be_read_is_no_result():
    error = refused(Answer("<html>", 200, broken="a page of HTML"))
    assert isinstance(error, InvalidResult)
    assert error.log == "a page of HTML"


def test_a_mapped_error_needs_no_body():
    rules = [a_rule(range(404, 405), message="no such customer")]
    error = refused(Answer(None, 404, success=False, broken="a page of HTML"), rules=rules)
    assert error.message == "no such customer"


def test_an_expression_that_does_not_fit_the_answer_is_an_invalid_result():
    assert isinstance(refused(Answer({"n": "text"}, 200), result="${{ add(body.n, `1`) }}"), InvalidResult)


def test_an_output_schema_is_kept_without_showing_what_broke_it():
    check = compile_check({"type": "object", "required": ["name"]})
    check({"name": "x"})
    with pytest.raises(InvalidResult) as caught:
        check({"secret": "value"})
    assert "value" not in str(caught.value)
