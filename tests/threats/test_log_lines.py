"""Whatever a logged value holds, one event is one line of JSON, and no line moves a terminal's cursor."""

from __future__ import annotations

import json
import re
import time

import pytest

from tests.support.bridged import DOORS
from tests.support.fault_server import FaultServer, answer, eventually
from tests.support.server import serving

EVIL = [
    "a\r\nb", '\n{"event": "call", "status": "ok"}\n', "\x1b[2J\x1b[31mred", "a\x85b", "a\u2028b\u2029c", "\x7f", "\t\x0b\x0c", "\x9b31m", '"}\n{"', "\u202egnp.exe",
    "naïve 漢字 🙂", "x" * 5_000 + "\n",
]  # fmt: skip

REGISTRY = """bridge: 1
name: log
backends:
  crm: {type: http, base_url: 'URL', headers: {X-Late: '${MISSING}x'}}
  up: {type: http, base_url: 'URL'}
tools:
  read:
    description: Reads.
    backend: up
    parameters: {evil: {type: string, maxLength: 9000}, pattern: {type: string, pattern: '^no$', optional: true, in: none}}
    call: {method: POST, path: /echo, json: {said: '${{ params.evil }}'}}
    errors: [{status: 418, code: NOT_FOUND, message: 'Not found: ${{ body.said }}'}]
  vendor: {description: Is refused., backend: up, parameters: {evil: string}, call: {method: POST, path: /vendor, json: {said: '${{ params.evil }}'}}}
  away: {description: Is not configured., backend: crm, call: GET /x}
callers:
  one: {token: the-caller, tenant: "ten\\nant\\e[31m"}
"""
OURS = re.compile(r"\[\d{4}-[^]]+\] \[\d+\] \[(INFO|WARNING|ERROR)\] [ -~]*").fullmatch


@pytest.mark.owes("C10")
def test_no_field_of_any_line_can_start_a_line_of_its_own(tmp_path):
    path = tmp_path / "registry.yaml"
    calls = 0
    with FaultServer() as up:
        up.on("/echo", lambda connection: connection.send(answer(418, connection.request.body, ("Content-Type", "application/json"))))
        up.on("/vendor", lambda connection: connection.send(answer(400, connection.request.body, ("Content-Type", "application/json"), ("X-Said", "\x1b[31m"))))
        path.write_text(REGISTRY.replace("URL", up.url("").rstrip("/")))
        with serving(path, workers=1, env={"TOOLBRIDGE_THREADS": "8"}) as server:
            for evil in EVIL:
                for door, (name, arguments) in DOORS.items():
                    given = [("read", {"evil": evil}), ("read", {"evil": "x", "pattern": evil}), ("read", {evil: evil}), ("vendor", {"evil": evil}), ("away", {}), (evil, {})]
                    for tool, members in given:
                        server.request("POST", door, {name: tool, arguments: members}, Authorization="Bearer the-caller")
                        calls += 1
                raw = evil.encode()
                head = b"POST /call HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer the-caller\r\nContent-Type: application/json\r\n"
                for request in (
                    head + b"X-Request-Id: " + raw + b"\r\nContent-Length: 2\r\n\r\n{}", head + b"traceparent: " + raw + b"\r\nContent-Length: 2\r\n\r\n{}",
                    b"GET /" + raw + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET / HTTP/1.1\r\nHost: " + raw + b"\r\n\r\n", raw + b" / HTTP/1.1\r\n\r\n",
                    b"GET / HTTP/1.1\r\n" + raw + b": x\r\n\r\n", b"GET / HTTP/1.1\r\nUser-Agent: " + raw + b"\r\nHost: localhost\r\n\r\n", head + b"Content-Length: " + raw + b"\r\n\r\n",
                ):  # fmt: skip
                    with server.connect(timeout=5) as client:
                        client.send(request).end()
                        client.is_closed_by_server()
            for evil in EVIL[:5]:
                path.write_text(REGISTRY.replace("bridge: 1", json.dumps(evil) + ": 1") + "# " + json.dumps(evil) + "\n")
                time.sleep(0.6)
            assert eventually(lambda: sum('"registry_rejected"' in line for line in server.lines) > 2)
            assert eventually(lambda: sum('"event":"call"' in line for line in server.lines) >= calls)
        events = [json.loads(line) for line in server.lines if not OURS(line)]
        assert all(line.isascii() and line.isprintable() for line in server.lines)
        found = [event for event in events if event["event"] == "call" and event["protocol"] in ("manifest", "tools_call")]
        assert len(found) == calls
        assert {event["tenant"] for event in found} == {"ten\nant\x1b[31m"}
        assert {event["event"] for event in events} == {"call", "registry_rejected", "registry_warnings"}
        told = "".join(event.get("error", "") + event.get("detail", "") + event["tool"] for event in found)
        assert all(evil[:900] in told for evil in EVIL)
