"""What must never be shown."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.redact import Redactor, header, mask, texts

SECRET = 'pä"ss/w+rd & 7'


def basic(user: str) -> str:
    return base64.b64encode(f"{user}:{SECRET}".encode()).decode()


@pytest.mark.owes("F1")
@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        f"before {SECRET} after {SECRET}",
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps({"a": SECRET}),
        json.dumps({"a": SECRET}, ensure_ascii=False),
        repr([SECRET]),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_secret_is_found_in_every_form_it_travels_in(text):
    shown = Redactor([SECRET]).text(text)
    assert "***" in shown
    for part in ("pä", "ss", "w+rd", "ss%2Fw", "p\\u00e4"):
        assert part not in shown


@pytest.mark.parametrize("user", ["", "u", "us", "use", "user"])
def test_a_password_is_found_inside_basic_credentials_wherever_it_starts(user):
    shown = Redactor([SECRET]).text(basic(user))
    left = shown.replace("***", "")
    assert len(left) <= len(basic(user)) - len(base64.b64encode(SECRET.encode())) + 8
    assert "***" in shown


def test_a_secret_that_begins_another_leaves_nothing_of_it_behind():
    assert Redactor(["token-1", "token-12345"]).text("token-12345 token-1") == "*** ***"


def test_a_secret_that_comes_later_is_found_too():
    secrets = {"token-1"}
    redactor = Redactor(secrets)
    assert redactor.text("token-1 token-2") == "*** token-2"
    secrets.add("token-2")
    assert redactor.text("token-1 token-2") == "*** ***"


def test_every_text_in_json_like_data_is_redacted():
    shown = Redactor([SECRET]).tree({SECRET: [f"a {SECRET}", 5, None, {"b": quote(SECRET)}], "c": True})
    assert shown == {"***": ["a ***", 5, None, {"b": "***"}], "c": True}


def test_the_texts_of_a_value_are_what_it_would_look_like():
    assert list(texts({"a": ["b", 5, 2.5, True, None, {"c": "d"}]})) == ["a", "b", "5", "2.5", "c", "d"]


def test_a_short_value_is_no_secret_to_find():
    assert Redactor(["abc", ""]).text("abc abcd") == "abc abcd"
    assert Redactor(["abcd"]).text("abc abcd") == "abc ***"


def test_without_secrets_nothing_is_changed():
    assert Redactor([]).text("anything at all") == "anything at all"


def test_a_secret_is_text_and_no_pattern():
    assert Redactor(["a.c.e(", "[z-a]"]).text("abcde( a.c.e( [z-a]") == "abcde( *** ***"


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=4), st.text(), st.text())
def test_no_secret_survives_in_any_text(secret, before, after):
    shown = Redactor([secret]).text(before + secret + after)
    assert not any(secret in part for part in shown.split("***"))


def test_masking_copies_and_hides_whatever_a_secret_parameter_holds():
    params = {"pin": {"digits": [1, 2]}, "name": "x", "key": None}
    assert mask(params, {"pin", "key", "absent"}) == {"pin": "***", "name": "x", "key": "***"}
    assert params == {"pin": {"digits": [1, 2]}, "name": "x", "key": None}


@pytest.mark.parametrize(
    "name",
    ["Authorization", "PROXY-AUTHORIZATION", "cookie", "Set-Cookie", "X-API-Key", "x-auth-token", "Client-Secret", "X-Password"],
)
def test_a_header_that_carries_a_credential_is_masked(name):
    assert header(name, "value") == "***"


@pytest.mark.parametrize("name", ["Content-Type", "Accept", "X-Request-Id", "Host"])
def test_any_other_header_is_shown(name):
    assert header(name, "value") == "value"
