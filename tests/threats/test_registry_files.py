"""Registries that are wrong or hostile, as `check` and a running server see them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.assembly import check
from bridge.settings import Settings
from tests.support.bridged import DOORS, bridged
from tests.support.fault_server import FaultServer, answer
from tests.support.server import Server, serving

GOOD = """bridge: 1
name: r
backends:
  e: {type: echo}
tools:
  t:
    description: T.
    backend: e
    parameters: {x: {type: string}}
"""
#: Seconds; ten times the promise of one second.
SOON = 10.0


def mistakes(path: Path) -> list[Any]:
    return [found for found in check(path, Settings({})) if found.severity == "error"]


def wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)


# Hostile files


def bomb() -> str:
    levels = "".join(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 11))
    return "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + levels


HOSTILE: dict[str, str] = {
    "an alias bomb": bomb(), "30,000 brackets": "a: " + "[" * 30_000, "100,000 brackets": "[" * 100_000, "brackets, closed": "[" * 100_000 + "]" * 100_000,
    "braces": "{a: " * 50_000, "dashes": "- " * 50_000, "indents": "\n".join(" " * depth + "a:" for depth in range(500)), "a python tag": "a: !!python/object/apply:os.system [id]",
    "a python name": "a: !!python/name:os.system", "a binary": "a: !!binary aGVsbG8=", "a tag of its own": "a: !evil x", "a key twice": GOOD + "name: s\n",
    "a tool twice": GOOD + "  t: {description: T., backend: e}\n", "a merge": GOOD + "callers: {<<: {a: b}}\n", "a tab": GOOD.replace("  e:", "\te:"), "NaN": GOOD.replace("string}", "number, maximum: .nan}"),
    "infinity": GOOD.replace("string}", "number, maximum: .inf}"), "nul": GOOD + "\0", "an escape": GOOD + "title: \x1b[31m\n", "latin-1": "latin-1", "utf-16": "utf-16",
    "Norway": GOOD.replace("type: string", "type: string, optional: no"), "sexagesimal": GOOD.replace("bridge: 1", "bridge: 1:00"), "an octal": GOOD.replace("bridge: 1", "bridge: 0o10"), "nothing": "",
    "a million values": "a: [" + "1," * 1_000_000 + "1]", "a long key": "a" * 2_000 + ": b\n" + "b" * 100_000, "two documents": GOOD + "---\n" + GOOD, "a huge number": GOOD.replace("bridge: 1", "bridge: " + "9" * 5_000),
    "an alias in itself": "a: &a [*a]", "ten thousand anchors": "\n".join(f"k{number}: &k{number} 1\nl{number}: *k{number}" for number in range(10_000)),
}  # fmt: skip
ENCODED = {"latin-1": GOOD.replace("T.", "é").encode("latin-1"), "utf-16": GOOD.encode("utf-16")}


def write(path: Path, name: str) -> None:
    path.write_bytes(ENCODED.get(name) or HOSTILE[name].encode())


@pytest.mark.owes("G1")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_a_mistake_with_its_place(name, tmp_path):
    path = tmp_path / "r.yaml"
    write(path, name)
    began = time.monotonic()
    found = mistakes(path)
    assert time.monotonic() - began < SOON
    assert found
    for one in found:
        assert str(one).startswith(f"{path}:{one.mark.line}:{one.mark.column}: ")
        assert str(one).isprintable()
        assert "Traceback" not in str(one)


def odd_files(folder: Path) -> Iterator[Path]:
    sparse = folder / "sparse.yaml"
    with sparse.open("wb") as file:
        file.truncate(2 << 30)
    yield sparse
    fifo = folder / "fifo.yaml"
    os.mkfifo(fifo)
    yield fifo
    for name, target in (("zero", "/dev/zero"), ("random", "/dev/urandom"), ("itself", folder / "itself.yaml"), ("folder", folder), ("proc", "/proc/self/mem")):
        link = folder / f"{name}.yaml"
        link.symlink_to(target)
        yield link
    yield folder / "missing.yaml"


@pytest.mark.owes("G1")
def test_what_is_no_ordinary_file_is_a_mistake_and_is_not_read(tmp_path):
    for path in odd_files(tmp_path):
        began = time.monotonic()
        (found,) = mistakes(path)
        assert time.monotonic() - began < SOON
        assert str(found).startswith(str(path))


def ready(server: Server) -> Any:
    return server.request("GET", "/health/ready").json["registry"]


@pytest.mark.owes("G1", "G2")
def test_a_server_survives_every_hostile_file_and_goes_on_with_the_last_good_one(tmp_path):
    path, odd = tmp_path / "r.yaml", tmp_path / "odd"
    odd.mkdir()
    path.write_text(GOOD)
    call = {"name": "t", "arguments": {"x": "1"}}
    with serving(path) as server:
        workers, version = server.workers(), ready(server)["version"]
        for number, name in enumerate(HOSTILE):
            write(path, name)
            if number % 8 == 0:
                wait_for(lambda: ready(server)["error"] is not None)
            reply = server.request("POST", "/call", call)
            assert (reply.json, reply.headers["x-registry-version"]) == ({"success": True, "data": {"x": "1"}}, version)
        for link in odd_files(odd):
            path.unlink(missing_ok=True)
            path.symlink_to(link)
            time.sleep(0.3)
            assert server.request("POST", "/call", call).json["success"]
        wait_for(lambda: ready(server)["error"] is not None)
        assert server.workers() == workers
        path.unlink()
        path.write_text(GOOD + "# good again\n")
        wait_for(lambda: ready(server)["error"] is None and ready(server)["version"] != version)


# Versions


@pytest.mark.owes("G4")
def test_a_call_in_flight_ends_with_the_version_that_it_began_with(tmp_path):
    """The backend holds the call until a new version, with another result and another backend, is served."""
    path = tmp_path / "r.yaml"
    text = "bridge: 1\nname: r\nbackends: {h: {type: http, base_url: 'URL/OLD'}}\ntools: {t: {description: T., backend: h, call: GET /x, result: {which: OLD, body: '${{ body }}'}}}\n"
    open_ = []
    with FaultServer() as crm:
        crm.on("/OLD/x", lambda connection: crm.wait_until(lambda: bool(open_)), answer(200, b'"late"', ("Content-Type", "application/json")))
        crm.on("/NEW/x", answer(200, b'"soon"', ("Content-Type", "application/json")))
        path.write_text(text.replace("URL", crm.url("").rstrip("/")))
        with serving(path, workers=1) as server, server.connect(timeout=30) as client:
            old = ready(server)["version"]
            data = b'{"tool": "t"}'
            client.send(b"POST /api/execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(data), data))
            crm.wait_until(lambda: len(crm.requests) == 1)
            path.write_text(text.replace("URL", crm.url("").rstrip("/")).replace("OLD", "NEW"))
            wait_for(lambda: ready(server)["version"] != old)
            fresh = server.request("POST", "/api/execute", {"tool": "t"})
            assert fresh.json["result"] == {"which": "NEW", "body": "soon"}
            assert fresh.headers["x-registry-version"] == ready(server)["version"] != old
            open_.append(True)
            with crm._changed:
                crm._changed.notify_all()
            late = client.read()
            assert late.json()["result"] == {"which": "OLD", "body": "late"}
            assert late.header("X-Registry-Version") == old


@pytest.mark.owes("G3")
def test_every_answer_says_its_version_whatever_was_asked(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text(GOOD)
    with serving(path) as server:
        version = ready(server)["version"]
        asked = [(method, target) for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE") for target in ("/tools", "/api/manifest", *DOORS, "/nowhere", "/sets/x/tools", "/health/live")]
        for method, target in asked:
            for body in (None, b"{", b'{"name": "t"}', b'{"tool": "t", "parameters": {"x": "1"}}'):
                reply = server.request(method, target, body, Content_Type="application/json")
                assert reply.headers["x-registry-version"] == version
        for request in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET / HTTP/1.1\r\nHost: evil\r\n\r\n", b"GET /" + b"x" * 9_000 + b" HTTP/1.1\r\n\r\n"):
            with server.connect() as client:
                assert client.send(request).read().header("X-Registry-Version") == version


# Schemas and expressions


SCHEMES = ("http", "https", "ftp", "ws", "file")


def remote(scheme: str, listener: FaultServer, folder: Path) -> dict[str, str]:
    """Return the members of tools whose schemas refer to somewhere else, by where they do so."""
    (folder / "x.json").write_text('{"type": "integer"}')
    address = f"{scheme}://127.0.0.1:{listener.port}/x.json" if scheme != "file" else (folder / "x.json").as_uri()
    schema = f"{{$ref: '{address}'}}"
    return {
        "parameter": f"parameters: {{x: {schema}}}",
        "below a parameter": f"parameters: {{x: {{type: object, properties: {{y: {{items: {schema}}}}}}}}}",
        "input": f"input_schema: {{type: object, properties: {{x: {schema}}}}}",
        "the whole input": f"input_schema: {schema}",
        "output": f"parameters: {{x: string}}, output_schema: {schema}",
        "below the output": f"parameters: {{x: string}}, output_schema: {{type: object, additionalProperties: {schema}}}",
        "an unused definition": f"parameters: {{x: string}}, output_schema: {{$defs: {{a: {schema}}}}}",
        "a dynamic one": f"input_schema: {{type: object, properties: {{x: {{$dynamicRef: '{address}#a'}}}}}}",
        "its base": f"input_schema: {{$id: '{address}', type: object, properties: {{x: {{$ref: 'other.json'}}}}}}",
        "its dialect": f"input_schema: {{$schema: '{address}', type: object}}",
    }


@pytest.mark.owes("B2")
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_remote_reference_in_any_schema_is_a_mistake_and_nobody_is_asked(scheme, tmp_path):
    path = tmp_path / "r.yaml"
    with FaultServer() as listener:
        for name, members in remote(scheme, listener, tmp_path).items():
            path.write_text(f"bridge: 1\nname: r\nbackends: {{e: {{type: echo}}}}\ntools:\n  t: {{description: T., backend: e, {members}}}\n")
            (found,) = mistakes(path)
            assert found.mark.line == 5, name
            assert "nothing is fetched" in found.message or "schemas here are of draft 2020-12" in found.message, found
        assert listener.accepted == 0


@pytest.mark.owes("B2")
def test_a_server_fetches_no_schema_when_it_starts_nor_when_it_reloads(tmp_path):
    path = tmp_path / "r.yaml"
    with FaultServer() as listener:
        members = [one for scheme in SCHEMES for one in remote(scheme, listener, tmp_path).values()]
        tools = "".join(f"  t{number}: {{description: T., backend: e, {one}}}\n" for number, one in enumerate(members))
        path.write_text(GOOD[: GOOD.index("  t:")] + tools)
        with pytest.raises(AssertionError, match="did not start"), serving(path):
            pass
        path.write_text(GOOD)
        with serving(path) as server:
            path.write_text(GOOD[: GOOD.index("  t:")] + tools)
            wait_for(lambda: len(ready(server)["error"] or ()) == len(members))
            assert server.request("POST", "/call", {"name": "t", "arguments": {"x": "1"}}).json["success"]
        assert listener.accepted == 0


@pytest.mark.owes("B3")
def test_a_long_text_against_an_evil_pattern_is_answered_in_time(tmp_path):
    patterns = ["^(a+)+$", "^(a|aa)+$", "^([a-zA-Z]+)*$", "(x+x+)+y", "^(.*a){20}$", r"^(\w+\s?)*$", "^(?=a)(a+)+$", r"^(a+)\1+$", "(a*)*(?!a)b"]
    tools = "".join(f"  t{number}: {{description: T., backend: e, parameters: {{x: {{type: string, pattern: '{pattern}'}}}}}}\n" for number, pattern in enumerate(patterns))
    with bridged(GOOD[: GOOD.index("tools:")] + "tools:\n" + tools, tmp_path) as served:
        for door in DOORS:
            for number in range(len(patterns)):
                began = time.process_time()
                got = served.post(door, f"t{number}", {"x": "a" * 100_000 + "!"})
                assert time.process_time() - began < 0.5
                assert got.status in (200, 400)


@pytest.mark.owes("B6")
def test_a_sentence_about_a_wrong_value_is_short_and_says_nothing_of_a_secret_one(tmp_path):
    parameters = """{
      plain: {type: string, maxLength: 5, optional: true}, word: {enum: [low, high], optional: true}, deep: {type: object, properties: {a: {items: {type: integer}}}, optional: true},
      pin: {type: string, pattern: '^[0-9]{4}$', maxLength: 4, secret: true, optional: true}, card: {type: object, properties: {number: {type: integer}}, secret: true, optional: true}}"""
    with bridged(GOOD.replace("{x: {type: string}}", parameters), tmp_path) as served:
        for door in DOORS:
            said = served.post(door, "t", {"plain": "S" * 10_000, "word": "Q" * 10_000, "deep": {"a": [1, "Z" * 10_000]}, "pin": "canary-pin", "card": {"number": "canary-card"}})
            text = said.body.decode()
            details = {detail["path"]: detail["message"] for detail in (said.json if "details" in said.json else said.json["error"])["details"]}
            assert set(details) >= {"/plain", "/word", "/deep/a/1", "/pin"}
            assert "at most 5" in details["/plain"]
            assert "low" in details["/word"]
            assert "high" in details["/word"]
            assert max(details[path].count(letter) for path, letter in (("/plain", "S"), ("/word", "Q"), ("/deep/a/1", "Z"))) <= 100
            assert "canary" not in text
            assert any("card" in path for path in details)
            assert "canary" not in "".join(served.lines)


@pytest.mark.owes("C12")
@pytest.mark.parametrize("expression", [
    "(" * 3_000 + "a" + ")" * 3_000, "[" * 3_000 + "a" + "]" * 3_000, "!" * 3_000 + "a", "a" + ".b" * 20_000, "a" + " || a" * 10_000, "`" + "[" * 3_000 + "]" * 3_000 + "`",
    "length(" * 3_000 + "a" + ")" * 3_000, "a" + "[0]" * 3_000, "a" + " | b" * 10_000, "{a: " * 3_000 + "b" + "}" * 3_000, "a[?" * 3_000 + "b" + "]" * 3_000, "&" * 3_000 + "a", "x" * 40_000,
    "'" + "a" * 40_000 + "'", "\"" + "a" * 40_000, "a[" + "9" * 5_000 + "]", "a[::0]", "`{", "@" * 40_000, "body." + "*." * 3_000 + "a", "\\", "a b", "\x00",
], ids=lambda text: text[:8].replace("\0", "NUL"))  # fmt: skip
def test_a_monstrous_expression_is_a_clean_mistake_wherever_it_stands(expression, tmp_path):
    path = tmp_path / "r.yaml"
    base = "bridge: 1\nname: r\nbackends: {h: {type: http, base_url: 'http://127.0.0.1:9'}}\ntools:\n  t:\n    description: T.\n    backend: h\n    call: {method: POST, path: /x, WHERE}\n    AFTER\n"
    quoted = '"' + expression.replace("\\", "\\\\").replace('"', '\\"').replace("\0", "\\0") + '"'
    wrapped = '"${{ ' + quoted[1:-1] + ' }}"'
    for where, after in ((f"when: {quoted}", ""), (f"json: {{a: {wrapped}}}", ""), (f"success: {quoted}", ""), ("", f"result: {{a: {wrapped}}}"), ("", f"errors: [{{when: {quoted}, code: NOT_FOUND}}]")):
        path.write_text(base.replace(", WHERE" if not where else "WHERE", where).replace("AFTER", after))
        began = time.process_time()
        found = mistakes(path)
        assert time.process_time() - began < 1.0
        assert found
        assert all(one.mark.line in (8, 9) and len(one.message) < 1_000 for one in found), found
