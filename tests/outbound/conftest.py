"""Both engines, a server that misbehaves, and short ways to ask it something."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.outbound import Engine, Incoming, Outgoing, open_engine
from tests.support.certificates import make_certificate, server_context
from tests.support.fault_server import FaultServer

MAX_ANSWER = 100_000


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


@pytest.fixture(params=["pycurl", "requests"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    engine = open_engine(request.param, concurrency=4, max_answer=MAX_ANSWER)
    yield engine
    engine.close()


@pytest.fixture
def curl() -> Iterator[Engine]:
    engine = open_engine("pycurl", concurrency=4, max_answer=MAX_ANSWER)
    yield engine
    engine.close()


Ask = Callable[..., Incoming]


@pytest.fixture
def get(engine: Engine) -> Ask:
    """`get(url, *headers, within=5.0)`: a read."""

    def get(url: str, *headers: tuple[str, str], within: float = 5.0) -> Incoming:
        return engine.send(Outgoing("GET", url, headers, None, True, time.monotonic() + within))

    return get


@pytest.fixture
def post(engine: Engine) -> Ask:
    """`post(url, *headers, body=b"{}", within=5.0)`: a write."""

    def post(url: str, *headers: tuple[str, str], body: bytes | None = b"{}", within: float = 5.0) -> Incoming:
        return engine.send(Outgoing("POST", url, headers, body, False, time.monotonic() + within))

    return post


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that vouches for itself, with its key."""
    return make_certificate(tmp_path_factory.mktemp("tls"), "IP:127.0.0.1")


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[FaultServer]:
    with FaultServer(server_context(certificate)) as server:
        yield server
