"""The server's life: where it may listen, how it starts and stops, how many calls it takes."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import pytest

from tests.support.certificates import make_certificate
from tests.support.server import ROOT, environment, serving
from tests.support.small_bridge import TOKEN

ANN = {"Authorization": f"Bearer {TOKEN}"}
SMALL = "tests.support.small_bridge:app()"


def sleep(seconds: float) -> dict[str, object]:
    return {"name": "sleep", "arguments": {"seconds": seconds}}


def ended(*command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a server that should refuse to start, and return how it ended."""
    given = environment(None, env)
    return subprocess.run([sys.executable, *command], cwd=ROOT, env=given, capture_output=True, text=True, timeout=60)


def test_it_stops_when_told_and_leaves_no_process() -> None:
    with serving(app=SMALL) as server:
        workers = server.workers()
        assert len(workers) == 2
        assert server.stop() == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


def test_a_call_in_flight_is_finished_before_the_end() -> None:
    with serving(app=SMALL, workers=1) as server, ThreadPoolExecutor(1) as pool:
        call = pool.submit(server.request, "POST", "/call", sleep(1.5), **ANN)
        time.sleep(0.5)
        server.process.terminate()
        assert call.result().status == 200
        assert server.process.wait(15) == 0


def test_a_worker_that_dies_is_replaced() -> None:
    with serving(app=SMALL, workers=1) as server:
        (first,) = server.workers()
        os.kill(first, signal.SIGKILL)
        until = time.monotonic() + 20
        while server.workers() in (frozenset({first}), frozenset()) and time.monotonic() < until:
            time.sleep(0.02)
        assert server.request("POST", "/call", {"name": "echo"}, **ANN).status == 200
        assert server.workers() not in (frozenset({first}), frozenset())


@pytest.mark.parametrize("carrier", ["on", "off"])
def test_the_threads_that_the_server_really_has_decide_how_many_calls_run_at_once(carrier: str) -> None:
    env = {"TOOLBRIDGE_CARRIER": carrier, "TOOLBRIDGE_THREADS": "64"}
    with serving(None, "--threads", "7", app=SMALL, workers=1, env=env) as server, ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(server.request, "POST", "/call", sleep(3), **ANN) for _ in range(3)]
        time.sleep(1)
        for _ in range(5):
            refused = server.request("POST", "/call", sleep(0), **ANN)
            assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert server.request("GET", "/health/live").status == 200
        assert server.request("GET", "/health/ready").status == 200
        assert server.request("GET", "/tools", **ANN).status == 200
        assert not any(call.done() for call in calls)
        assert [call.result().status for call in calls] == [200, 200, 200]
        assert server.request("POST", "/call", sleep(0), **ANN).status == 200


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "localhost.example:0"])
def test_it_will_not_listen_for_strangers_while_nobody_has_to_authenticate(address: str) -> None:
    done = ended("-m", "gunicorn", "tests.support.small_bridge:open_app()", "--bind", address)
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if "[INFO]" not in line]
    assert len(said) == 1
    assert said[0].startswith(f"toolbridge: will not listen on {address.removesuffix(':0').strip('[]')}, because nobody")


def test_it_listens_on_loopback_while_nobody_has_to_authenticate() -> None:
    with serving(app="tests.support.small_bridge:open_app()", workers=1) as server:
        assert server.request("POST", "/call", {"name": "echo"}).status == 200
        assert server.request("POST", "/call", {"name": "echo"}, Host="evil.example").status == 421


def test_it_listens_anywhere_where_callers_authenticate() -> None:
    env = {"TOOLBRIDGE_PUBLIC_URL": "https://bridge.example"}
    with serving(app=SMALL, bind="0.0.0.0:0", workers=1, env=env) as server:
        assert server.request("POST", "/call", {"name": "echo"}, Host="bridge.example", **ANN).status == 200
        assert server.request("POST", "/call", {"name": "echo"}, Host="any.example", **ANN).status == 421


@pytest.mark.parametrize(("env", "said"), [
    ({}, "TOOLBRIDGE_REGISTRY names no registry"),
    ({"TOOLBRIDGE_REGISTRY": "/nowhere/registry.yaml"}, "/nowhere/registry.yaml"),
    ({"TOOLBRIDGE_THREADS": "many"}, "TOOLBRIDGE_THREADS='many'"),
    ({"PORT": "http"}, "PORT='http'"),
])  # fmt: skip
@pytest.mark.parametrize("app", ["wsgi:app", "bridge.web.wsgi:app"])
def test_without_a_registry_to_serve_it_says_so_and_ends(env: dict[str, str], said: str, app: str) -> None:
    done = ended("-m", "gunicorn", app, "--bind", "127.0.0.1:0", **env)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert said in done.stderr


def test_a_kept_connection_ends_with_the_worker_and_not_in_the_middle() -> None:
    with serving(None, "--max-requests", "5", app=SMALL, workers=2) as server:
        for _ in range(30):
            assert server.request("POST", "/call", {"name": "echo"}, **ANN).status == 200


def test_many_clients_on_kept_connections_each_get_their_own_answers() -> None:
    def talk(number: int) -> None:
        headers = ANN | {"Content-Type": "application/json"}
        with closing(HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection:
            for turn in range(100):
                mark = f"{number}/{turn}" + "x" * (turn * number % 3000)
                connection.request("POST", "/call", json.dumps({"name": "echo", "arguments": {"mark": mark}}), headers)
                answer = connection.getresponse()
                assert json.loads(answer.read())["data"] == {"mark": mark}
                assert answer.getheader("Connection") == "keep-alive"

    with serving(None, "--threads", "28", app=SMALL) as server, ThreadPoolExecutor(24) as pool:
        assert list(pool.map(talk, range(24))) == [None] * 24


def test_a_connection_that_rests_too_long_is_closed_and_one_that_speaks_in_time_is_not() -> None:
    call = b"POST /call HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sesame\r\nContent-Type: application/json\r\n"
    call += b'Content-Length: 16\r\n\r\n{"name": "echo"}'
    with serving(None, "--keep-alive", "2", app=SMALL, workers=1) as server, server.connect() as silent, server.connect() as busy:
        assert silent.send(call).read().status == 200
        for _ in range(5):
            assert busy.send(call).read().status == 200
            time.sleep(0.7)
        assert silent.is_closed_by_server()
        assert busy.send(call).read().status == 200


def test_tls_is_spoken_where_gunicorn_has_a_certificate(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, "IP:127.0.0.1")
    tls = ssl.create_default_context(cafile=certificate)
    options = ("--certfile", str(certificate), "--keyfile", str(certificate))
    with serving(None, *options, app=SMALL, workers=1, tls=tls) as server:
        assert server.request("POST", "/call", {"name": "echo", "arguments": {"x": "y" * 100_000}}, **ANN).status == 200
        assert server.request("POST", "/call", {"name": "echo"}).status == 401
        connection = HTTPSConnection(server.host, server.port, timeout=20, context=tls)
        with closing(connection):
            for _ in range(5):
                connection.request("GET", "/tools", headers=ANN)
                assert connection.getresponse().read()
        with server.connect() as plain:
            plain.send(b"GET /tools HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert plain.is_closed_by_server()
        assert not any("Traceback" in line for line in server.lines)
