from __future__ import annotations

import json

import pytest

from bridge.core.model import Caller, Outcome
from bridge.core.redact import Redactor
from bridge.errors import BackendRejected, InternalError
from bridge.policies.call_log import MAX_TEXT, CallLog
from tests.support.domain import a_call, a_tool

SECRET = "canary-secret-value"


def line(call=None, tool=None, outcome=Outcome(1)):
    written: list[str] = []
    CallLog(written.append, Redactor([SECRET]).text, "v1").record(call or a_call(), tool, outcome, 0.0123)
    (text,) = written
    assert text.endswith("\n")
    assert text.count("\n") == 1
    assert text.isascii()
    return text


def test_a_line_says_who_called_what_by_which_way_and_how_it_ended():
    call = a_call(caller=Caller("alice", "acme"), traceparent="00-a-b-01")
    assert json.loads(line(call, a_tool("look"))) == {
        "time": "2023-11-14T22:13:20.000Z", "event": "call", "request_id": "id-1", "protocol": "test", "tool": "look",
        "caller": "alice", "tenant": "acme", "traceparent": "00-a-b-01", "status": "ok", "ms": 12.3, "registry": "v1",
    }  # fmt: skip


@pytest.mark.owes("C10")
@pytest.mark.parametrize("name", ["a\r\nb", "\x1b[31mred", "a\x85b\u2028c", "x\x7fy", '"}{', "naïve", "\ud800"])
def test_no_value_can_start_a_line_of_its_own_or_move_a_cursor(name):
    written = line(a_call(name))
    assert json.loads(written)["tool"] == name
    assert '"event":"call",' in written
    assert "\x7f" not in written


def test_the_operator_is_told_what_the_caller_is_not():
    said = json.loads(line(outcome=Outcome(error=BackendRejected(log="status 418: teapot"))))
    assert said["status"] == "BACKEND_REJECTED"
    assert said["detail"] == "status 418: teapot"


def test_a_bug_is_logged_whole():
    error = InternalError()
    try:
        raise ZeroDivisionError("the cause")
    except ZeroDivisionError as bug:
        error.__cause__ = bug
    assert "ZeroDivisionError: the cause" in json.loads(line(outcome=Outcome(error=error)))["traceback"]


@pytest.mark.owes("F1")
@pytest.mark.parametrize("place", ["id", "tool", "log", "message"])
def test_a_secret_is_masked_wherever_it_turns_up(place):
    call = a_call(SECRET) if place == "tool" else a_call()
    if place == "id":
        call = type(call)(**{**{name: getattr(call, name) for name in call.__dataclass_fields__}, "id": SECRET})
    error = BackendRejected(SECRET if place == "message" else None, log=SECRET if place == "log" else None)
    assert SECRET not in line(call, outcome=Outcome(error=error))


def test_a_cut_never_leaves_the_beginning_of_a_secret():
    for place in range(MAX_TEXT - len(SECRET) - 2, MAX_TEXT + 2):
        said = line(a_call("." * place + SECRET), outcome=Outcome(error=BackendRejected("." * place + SECRET, log="." * place + SECRET)))
        assert "canary" not in said


SECRETIVE = a_tool("look", secret=frozenset({"pin"}))


@pytest.mark.owes("F1")
@pytest.mark.parametrize("value", ["1234-5678", 12345678, 1234.5678, {"deep": ["1234-5678"]}, {"1234-5678": 1}])
def test_what_a_secret_parameter_holds_is_masked_in_what_the_backend_says(value):
    said = BackendRejected(f"no {value}", log=json.dumps({"you said": value, "and": "other"}))
    told = json.loads(line(a_call(arguments={"pin": value, "open": "other"}), SECRETIVE, Outcome(error=said)))
    assert "5678" not in told["error"] + told["detail"]
    assert "other" in told["detail"]


def test_where_a_call_brings_endless_secrets_nothing_is_told():
    call = a_call(arguments={"pin": [f"secret-{number}" for number in range(10_000)]})
    told = json.loads(line(call, SECRETIVE, Outcome(error=BackendRejected("no", log="secret-7777"))))
    assert (told["error"], told["detail"]) == ("***", "***")


def test_a_huge_name_is_cut():
    assert len(json.loads(line(a_call("x" * 1_000_000)))["tool"]) == MAX_TEXT
