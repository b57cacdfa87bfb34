"""`toolbridge tools` and `toolbridge call`, on a registry file and on a running bridge."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.cli import main
from tests.support.demo import Demo, running_demo
from tests.support.terminal import on_a_terminal

REGISTRY = """\
bridge: 1
name: mirror
backends:
  mirror: {type: echo}
callers:
  reader: {token: reader-token}
  writer: {token: writer-token, scopes: [write]}
tools:
  repeat:
    description: Say it again.
    backend: mirror
    parameters:
      text: {type: string, description: What to say}
      times: {type: integer, default: 1}
      tone: {enum: [low, 7], optional: true}
  write:
    description: Only for those who may write.
    backend: mirror
    scopes: [write]
  inside:
    description: For nobody.
    backend: mirror
    internal: true
"""


def _on_a_terminal(*words: str) -> str:
    return on_a_terminal([sys.executable, "-m", "bridge", *words])


@pytest.fixture
def registry(tmp_path: Path) -> str:
    file = tmp_path / "registry.yaml"
    file.write_text(REGISTRY, "utf-8")
    return str(file)


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with running_demo() as running:
        yield running


def _names(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [tool["name"] for tool in json.loads(capsys.readouterr().out)["tools"]]


def test_in_a_pipe_the_tools_are_json_for_whoever_holds_the_file(registry, capsys) -> None:
    assert main(["tools", registry]) == 0
    assert _names(capsys) == ["repeat", "write"]


def test_a_caller_sees_what_it_may_use(registry, capsys) -> None:
    assert main(["tools", registry, "--as", "reader"]) == 0
    assert _names(capsys) == ["repeat"]
    assert main(["tools", registry, "--token", "writer-token"]) == 0
    assert _names(capsys) == ["repeat", "write"]


def test_on_a_terminal_the_tools_are_a_table(registry) -> None:
    said = _on_a_terminal("tools", registry)
    assert "    text   string   required   What to say\n" in said
    assert "    times  integer  default 1\n" in said
    assert "    tone   low | 7  optional\n" in said
    assert said.endswith("2 tools\n")
    assert max(map(len, said.splitlines())) <= 80


def test_a_call_prints_its_result_and_nothing_else(registry, capsys) -> None:
    assert main(["call", registry, "repeat", '{"text": "ę"}']) == 0
    assert capsys.readouterr() == ('{"text": "ę", "times": 1}\n', "")
    assert main(["call", registry, "repeat", "text=7", "times:=2"]) == 0
    assert json.loads(capsys.readouterr().out) == {"text": "7", "times": 2}
    assert _on_a_terminal("call", registry, "repeat", "text=x") == '{\n  "text": "x",\n  "times": 1\n}\n'


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["repeat"], "Error: INVALID_PARAMETERS: Missing required parameter 'text'\n"),
        (["repaet", "text=x"], "Error: TOOL_NOT_FOUND: Unknown tool 'repaet' (did you mean 'repeat'?)\n"),
        (["inside"], "Error: TOOL_NOT_FOUND: Unknown tool 'inside'"),
        (["write", "--as", "reader"], "Error: FORBIDDEN: This call needs the scope write\n"),
        (["repeat", "text=x", "--token", "wrong"], "Error: UNAUTHORIZED: "),
    ],
)
def test_an_error_of_the_tool_is_exit_code_1_on_standard_error(registry, capsys, words, said: str) -> None:
    assert main(["call", registry, *words]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(said)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["repeat", "text"], "'text' is neither a JSON object"),
        (["repeat", "--as", "raeder"], "The registry has no caller 'raeder' (did you mean 'reader'?)."),
    ],
)
def test_a_call_that_cannot_be_made_is_exit_code_2(registry, capsys, words, said: str) -> None:
    assert main(["call", registry, *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err


def test_a_registry_with_mistakes_says_them_and_runs_nothing(registry, capsys) -> None:
    Path(registry).write_text(REGISTRY.replace("backend: mirror", "backend: miror", 1), "utf-8")
    for words in (["tools", registry], ["call", registry, "write"]):
        assert main(words) == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        assert f"{registry}:11:14: tools.repeat.backend: no backend is called 'miror'" in captured.err
        assert captured.err.endswith("Error: The registry has 1 mistake.\n")


def test_whoever_holds_the_file_is_told_what_a_caller_is_not(registry, capsys, monkeypatch) -> None:
    monkeypatch.delenv("MIRROR_URL", raising=False)
    kind = "{type: http, base_url: '${MIRROR_URL}'}"
    call = "backend: mirror\n    call: POST /\n"
    Path(registry).write_text(REGISTRY.replace("{type: echo}", kind).replace("backend: mirror\n", call), "utf-8")
    assert main(["call", registry, "repeat", "text=x"]) == 1
    remark, error = capsys.readouterr().err.splitlines()
    assert remark.startswith("Log: the backend is not configured: the environment variable MIRROR_URL ")
    assert error == "Error: BACKEND_UNAVAILABLE: Service temporarily unavailable"


def test_nothing_is_left_beside_the_registry(registry) -> None:
    assert main(["call", registry, "repeat", "text=x"]) == 0
    assert [file.name for file in Path(registry).parent.iterdir()] == ["registry.yaml"]


def test_a_running_bridge_is_asked_the_same_way(demo: Demo, capsys) -> None:
    assert main(["tools", f"{demo.url}/"]) == 0
    assert len(_names(capsys)) == 4
    assert main(["call", demo.url, "get_customer_profile", "customer_id=C-1002"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "Tomasz Zieliński"
    assert main(["call", demo.url, "get_customer_profile", "customer_id=C-9"]) == 1
    assert capsys.readouterr().err == "Error: NOT_FOUND: The CRM has no such customer\n"


def test_a_running_bridge_refuses_a_wrong_token(demo: Demo, capsys) -> None:
    assert main(["tools", demo.url, "--token", "x\ny"]) == 1
    assert "Error: " in capsys.readouterr().err


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://", "http://nowhere.invalid", "http://[", "https://127.0.0.1:1/x"])
def test_an_address_where_nobody_answers_is_said_in_a_sentence(url: str, capsys) -> None:
    assert main(["tools", url]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Error: ")
    assert captured.err.count("\n") == 1


def test_an_address_that_is_no_bridge_is_said_in_a_sentence(demo: Demo, capsys) -> None:
    assert main(["tools", f"{demo.url}/nothing/here"]) == 1
    assert capsys.readouterr().err.startswith("Error: ")


def test_as_is_for_files_and_says_so(demo: Demo, capsys) -> None:
    assert main(["tools", demo.url, "--as", "reader"]) == 2
    assert "give --token, not --as." in capsys.readouterr().err
