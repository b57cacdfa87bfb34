"""What becomes of a connection whose call found no place."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

from tests.support.server import Server, serving
from tests.support.small_bridge import TOKEN

SMALL = "tests.support.small_bridge:app()"
ANN = {"Authorization": f"Bearer {TOKEN}"}


def call(name: str, **arguments: object) -> bytes:
    body = json.dumps({"name": name, "arguments": arguments}).encode()
    head = f"POST /call HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


def occupied(server: Server) -> None:
    """Take the only place for three seconds."""
    sleeping = {"name": "sleep", "arguments": {"seconds": 3}}
    assert server.request("POST", "/call", sleeping, **ANN).status == 200


def test_a_caller_that_asks_again_at_once_is_heard_again_but_not_at_once() -> None:
    with serving(None, "--threads", "5", app=SMALL, workers=1) as server, ThreadPoolExecutor(1) as pool:
        place = pool.submit(occupied, server)
        time.sleep(1)
        with server.connect() as client:
            began = time.monotonic()
            for _ in range(4):
                assert client.send(call("echo")).read().status == 503
            assert time.monotonic() - began > 0.15
            assert not place.done()
            assert server.request("GET", "/health/live").status == 200
            place.result()
            assert client.send(call("echo", n=1)).read().status == 200
