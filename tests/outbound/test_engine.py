from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from bridge.outbound import ENGINES, open_engine
from bridge.settings import SettingError

#: Every import of pycurl fails in the process that runs this.
WITHOUT_PYCURL = """
import logging, sys, time
sys.modules["pycurl"] = None
from bridge.outbound import Outgoing, open_engine
from bridge.settings import SettingError
from tests.support.fault_server import FaultServer, answer
logging.basicConfig(format="%(levelname)s %(message)s", stream=sys.stdout)
for _ in range(3):
    engine = open_engine("auto", concurrency=1, max_answer=10)
print(engine.name)
with FaultServer() as server:
    server.on("/x", answer(200, b"ok"))
    print(engine.send(Outgoing("GET", server.url("/x"), (), None, True, time.monotonic() + 5)).body)
    engine.close()
try:
    open_engine("pycurl", concurrency=1, max_answer=10)
except SettingError as error:
    print(error)
"""


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_is_known_by_its_name(name):
    assert open_engine(name, concurrency=1, max_answer=10).name == name


def test_auto_is_pycurl_and_says_nothing(caplog):
    with caplog.at_level(logging.WARNING):
        assert open_engine("auto", concurrency=1, max_answer=10).name == "pycurl"
    assert not caplog.records


def test_without_pycurl_auto_is_requests_and_says_so_once():
    command = [sys.executable, "-W", "error", "-c", WITHOUT_PYCURL]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    warning, name, body, refusal = done.stdout.splitlines()
    assert warning.startswith("WARNING pycurl cannot be loaded")
    assert (name, body) == ("requests", "b'ok'")
    assert refusal.startswith("the engine pycurl cannot be loaded here")


def test_an_unknown_engine_is_refused_by_name():
    with pytest.raises(SettingError, match="no engine 'curl'; write auto, pycurl or requests"):
        open_engine("curl", concurrency=1, max_answer=10)
