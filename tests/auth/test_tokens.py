from __future__ import annotations

import pytest

from bridge.auth.anonymous import OpenAuthenticator
from bridge.auth.tokens import TokenAuthenticator
from bridge.core.model import Caller
from bridge.core.tokens import digest
from bridge.errors import Unauthorized

ALICE, BOB, GUEST = Caller("alice"), Caller("bob"), Caller("anonymous")


def authenticator(anonymous=None, late=()):
    return TokenAuthenticator({digest("t-alice"): ALICE}, late, anonymous)


@pytest.mark.parametrize("header", ["Bearer t-alice", "bearer t-alice", "BEARER  t-alice "])
def test_a_known_token_names_its_caller(header):
    assert authenticator().authenticate({"authorization": header}) is ALICE


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer t-alic", "Basic t-alice", "t-alice", "Bearer t-alice, x"])
@pytest.mark.parametrize("anonymous", [None, GUEST])
def test_a_wrong_credential_is_refused_even_where_none_is_needed(header, anonymous):
    with pytest.raises(Unauthorized):
        authenticator(anonymous).authenticate({"authorization": header})


def test_no_credential_is_the_anonymous_caller_or_nobody():
    assert authenticator(GUEST).authenticate({}) is GUEST
    with pytest.raises(Unauthorized):
        authenticator().authenticate({})


def test_a_late_token_is_the_one_that_is_there_now():
    tokens = ["one"]
    late = authenticator(late=[(lambda: tokens[0], BOB)])
    assert late.authenticate({"authorization": "Bearer one"}) is BOB
    tokens[0] = "two"
    assert late.authenticate({"authorization": "Bearer two"}) is BOB
    with pytest.raises(Unauthorized):
        late.authenticate({"authorization": "Bearer one"})


def test_where_nobody_has_to_authenticate_a_credential_means_nothing():
    assert OpenAuthenticator(GUEST).authenticate({"authorization": "Bearer x"}) is GUEST


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "bearer  "])
def test_an_empty_file_lets_nobody_in(header):
    with pytest.raises(Unauthorized):
        authenticator(late=[(lambda: "", BOB)]).authenticate({"authorization": header})
