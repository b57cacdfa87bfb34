"""A backend that hangs: it gets as many calls as it may have, and the others go on."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.support.fault_server import HANG, FaultServer, answer
from tests.support.server import serving

REGISTRY = """
bridge: 1
name: two
backends:
  slow: {{type: http, base_url: '{url}', concurrency: 3, timeout: 4s}}
  fine: {{type: http, base_url: '{url}'}}
tools:
  wait: {{description: Wait., backend: slow, call: GET /hang}}
  ask: {{description: Ask., backend: fine, call: GET /ok}}
"""


@pytest.fixture
def backend() -> Iterator[FaultServer]:
    with FaultServer() as server:
        server.on("/hang", HANG)
        server.on("/ok", answer(200, b"1", ("Content-Type", "application/json")))
        yield server


def test_a_backend_that_hangs_gets_no_more_calls_at_once_than_it_may_have_and_starves_nobody(backend, tmp_path):
    registry = tmp_path / "r.yaml"
    registry.write_text(REGISTRY.format(url=backend.url("").rstrip("/")))
    with serving(registry, workers=1, env={"TOOLBRIDGE_THREADS": "40"}) as server:
        codes: Counter[str] = Counter()
        results: list[int] = []

        def wait() -> None:
            reply = server.request("POST", "/api/execute", {"tool": "wait"})
            codes[reply.json["error"]["type"]] += 1

        waiting = [threading.Thread(target=wait) for _ in range(30)]
        for thread in waiting:
            thread.start()
        backend.wait_until(lambda: len(backend.requests) >= 3)
        for _ in range(10):
            results.append(server.request("POST", "/call", {"name": "ask"}).status)
        for thread in waiting:
            thread.join()
        assert results == [200] * 10
        assert codes == {"BACKEND_TIMEOUT": 3, "OVERLOADED": 27}
        assert sum(request.target == "/hang" for request in backend.requests) == 3
        backend.hang_up()
