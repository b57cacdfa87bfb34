"""What every test relies on: the project on the path, third-party data, and nothing left behind.

A test that leaves a thread, an open file or socket, or an environment variable fails.
What a library keeps for the life of the process stands in `KEPT` with its reason.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis

# How long generating a case takes says how busy the machine is, nothing about the code.
hypothesis.register_profile("no stopwatch", suppress_health_check=[HealthCheck.too_slow], deadline=None)
hypothesis.load_profile("no stopwatch")

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

#: Open files that may appear during a test: what they point at begins so, and why.
KEPT = {
    "/dev/urandom": "the interpreter keeps it open once somebody asked for randomness",
    "/dev/null": "libraries keep it open as a sink",
}

#: Seconds that a test's threads and sockets get to end after it.
PATIENCE = 2.0


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Return the folder of third-party data, or skip aloud."""
    folder = Path(os.environ.get("TOOLBRIDGE_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no third-party test data: {folder} is missing (set TOOLBRIDGE_TEST_DATA)")
    return folder


def _files() -> dict[int, str]:
    """Return what each open descriptor points at; nothing where the system does not tell."""
    found = {}
    for name in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else ():
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        if not target.startswith(tuple(KEPT)):
            found[int(name)] = target
    return found


def _left(look: Callable[[], object]) -> object:
    """Return what `look` still finds when it has had its time to go."""
    until = time.monotonic() + PATIENCE
    while (left := look()) and time.monotonic() < until:
        gc.collect()
        time.sleep(0.01)
    return left


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fail a test that leaves a thread, an open file or socket, or a variable."""
    threads, files, variables = set(threading.enumerate()), _files(), dict(os.environ)
    yield
    assert not _left(lambda: set(threading.enumerate()) - threads), "the test left threads"
    assert not _left(lambda: set(_files().items()) - set(files.items())), "the test left open files or sockets"
    now = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    before = {name: value for name, value in variables.items() if name != "PYTEST_CURRENT_TEST"}
    assert now == before, "the test left variables in the environment"
