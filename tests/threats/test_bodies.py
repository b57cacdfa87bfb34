"""Bodies that are wrong, at every door of the whole application: what each gets, alike everywhere, and in time."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.bridged import DOORS, Bridged, bridged
from tests.support.raw_client import RawAnswer
from tests.support.server import Server, serving
from tests.support.strict_json import Answered
from tests.support.wsgi_client import ask

REGISTRY = """
bridge: 1
name: bodies
backends: {mirror: {type: echo}}
tools:
  any: {description: Takes anything., backend: mirror, input_schema: {type: object}}
  typed:
    description: Takes numbers.
    backend: mirror
    parameters: {number: {type: integer, optional: true}, small: {type: integer, maximum: 100, optional: true}}
  product:
    description: Multiplies.
    backend: mirror
    parameters: {a: number, b: number}
    result: {times: '${{ mul(params.a, params.b) }}'}
"""
QUICK = settings(max_examples=150, deadline=None, database=None)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Bridged]:
    with bridged(REGISTRY, tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    registry = tmp_path_factory.mktemp("bodies") / "registry.yaml"
    registry.write_text(REGISTRY)
    with serving(registry) as running:
        yield running


def body(door: str, arguments: str | bytes, tool: str = "any") -> bytes:
    """Return a call's body with the arguments as they are written."""
    name, given = DOORS[door]
    raw = arguments if isinstance(arguments, bytes) else arguments.encode()
    return f'{{"{name}": "{tool}", "{given}": '.encode() + raw + b"}"


def message(got: Answered | RawAnswer, door: str) -> str:
    """Return the sentence of a refusal; its envelope is the door's, and nothing else is in it."""
    answer = got.json() if isinstance(got, RawAnswer) else got.json
    assert got.status == 400, answer
    if door == "/api/execute":
        assert answer == {"status": "error", "error": {"type": "INVALID_REQUEST", "message": answer["error"]["message"]}}
        return str(answer["error"]["message"])
    assert answer == {"error": answer["error"]}
    return str(answer["error"])


def refusals(served: Bridged, arguments: str | bytes) -> str:
    """Play wrong arguments at every door; return the sentence, the same at each but for the place in the body."""
    said = [message(ask(served.app, "POST", door, body(door, arguments)), door) for door in DOORS]
    assert len({re.sub(r"(byte|column) \d+", "", sentence) for sentence in said}) == 1, said
    return said[0]


def results(served: Bridged, arguments: str | bytes, tool: str = "any") -> Any:
    """Play good arguments at every door; return the result as it is written, the same at each."""
    found = {ask(served.app, "POST", door, body(door, arguments, tool)).body.partition(b'":{')[2] for door in DOORS}
    (written,) = found
    return written.removesuffix(b"}")


#: Seconds; ten times the promise.
AT_ONCE = 0.5


def play(server: Server, door: str, data: bytes) -> tuple[RawAnswer, float]:
    head = f"POST {door} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode()
    with server.connect() as client:
        began = time.monotonic()
        client.send(head + data)
        return client.read(), time.monotonic() - began


@pytest.mark.owes("A1")
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("brackets", [b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000])
def test_endless_brackets_are_refused_at_once_and_the_worker_lives(server, door, brackets):
    before = server.workers()
    for data in (brackets, body(door, brackets)):
        got, seconds = play(server, door, data)
        assert re.fullmatch("The body (is nested more than 64 levels deep|holds more than 10,000 values)", message(got, door))
        assert seconds < AT_ONCE
    assert server.workers() == before


@pytest.mark.owes("A9")
@pytest.mark.parametrize("door", DOORS)
def test_a_body_of_tiny_members_or_items_is_refused_at_once(server, door):
    before = server.workers()
    for wide in (b"{" + b",".join(b'"%x":1' % n for n in range(95_000)) + b"}", b"[" + b"1," * 500_000 + b"1]", b"[" + b"{}," * 340_000 + b"{}]"):
        got, seconds = play(server, door, body(door, wide))
        assert "10,000 values" in message(got, door)
        assert seconds < 2 * AT_ONCE
    assert server.workers() == before


@pytest.mark.owes("A2")
def test_the_64th_level_is_read_and_the_65th_is_not_whatever_they_are_made_of(served):
    @QUICK
    @given(st.lists(st.sampled_from(["[", '{"k":']), min_size=55, max_size=70))
    def play(levels: list[str]) -> None:
        closing = "".join("]" if level == "[" else "}" for level in reversed(levels))
        arguments = '{"x": ' + "".join(levels) + "1" + closing + "}"
        if len(levels) + 2 <= 64:
            assert json.loads(b"{" + results(served, arguments)) == json.loads(arguments)
        else:
            assert "nested more than 64 levels" in refusals(served, arguments)

    play()


@pytest.mark.owes("A3")
def test_a_key_twice_is_named_at_any_depth_and_alike_at_every_door(served):
    keys = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10)

    @QUICK
    @given(st.lists(st.sampled_from(["[", "{"]), max_size=40), keys, st.booleans())
    def play(levels: list[str], key: str, spelled: bool) -> None:
        first, second = json.dumps(key), json.dumps(key, ensure_ascii=spelled)
        inner = f'{{{first}: 1, "other {key and ""}": 2, {second}: 1}}'
        for level in levels:
            inner = f"[{inner}]" if level == "[" else f'{{"k": {inner}}}'
        assert f"names the key {key!r} twice" in refusals(served, f'{{"x": {inner}}}')

    play()
    for door, (name, given_as) in DOORS.items():
        for twice in (f'{{"{name}": "any", "{name}": "any"}}', f'{{"{name}": "any", "{given_as}": {{}}, "{given_as}": {{}}}}'):
            assert "twice" in message(ask(served.app, "POST", door, twice.encode()), door)


@pytest.mark.owes("A4")
def test_what_is_no_number_is_refused_and_a_minus_before_zero_is_kept(served):
    for word in ("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 400 + ".0", "nan", "+1", "01", ".5", "0x1"):
        for arguments in (f'{{"x": {word}}}', f'{{"x": [1, {{"y": {word}}}]}}'):
            assert refusals(served, arguments)
    assert results(served, '{"x": -0, "y": -0.0, "z": [1.5e300]}') == b'"x":-0.0,"y":-0.0,"z":[1.5e+300]}'


@pytest.mark.owes("A4")
@pytest.mark.parametrize("door", DOORS)
def test_a_computed_number_beyond_all_numbers_is_no_result(served, door):
    assert served.post(door, "product", {"a": 2, "b": 3}).json[{"/api/execute": "result"}.get(door, "data")] == {"times": 6}
    got = served.post(door, "product", {"a": 1e308, "b": 1e308})
    assert b"Infinity" not in got.body
    assert b"null" not in got.body
    assert got.json.get("error_type") or got.json["error"]["type"]


@pytest.mark.owes("A5")
def test_an_integer_of_20_digits_is_the_schemas_and_longer_ones_are_nobodys(served):
    twenty = "12345678901234567890"
    assert results(served, f'{{"number": {twenty}}}', "typed") == f'"number":{twenty}}}'.encode()
    for door in DOORS:
        got = ask(served.app, "POST", door, body(door, f'{{"small": {twenty}}}', "typed"))
        assert "at most 100" in json.dumps(got.json)
    for digits in (400, 5_000, 500_000):
        began = time.process_time()
        for sign in ("", "-"):
            assert "digits" in refusals(served, f'{{"number": {sign}{"7" * digits}}}')
        assert time.process_time() - began < 6 * 0.2


@pytest.mark.owes("A6")
def test_text_in_another_encoding_or_in_none_is_refused(served):
    good = '{"x": "é"}'
    for wrong in (
        b'{"x": "\xff"}', b'{"x": "\xc3"}', b'{"x": "\xc0\xae"}', b'{"x": "\xed\xa0\x80"}', b'{"x": "\xf8\x88\x80\x80\x80"}', good.encode("latin-1"),
        rb'{"x": "\ud800"}', rb'{"\udfff": 1}', rb'{"x": "\ud800\ud800"}', rb'{"x": "\u0000"}', rb'{"\u0000": 1}', b'{"x": "\0"}', b'{"x": "a\nb"}',
    ):  # fmt: skip
        assert refusals(served, wrong)
    assert results(served, good) == '"x":"é"}'.encode()
    for door in DOORS:
        for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "utf-8-sig"):
            data = body(door, '{"x": "é"}').decode().encode(encoding)
            assert message(ask(served.app, "POST", door, data), door)


CONTENT_TYPES = {
    "application/json": 200, "APPLICATION/JSON ; charset=UTF-8": 200, 'application/json; charset="utf-8"': 200, "application/vnd.x+json": 200,
    "": 415, "text/plain": 415, "text/json": 415, "application/json;charset=utf-7": 415, "application/json; charset=utf-16": 415,
    "multipart/form-data; boundary=x": 415, "application/x-www-form-urlencoded": 415, "application/jsonx": 415, "application/xml": 415,
    "application/json, text/plain": 415, "json": 415, "application/json\r\nContent-Type: application/json": 400, "text/plain\r\nContent-Type: application/json": 400,
}  # fmt: skip


@pytest.mark.owes("A7")
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("given", CONTENT_TYPES)
def test_a_body_is_json_because_it_says_so(server, door, given):
    data = body(door, '{"x": 1}')
    kind = f"Content-Type: {given}\r\n" if given else ""
    with server.connect() as client:
        client.send(f"POST {door} HTTP/1.1\r\nHost: localhost\r\n{kind}Content-Length: {len(data)}\r\n\r\n".encode() + data)
        got = client.read()
    assert got.status == CONTENT_TYPES[given]
    assert got.status == 200 or got.json()["error"]


@pytest.mark.owes("A8")
def test_a_gigabyte_in_chunks_is_refused_and_takes_no_memory(server):
    play(server, "/call", body("/call", b'"' + b"x" * 1_000_000 + b'"'))
    before, workers, sent = server.memory(), server.workers(), 0
    while sent < 1 << 30:
        with server.connect() as client:
            client.send(b"POST /call HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
            try:
                for _ in range(64):
                    client.send(b"100000\r\n" + b"x" * (1 << 20) + b"\r\n")
                    sent += 1 << 20
            except ConnectionError:
                continue
    assert server.memory() - before < 10_000_000
    assert server.workers() == workers


@pytest.mark.owes("A12")
def test_what_a_request_claims_about_itself_is_neither_believed_nor_repeated(server):
    spoofed = "spoofed.example"
    claims = f"X-Forwarded-Host: {spoofed}\r\nX-Forwarded-For: 203.0.113.7, {spoofed}\r\nX-Forwarded-Proto: {spoofed}\r\nForwarded: host={spoofed};for=203.0.113.7\r\nX-Real-IP: 203.0.113.7\r\nX-Original-URL: /{spoofed}\r\nReferer: http://{spoofed}/\r\n"
    for door in DOORS:
        data = body(door, '{"x": 1}')
        for line, host, status in ((door, "localhost", 200), (door, spoofed, 421), (f"http://{spoofed}{door}", "localhost", 421), (f"http://localhost{door}", spoofed, 421)):
            with server.connect() as client:
                client.send(f"POST {line} HTTP/1.1\r\nHost: {host}\r\n{claims}Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
                got = client.read()
            assert got.status == status
            assert b"spoofed" not in got.head + got.body
            assert b"203.0.113" not in got.head + got.body
    for path in ("/tools", "/api/manifest", "/health/ready"):
        with server.connect() as client:
            client.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{claims}\r\n".encode())
            got = client.read()
        assert got.status == 200
        assert b"spoofed" not in got.head + got.body
    assert not any("spoofed" in line or "203.0.113" in line for line in server.lines)
