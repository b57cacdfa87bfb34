"""Values on their way to a real backend, through the whole application: each arrives as itself, in its own place, or is refused.

One example of the generator is played at every tool of `REGISTRY`, so a thousand examples are nine thousand cases.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.assembly import check
from bridge.settings import Settings
from tests.support.bridged import DOORS, Bridged, bridged
from tests.support.fault_server import FaultServer, Received, answer

REGISTRY = """
bridge: 1
name: places
backends:
  crm:
    type: http
    base_url: ${CRM_URL}/v1
    auth: {type: bearer, token: 'the-key'}
tools:
  path: {description: A segment., backend: crm, parameters: {value: {}}, call: 'GET /customers/{value}/orders/end'}
  template: {description: A query., backend: crm, parameters: {value: {}, last: {value: 'yes'}}, call: 'GET /search{?value*,last}'}
  placed: {description: A query without a template., backend: crm, parameters: {value: {}, last: {value: 'yes'}}, call: GET /search}
  query:
    description: A query written out.
    backend: crm
    parameters: {value: {}}
    call: {path: '/search?first=1', query: {value: '${{ params.value }}', last: 'yes'}}
  header: {description: A header., backend: crm, parameters: {value: {in: header, as: X-Value}}, call: GET /header}
  form:
    description: A form.
    backend: crm
    parameters: {value: {}}
    call: {method: POST, path: /form, form: {first: '1', value: '${{ params.value }}', last: 'yes'}}
  body: {description: A body of parameters., backend: crm, parameters: {value: {}, last: {value: 'yes'}}, call: POST /body}
  json:
    description: A body written out.
    backend: crm
    parameters: {value: {}}
    call:
      method: POST
      path: /json
      json: {outer: [{value: '${{ params.value }}'}], text: 'is ${{ params.value }}!', plain: '{{7*7}} $${{ 7*7 }}'}
  text: {description: A text., backend: crm, parameters: {value: {}}, call: {method: POST, path: /text, text: 'is ${{ params.value }}!'}}
"""

PIECES = [
    "${{ 7*7 }}", "${{ params.last }}", "{{7*7}}", "${jndi:ldap://x}", "${CRM_URL}", "${file:/etc/passwd}", "{value}", "%s", "`1`",
    "'", '"', "\\", "\n", "\r\n", "\r\nX-Evil: 1", "\0", "\t", "\x7f", "\x1b[31m", "../", "..", ".", "/", "..%2f", "%2e%2e", "%252e", "%00",
    "%0d%0a", "%", "//evil.example", "@evil.example", "http://evil.example", "#", "?", "&", "=", "&last=no", ";", "+", " ", "[]",
    "value=2", "__proto__", "constructor", "\u2024", "\uff0e\uff0e", "\uff0f", "\u2028", "\ufeff", "\u202e", "é", "漢字", "🙂", "null", "true",
    "0", "a", "A-Z_~", "<script>", "]]>", "x" * 10_240,
]  # fmt: skip

texts = st.lists(st.sampled_from(PIECES), max_size=4).map("".join) | st.text(max_size=20)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
scalars = texts | numbers | st.booleans() | st.none()
values = scalars | texts | st.lists(scalars, max_size=3) | st.dictionaries(texts, scalars, max_size=3)

TOOLS = ("path", "template", "placed", "query", "header", "form", "body", "json", "text")


@contextmanager
def places(folder: Path) -> Iterator[tuple[Bridged, FaultServer]]:
    with FaultServer() as crm:
        crm.on("*", answer(200, b"{}", ("Content-Type", "application/json")))
        with bridged(REGISTRY, folder, {"CRM_URL": crm.url("").rstrip("/")}) as served:
            yield served, crm


def exactly(value: Any) -> str:
    """Return what tells a value from every other, 1 from 1.0 and true from 1 as well."""
    return json.dumps(value, sort_keys=True)


def written(value: Any) -> str:
    """Return a value as text: text as it is, null as nothing, all else as JSON."""
    if isinstance(value, list | dict):
        return exactly(value)
    return value if isinstance(value, str) else "" if value is None else orjson.dumps(value).decode()


def pairs(value: Any) -> list[tuple[str, str]]:
    """Return what stands for a value in a query or a form."""
    if isinstance(value, list):
        return [("value", written(item)) for item in value if item is not None]
    if isinstance(value, dict):
        return [(f"value[{name}]", written(item)) for name, item in value.items() if item is not None]
    return [] if value is None else [("value", written(value))]


def assert_untouched(request: Received, crm: FaultServer, tool: str) -> None:
    """Nothing but the value differs from what the registry declares."""
    method, path = {
        "path": ("GET", "/v1/customers/"), "header": ("GET", "/v1/header"), "form": ("POST", "/v1/form"),
        "body": ("POST", "/v1/body"), "json": ("POST", "/v1/json"), "text": ("POST", "/v1/text"),
    }.get(tool, ("GET", "/v1/search"))  # fmt: skip
    assert request.method == method
    found = request.target.partition("?")[0]
    assert found.startswith(path) if tool == "path" else found == path
    assert ("?" in request.target) == (path == "/v1/search")
    assert request.raw.startswith(f"{method} {request.target} HTTP/1.1\r\n".encode())
    names = sorted(name.lower() for name, _ in request.headers)
    more = {"header": ["x-value"], "form": ["content-length", "content-type"], "text": ["content-length", "content-type"]}
    more |= {"body": more["form"], "json": more["form"]}
    missing = [] if "x-value" in names or tool != "header" else ["x-value"]
    assert names == sorted({"host", "accept", "accept-encoding", "user-agent", "authorization", *more.get(tool, ())} - {*missing})
    assert (request.header("host"), request.header("authorization")) == (f"127.0.0.1:{crm.port}", "Bearer the-key")


def arrived(request: Received, tool: str, value: Any) -> Any:
    """Return what the backend reads in the value's place, and all that stands beside it."""
    query = request.target.partition("?")[2]
    if tool == "path":
        segments = request.target.split("/")
        return [unquote(segment, errors="strict") for segment in segments]
    if tool in ("template", "placed", "query"):
        return parse_qsl(query, keep_blank_values=True, strict_parsing=True, errors="strict") if query else []
    if tool == "header":
        return request.header("x-value")
    if tool == "form":
        return parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
    if tool == "text":
        return read_back(request.body.decode(), value)
    body = json.loads(request.body)
    return exactly(body | {"text": read_back(body["text"], value)} if tool == "json" else body)


def read_back(text: str, value: Any) -> str:
    """Return `is ...!` with the list or object in it spelled in one way."""
    inside = text.removeprefix("is ").removesuffix("!")
    return f"is {exactly(json.loads(inside))}!" if isinstance(value, list | dict) else text


def expected(value: Any, tool: str) -> Any:
    if tool == "path":
        return ["", "v1", "customers", written(value), "orders", "end"]
    if tool in ("template", "placed"):
        return [*pairs(value), ("last", "yes")]
    if tool in ("query", "form"):
        return [("first", "1"), *pairs(value), ("last", "yes")]
    if tool == "header":
        return None if value is None else written(value)
    if tool == "text":
        return f"is {written(value)}!"
    given = {} if value is None else {"value": value}
    if tool == "body":
        return exactly(given | {"last": "yes"})
    return exactly({"outer": [given], "text": f"is {written(value)}!", "plain": "{{7*7}} ${{ 7*7 }}"})


@pytest.mark.owes("C1", "C2", "C3", "C5")
def test_whatever_a_value_spells_it_arrives_as_itself_in_its_own_place_or_is_refused(tmp_path):
    counts = dict.fromkeys(TOOLS, 0)
    refused = 0
    with places(tmp_path) as (served, crm):

        @settings(max_examples=700, deadline=None, database=None)
        @given(values)
        def play(value: Any) -> None:
            nonlocal refused
            for number, tool in enumerate(TOOLS):
                before = len(crm.requests)
                got = served.post(list(DOORS)[number % 3], tool, {"value": value})
                if len(crm.requests) == before:
                    refused += 1
                    assert_refused(got.status, got.json)
                    continue
                assert got.status == 200
                (request,) = crm.requests[before:]
                assert_untouched(request, crm, tool)
                assert arrived(request, tool, value) == expected(value, tool)
                counts[tool] += 1

        play()
        assert sum(counts.values()) + refused > 5_000
        assert min(counts.values()) > 100, counts
        assert crm.accepted == 1


def assert_refused(status: int, body: Any) -> None:
    """`/call` answers what became a call with 200; what it says is the same."""
    code = body.get("error_type") or (body["error"] if isinstance(body["error"], dict) else {"type": "INVALID_REQUEST"})["type"]
    assert (status, code) in (
        (400, "INVALID_REQUEST"), (400, "INVALID_PARAMETERS"), (200, "INVALID_PARAMETERS"),
    ), body  # fmt: skip
    assert body.get("success", False) is False


#: What could leave the segment, and what only looks so.
REFUSED = [
    "..", ".", "", "../x", "x/..", "a/b", "..%2f", "..%2Fadmin", "%2e%2e", "%2E%2E/", "%2e", ".%2e", "%252e%252e", "%252e", "%25252e", "..;/", "..;",
    "..;x=1", ";x", "\\", "..\\", "..%5c", "%5c..", "//evil", "/", "/etc/passwd", "http://evil", "https:%2f%2fevil", "%2f%2fevil", "\0", "%00", "a\r\nb",
    "%0d%0aX-Evil: 1", "\n", "\t", "\x7f", "..%00", "..?/", "..#/", "%c0%ae%c0%ae/", " .. /", "\x85",
]  # fmt: skip
ORDINARY = [
    "@evil", "#", "?", "?x=1", "#x", "&x=1", "evil:80", "\u2024\u2024", "\uff0e\uff0e", "\uff0f", "\u2025", "...", "a..b", "%zz", "100%", "~", "é",
]  # fmt: skip


@pytest.mark.owes("C1")
@pytest.mark.parametrize("door", DOORS)
def test_the_known_spellings_of_a_way_out_of_a_path_are_refused_before_any_connection(door, tmp_path):
    assert len(REFUSED) + len(ORDINARY) >= 40
    with places(tmp_path) as (served, crm):
        for value in REFUSED:
            got = served.post(door, "path", {"value": value})
            assert_refused(got.status, got.json)
        assert crm.accepted == 0
        for value in ORDINARY:
            assert served.post(door, "path", {"value": value}).status == 200
            assert arrived(crm.requests[-1], "path", value) == expected(value, "path")


@pytest.mark.owes("C3")
@pytest.mark.parametrize("door", DOORS)
def test_what_no_header_can_carry_is_refused_before_any_connection(door, tmp_path):
    unsendable = ["a\r\nX-Evil: 1", "a\rb", "a\nb", "a\0b", "zoë", "漢字", "x" * 10_240, " a", "a ", "\x7f", "\x1b[1m", {"a": 1}, ["a"]]
    with places(tmp_path) as (served, crm):
        for value in unsendable:
            got = served.post(door, "header", {"value": value})
            assert_refused(got.status, got.json)
        assert crm.accepted == 0


# C4: who the backend is

ADDRESS = """bridge: 1
name: r
backends:
  h: {type: http, base_url: 'http://127.0.0.1:9'}
tools:
  t:
    description: T.
    backend: h
    parameters: {x: string}
    call: {path: '/{x}'}
"""


@pytest.mark.owes("C4")
@pytest.mark.parametrize(
    ("old", "new"),
    [("http://127.0.0.1:9", base) for base in (
        "http://{x}", "http://{x}.example.com", "{x}://127.0.0.1", "http://127.0.0.1:{x}", "${{ params.x }}", "http://${{ params.x }}",
        "http://127.0.0.1/${{ params.x }}", "http://127.0.0.1/{x}", "//evil.example", "http://u@127.0.0.1", "",
    )]
    + [("/{x}", path) for path in (
        "{x}", "{+x}", "//{x}", "///{x}", "http://{x}", "http://evil.example/{x}", "@{x}", ":80@{x}", ".{x}/", "\\\\{x}", "/\\{x}", "${{ params.x }}",
        "/${{ params.x }}", "{/x}", "{;x}", "{#x}", "{.x}", "?{x}", "#{x}",
    )]
    + [("call: {path: '/{x}'}", call) for call in (
        "call: {path: '/{x}', headers: {Host: '${{ params.x }}'}}", "call: '${{ params.x }} /a'", "call: {method: '${{ params.x }}', path: '/{x}'}",
        "call: {path: '/{x}', headers: {'${{ params.x }}': a}}", "call: {path: '/{x}', headers: {Transfer-Encoding: '${{ params.x }}'}}",
        "call: {url: '${{ params.x }}'}",
    )]
    + [("{x: string}", parameters) for parameters in (
        "{x: string, h: {in: header, as: Host}}", "{x: string, h: {in: header, as: Connection}}", "{x: string, h: {in: header, as: 'A: b'}}",
    )],
)  # fmt: skip
def test_a_registry_that_would_let_a_parameter_say_where_a_call_goes_is_not_served(old, new, tmp_path):
    path = tmp_path / "registry.yaml"
    path.write_text(ADDRESS, "utf-8")
    assert [str(found) for found in check(path, Settings({})) if found.severity == "error"] == []
    assert ADDRESS.count(old) == 1
    path.write_text(ADDRESS.replace(old, new), "utf-8")
    assert any(found.severity == "error" for found in check(path, Settings({})))
