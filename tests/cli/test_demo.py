"""`toolbridge demo` starts everything, shows calls that work, and leaves nothing behind."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from bridge.cli import main
from tests.support.demo import running_demo


def _gone(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _answer(call: str) -> dict:
    said = subprocess.check_output(["bash", "-c", f"{call} -i"]).decode()
    head, _, body = said.partition("\r\n\r\n")
    assert body, head
    return json.loads(body)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_three_calls_that_work_and_cleans_up(end: signal.Signals) -> None:
    with running_demo() as demo:
        calls = re.findall(r"^  (curl (?:.*\\\n)*.*)", demo.said, re.MULTILINE)
        assert len(calls) == 3
        answers = [_answer(call) for call in calls]
        port = int(demo.url.rpartition(":")[2])
        children = _children(demo.process.pid) if Path("/proc/self/task").exists() else []
        code, said = demo.stop(end)
    assert answers[0]["tools"][0]["name"] == "get_customer_profile"
    assert answers[1]["result"]["name"] == "Inês Carvalho"
    assert answers[2]["success"] is True
    assert code == 0
    assert [line for line in said.splitlines() if line and not line.startswith("{")] == []
    assert _gone(port)
    assert not [child for child in children if Path(f"/proc/{child}").exists()]


def test_two_demos_do_not_meet() -> None:
    with running_demo() as one, running_demo() as two:
        assert one.url != two.url


def test_a_port_that_is_taken_is_said_before_anything_starts(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["demo", "--port", str(port)]) == 2
    assert f"Port {port} is taken; choose another with --port, or --port 0." in capsys.readouterr().err
