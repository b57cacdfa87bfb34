"""A canary in every place for a secret, a run of everything that can go wrong, and a search for the canaries in all that came out.

The backends are as careless as can be: whatever they refuse, they repeat the whole request in their answer.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from bridge.core.model import Accepted, Call, Caller
from bridge.errors import BridgeError
from bridge.outbound import Outgoing, open_engine
from tests.support.bridged import DOORS, bridged
from tests.support.fault_server import CLOSE, HANG, RESET, Connection, FaultServer, answer, eventually, refused_port
from tests.support.server import ROOT, Server, environment, serving

JSON = ("Content-Type", "application/json")


def canary(slot: str) -> str:
    """Return a text that is like no other and looks different in every encoding."""
    return f'Zq"7\\+/&%={slot}-kX9'


SLOTS = {
    name: canary(name.lower())
    for name in (
        "T_BEARER", "T_USER", "T_PASSWORD", "T_HEADER_KEY", "T_QUERY_KEY", "T_HEADER", "T_ERROR", "T_CALLER", "T_OTHER", "T_FILE",
        "T_CALLER_FILE", "T_ROTATED", "T_CALLER_ROTATED", "T_LITERAL", "T_LITERAL_CALLER", "T_SHA", "T_PARAM", "T_FIXED",
    )
}  # fmt: skip
SLOTS["T_PATH"] = "Zq7path-kX9"
#: Numbers are secrets too.
PIN = 771_177_711

REGISTRY = """
bridge: 1
name: vault
backends:
  bearer:
    type: http
    base_url: ${URL}/${T_PATH}
    timeout: 300ms
    auth: {type: bearer, token: '${T_BEARER}'}
    headers: {X-Plain: '${T_HEADER}', X-More: 'before ${T_HEADER} after'}
    errors: [{when: "body.secret == '${T_ERROR}'", code: NOT_FOUND, message: Found}]
  basic: {type: http, base_url: '${URL}', timeout: 300ms, auth: {type: basic, username: '${T_USER}', password: '${T_PASSWORD}'}}
  key: {type: http, base_url: '${URL}', timeout: 300ms, auth: {type: api_key, header: X-Custom, key: '${T_HEADER_KEY}'}}
  query: {type: http, base_url: '${URL}', timeout: 300ms, auth: {type: api_key, query: q, key: '${T_QUERY_KEY}'}}
  file: {type: http, base_url: '${URL}', timeout: 300ms, auth: {type: bearer, token: '${file:backend.txt}'}, headers: {X-Late: 'a ${file:backend.txt}'}}
  literal: {type: http, base_url: '${URL}', timeout: 300ms, auth: {type: bearer, token: LITERAL}}
  away: {type: http, base_url: 'http://127.0.0.1:REFUSED/${T_PATH}', auth: {type: bearer, token: '${T_BEARER}'}}
  mirror: {type: echo}
tools:
TOOLS
  mirror:
    description: Says what it is given.
    backend: mirror
    parameters: {fixed: {value: FIXED, secret: true}, pin: {type: [string, integer, object], secret: true}}
    result: {done: true}
callers:
  one: {token: '${T_CALLER}'}
  two: {tokens: ['${T_OTHER}', '${file:caller.txt}', LITERAL_CALLER]}
  three: {token_sha256: SHA}
"""
BACKENDS = ("bearer", "basic", "key", "query", "file", "literal", "away")
TOOL = """
  {0}_read:
    description: Asks.
    backend: {0}
    parameters: {{case: string, pin: {{type: [string, integer], secret: true, maxLength: 60, pattern: '^[^x]', optional: true}}}}
    call: {{path: '/{{case}}', query: {{pin: '${{{{ params.pin }}}}'}}, headers: {{X-Case: '${{{{ params.case }}}}'}}}}
  {0}_write:
    description: Tells.
    backend: {0}
    parameters: {{case: string, pin: {{type: [string, integer], secret: true, optional: true}}, fixed: {{value: FIXED, secret: true}}}}
    call: {{method: POST, path: '/{{case}}', json: {{pin: '${{{{ params.pin }}}}', more: {{fixed: '${{{{ params.fixed }}}}'}}}}}}
"""


def repeat(status: int, kind: str = "application/json"):
    """Return a step that refuses with the whole request in its body and in a header, in many spellings."""

    def step(connection: Connection) -> None:
        text = connection.request.raw.decode("latin-1")
        said = {"raw": text, "quoted": quote(text), "base64": base64.b64encode(text.encode()).decode()}
        body = json.dumps(said).encode() if "json" in kind else f"<html>{said}".encode()
        line = re.sub(r"[^!-~ ]", " ", text)
        connection.send(answer(status, body, ("Content-Type", kind), ("X-Said", line)))

    return step


#: What the backends do, by the name of the case.
SCRIPTS = {
    "ok": (answer(200, b'{"ok": true}', JSON),),
    "refused": (repeat(401),), "missing": (repeat(404),), "broken": (repeat(500),), "busy": (repeat(429),), "page": (repeat(200, "text/html"),),
    "closed": (CLOSE,), "reset": (RESET,), "silent": (HANG,), "half": (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", CLOSE),
    "moved": (lambda connection: connection.send(answer(302, b"", ("Location", connection.request.target))),),
}  # fmt: skip


def registry_text() -> str:
    tools = "".join(TOOL.format(name) for name in BACKENDS)
    literals = {"TOOLS": tools, "REFUSED": str(refused_port()), "SHA": sha256(SLOTS["T_SHA"].encode()).hexdigest()}
    literals |= {"LITERAL_CALLER": json.dumps(SLOTS["T_LITERAL_CALLER"]), "LITERAL": json.dumps(SLOTS["T_LITERAL"]), "FIXED": json.dumps(SLOTS["T_FIXED"])}
    text = REGISTRY
    for name, value in literals.items():
        text = text.replace(name, value)
    return text


@contextmanager
def vault(folder: Path) -> Iterator[tuple[Path, dict[str, str], FaultServer]]:
    """Yield a registry's file, the environment that it needs, and its careless backend."""
    path = folder / "registry.yaml"
    path.write_text(registry_text(), "utf-8")
    (folder / "backend.txt").write_text(SLOTS["T_FILE"] + "\n")
    (folder / "caller.txt").write_text(SLOTS["T_CALLER_FILE"] + "\n")
    with FaultServer() as crm:
        for case, steps in SCRIPTS.items():
            for path_of_case in (f"/{case}", f"/{SLOTS['T_PATH']}/{case}"):
                crm.on(path_of_case, *steps)
        yield path, {"URL": crm.url("").rstrip("/")} | {name: SLOTS[name] for name in SLOTS if name in REGISTRY}, crm


def spellings(secret: str) -> set[str]:
    """Return the forms in which a secret could show up; of base64 the part that does not depend on what is around."""
    raw = secret.encode()
    found = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], json.dumps(json.dumps(secret))[3:-3], repr(secret)[1:-1]}
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            coded = encode(b"x" * offset + raw + b"xyz").decode()
            found.add(coded[4 if offset else 0 : (offset + len(raw)) // 3 * 4])
    return {form.lower() for form in found}


FORMS = {form: slot for slot, secret in (SLOTS | {"PIN": str(PIN)}).items() for form in spellings(secret)}


def hits(everything: dict[str, str]) -> list[tuple[str, str, str]]:
    """Return every place where a secret shows up: what came out, which secret, what stood before it."""
    found = []
    for name, text in everything.items():
        low = text.lower()
        found += [(name, slot, text[max(0, low.index(form) - 120) :][:200]) for form, slot in FORMS.items() if form in low]
    return found


def test_the_search_finds_a_secret_in_every_form():
    for slot, secret in SLOTS.items():
        for form in (secret, quote(secret), json.dumps({"a": secret}), base64.b64encode(f"u:{secret}".encode()).decode(), repr({"a": secret})):
            assert slot in {found for _, found, _ in hits({"x": f"before {form} after"})}


def play(server: Server, seen: dict[str, str], token: str, doors: Collection[str] = DOORS) -> None:
    """Make every call, of everything that ends well or badly, at these doors."""
    for door in doors:
        name, arguments = DOORS[door]
        for backend in BACKENDS:
            for case in SCRIPTS:
                for tool, pin in ((f"{backend}_read", SLOTS["T_PARAM"]), (f"{backend}_write", PIN)):
                    if (case == "silent" and (door, backend) != ("/call", "bearer")) or (backend == "away" and case != "ok"):
                        continue
                    keep(seen, server, "POST", door, {name: tool, arguments: {"case": case, "pin": pin}}, token)
        mistakes = [{"pin": "x" + SLOTS["T_PARAM"]}, {"pin": SLOTS["T_PARAM"] * 9}, {"pin": {SLOTS["T_PARAM"]: [PIN]}}, {"pin": [PIN]}]
        for given in mistakes:
            keep(seen, server, "POST", door, {name: "bearer_read", arguments: {"case": "ok", **given}}, token)
            keep(seen, server, "POST", door, {name: "mirror", arguments: given}, token)
        keep(seen, server, "POST", door, {name: "mirror", arguments: {"pin": {"deep": [SLOTS["T_PARAM"], PIN]}}}, token)
        keep(seen, server, "POST", door, b"{", token)
        keep(seen, server, "POST", door, {name: "nobody", arguments: {}}, token)
    for path in ("/api/manifest", "/tools", "/mcp/tools", "/health/ready", "/health/live", "/nowhere", f"/sets/{quote(token, safe='')}/tools"):
        keep(seen, server, "GET", path, None, token)
        keep(seen, server, "GET", path, None, token + "x")


def keep(seen: dict[str, str], server: Server, method: str, path: str, body: object, token: str) -> None:
    got = server.request(method, path, body, Authorization=f"Bearer {token}")
    seen[f"{len(seen)} {method} {path} {json.dumps(body, default=repr)[:80]}"] = repr(got.headers) + got.body.decode()


def command_lines(server: Server) -> str:
    pids = [server.process.pid, *server.workers()]
    return "".join(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode() for pid in pids)


def commands(path: Path, env: dict[str, str]) -> dict[str, str]:
    """Return what the commands say about the registry."""
    given = json.dumps({"case": "refused", "pin": SLOTS["T_PARAM"]})
    calls = [[f"{backend}_read", given] for backend in ("bearer", "basic", "query", "file", "literal")]
    said = {}
    for words in (
        ["check", path], ["check", path, "--format", "json"], ["check", path, "--no-env"],
        ["tools", path, "--as", "one"], *(["call", path, *call] for call in calls),
    ):  # fmt: skip
        ran = subprocess.run([sys.executable, "-m", "bridge", *map(str, words)], cwd=ROOT, env=environment(None, env), capture_output=True, text=True, check=False)
        said[" ".join(map(str, words[:3]))] = ran.stdout + ran.stderr
    return said


@pytest.mark.owes("F1")
def test_no_secret_shows_up_anywhere_whatever_happens(tmp_path):
    seen: dict[str, str] = {}
    with vault(tmp_path) as (path, env, crm), serving(path, workers=1, env=env) as server:
        play(server, seen, SLOTS["T_CALLER"])
        (tmp_path / "backend.txt").write_text(SLOTS["T_ROTATED"] + "\n")
        (tmp_path / "caller.txt").write_text(SLOTS["T_CALLER_ROTATED"] + "\n")
        good = path.read_text()
        path.write_text(good.replace("type: echo", "type: ech").replace("${T_USER}", "${T_USR}").replace("case: string", "case: strin"))
        rotated = {"Authorization": f"Bearer {SLOTS['T_CALLER_ROTATED']}"}
        assert eventually(lambda: server.request("GET", "/tools", **rotated).status == 200)
        assert eventually(lambda: server.request("GET", "/health/ready", **rotated).json["registry"]["error"] is not None, 20)
        seen["health with mistakes"] = server.request("GET", "/health/ready", **rotated).body.decode()
        assert "ech" in seen["health with mistakes"]
        play(server, seen, SLOTS["T_CALLER_ROTATED"], ["/call"])
        seen["command lines"] = command_lines(server)
        seen["state"] = "".join(repr(file) for file in (tmp_path / ".toolbridge").rglob("*"))
        sent = b"".join(request.raw for request in crm.requests).decode("latin-1")
        for slot in ("T_BEARER", "T_HEADER", "T_HEADER_KEY", "T_FILE", "T_ROTATED", "T_LITERAL"):
            assert SLOTS[slot] in sent, slot
        path.write_text(good)
        seen |= commands(path, env)
    seen |= {f"log {number}": line for number, line in enumerate(server.lines)}
    answers = "".join(seen.values())
    assert '"success"' in answers
    assert "BACKEND_REJECTED" in answers
    assert "OUTCOME_UNKNOWN" in answers
    assert sum("status 401" in line for line in server.lines) > 10
    found = hits(seen)
    assert sorted({(name.partition(' ')[0], slot) for name, slot, _ in found}) == [], found[:10]


@pytest.mark.owes("F1")
def test_an_explanation_of_a_call_shows_no_secret(tmp_path):
    with vault(tmp_path) as (path, env, crm), bridged(path.read_text(), tmp_path, env) as served:
        explained = {}
        for name, tool in served.bridge.current.registry.tools.items():
            given = {"pin": SLOTS["T_PARAM"]} | ({} if name == "mirror" else {"case": "ok"})
            call = Call("id", name, given, Caller("one"), "test", 0.0, 0.0)
            explained[name] = json.dumps(tool.explain(Accepted(call, tool.accept(given), time.monotonic() + 5)))
        assert "/ok" in explained["bearer_read"]
        assert hits(explained) == []
        assert crm.accepted == 0


@pytest.mark.owes("F2")
@pytest.mark.parametrize("engine", ["pycurl", "requests"])
def test_forty_failures_of_the_libraries_are_told_without_secrets(engine, caplog, capfd):
    """Libraries quote the address, a header or the body in what they raise; nothing of that may be told."""
    caplog.set_level(logging.DEBUG)
    secret = SLOTS["T_PATH"]
    told = {}
    with FaultServer() as server:
        for case, steps in SCRIPTS.items():
            server.on(f"/{secret}/{case}", *steps)
        bases = [server.url("/"), f"http://127.0.0.1:{refused_port()}/", f"https://127.0.0.1:{server.port}/", f"http://{'a' * 64}.invalid/"]
        bases += [f"http://user:{secret}@127.0.0.1:{refused_port()}/", f"https://{secret}@127.0.0.1:{server.port}/", f"http://{secret}:{secret}@{'a' * 64}.invalid/"]
        urls = [f"{bases[0]}{secret}/{case}?q={secret}" for case in ("closed", "reset", "silent", "half")] * 2 + [f"{base}{secret}?q={secret}" for base in bases[1:]] * 2
        line = open_engine(engine, concurrency=2, max_answer=1000)
        for number, url in enumerate(urls * 2):
            headers = (("Authorization", f"Bearer {secret}"), ("X-Key", secret))
            try:
                line.send(Outgoing("POST" if number % 2 else "GET", url, headers, secret.encode(), not number % 2, time.monotonic() + 0.1))
            except BridgeError as error:
                told[f"{number} {url}"] = f"{error.message} {error.log} {error!r} {error.args} {error.__cause__!r} {error.details}"
        line.close()
    assert len(told) >= 40
    out, err = capfd.readouterr()
    assert hits(told | {"logging": caplog.text, "out": out, "err": err}) == []


@pytest.mark.owes("F1")
def test_the_environment_of_a_server_is_not_handed_on(tmp_path):
    """A worker starts no process of its own, so nobody inherits its variables."""
    with vault(tmp_path) as (path, env, _), serving(path, workers=1, env=env) as server:
        for pid in server.workers():
            assert Path(f"/proc/{pid}/task/{pid}/children").read_text().split() == []
        assert os.environ.keys().isdisjoint(SLOTS)
