"""Every command in the README is run, against what `make run` starts, and answers what stands there."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.cli import main
from bridge.demo.crm import Crm
from bridge.demo.server import ThreadedServer
from tests.support.demo import Demo, running_demo
from tests.support.terminal import on_a_terminal

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
SERVED = "http://127.0.0.1:5000"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def _dialogue(text: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a console block with what it is said to answer."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, answer = re.fullmatch(r"((?:[^\n]*\\\n)*[^\n]*)\n(.*)", part, re.DOTALL).groups()
        yield command, answer


COMMANDS = [pair for kind, text in FENCE.findall(README) if kind == "console" for pair in _dialogue(text)]


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with running_demo() as running:
        yield running


def _run(command: str, url: str) -> str:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    said = on_a_terminal(["bash", "-c", command.replace(SERVED, url)], {"PATH": path}, ROOT)
    return said.replace(url, SERVED)


def _matches(said: str, written: str) -> bool:
    """Compare, where `...` in what is written stands for anything."""
    pattern = ".*".join(re.escape(part) for part in written.strip().split("..."))
    return re.fullmatch(pattern, said.strip(), re.DOTALL) is not None


def test_the_first_screen_is_ten_lines_of_registry_the_command_the_curl_and_the_reply() -> None:
    (_, registry), (_, start), (_, ask) = FENCE.findall(README)[:3]
    assert registry.count("\n") == 10
    assert start.startswith("$ make run\n")
    [(command, answer)] = _dialogue(ask)
    assert command.startswith("curl ")
    assert json.loads(answer)["status"] == "success"
    assert README[: README.index(answer)].count("\n") < 40


@pytest.fixture
def crm() -> Iterator[dict[str, str]]:
    """The demo CRM alone, as the variables that lead to it."""
    with ThreadedServer(Crm("sesame"), socket.create_server(("127.0.0.1", 0))) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        yield {"CRM_BASE_URL": f"http://127.0.0.1:{server.server_port}/v1", "CRM_API_KEY": "sesame"}
        server.shutdown()
        serving.join()


def test_the_first_screens_registry_gives_that_reply_by_itself(crm, tmp_path, monkeypatch, capsys) -> None:
    (_, registry), _, (_, ask) = FENCE.findall(README)[:3]
    [(command, answer)] = _dialogue(ask)
    asked = json.loads(re.search(r"-d '(.*)'", command)[1])
    file = tmp_path / "crm.yaml"
    file.write_text(registry, "utf-8")
    for name, value in crm.items():
        monkeypatch.setenv(name, value)
    assert main(["call", str(file), asked["tool"], json.dumps(asked["parameters"])]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(answer)["result"]


@pytest.mark.parametrize(("command", "answer"), COMMANDS, ids=[command[:60] for command, _ in COMMANDS])
def test_a_command_answers_what_stands_below_it(demo: Demo, command: str, answer: str) -> None:
    said = demo.said.replace(demo.url, SERVED) if command == "make run" else _run(command, demo.url)
    assert _matches(said, answer), said


def test_the_wildcard_forgives_nothing_but_what_it_stands_for() -> None:
    assert _matches('{"a":1,"b":2}\n', '{"a":1,...}')
    assert not _matches('{"a":2,"b":2}', '{"a":1,...}')
    assert not _matches("{}", "{}...x")
