"""A registry that changes while it is served: whole or not at all, in every worker, also in one that boots later."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bridge.assembly import check
from bridge.settings import Settings
from tests.support.server import Server, serving

GOOD = """bridge: 1
name: r
backends:
  e: {type: echo}
  h: {type: http, base_url: 'http://127.0.0.1:9', timeout: 3s}
tools:
  say:
    description: Say it back.
    backend: e
    parameters:
      word: {type: string, maxLength: 20}
      loud: {type: boolean, default: false}
    result: {word: "${{ params.word }}", loud: "${{ params.loud }}"}
  fetch:
    description: Fetch it.
    backend: h
    parameters: {id: string}
    call: GET /things/{id}
# edit 0
"""

#: Every worker follows within 2 s; a test on a busy machine allows ten times that.
FOLLOWS = 20.0


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / "r.yaml"
    path.write_text(GOOD)
    return path


def say(server: Server) -> str:
    """Call the tool once and return the version that answered."""
    reply = server.request("POST", "/call", {"name": "say", "arguments": {"word": "hi"}})
    assert (reply.status, reply.json) == (200, {"success": True, "data": {"word": "hi", "loud": False}})
    return reply.headers["x-registry-version"]


def wait_for(what: Callable[[], bool], seconds: float = FOLLOWS) -> float:
    """Wait until `what` holds; return how long it took."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if what():
            return time.monotonic() - began
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s")


def everywhere(server: Server, old: str) -> Callable[[], bool]:
    """Say whether none of many answers comes from the old version any more."""
    return lambda: old not in {say(server) for _ in range(12)}


def mutations(path: Path, count: int) -> Iterator[str]:
    """Yield broken registries, each a random mutation of the good one."""
    generator = random.Random(7)
    scratch = path.with_name("scratch") / path.name
    scratch.parent.mkdir()
    while count:
        text = _mutated(GOOD, generator)
        scratch.write_text(text, "utf-8")
        if any(found.severity == "error" for found in check(scratch, Settings({}))):
            count -= 1
            yield text


def _mutated(text: str, generator: random.Random) -> str:
    at = generator.randrange(len(text))
    junk = generator.choice(["\t", "{", "[", "&a *a", "!!python/none", "\x00", ": :", "nobody", "${X}", "\u2028- "])
    lines = text.splitlines(keepends=True)
    chosen = generator.randrange(len(lines) - 1)
    return generator.choice(
        [
            text[:at],
            text[:at] + junk + text[at:],
            text[:at] + text[at + generator.randrange(1, 30) :],
            "".join(lines[:chosen] + lines[chosen + 1 :]),
            "".join([*lines[:chosen], "  " + lines[chosen], *lines[chosen + 1 :]]),
        ]
    )


@contextmanager
def load(server: Server) -> Iterator[list[str]]:
    """Call the tool from three threads meanwhile; the failures, if any, are in the list."""
    failed: list[str] = []
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            try:
                say(server)
            except (AssertionError, OSError, ValueError) as error:
                failed.append(repr(error))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield failed
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def replace_workers(server: Server) -> None:
    """End every worker in order, and wait until others have taken their places."""
    before = server.workers()
    for pid in before:
        os.kill(pid, signal.SIGTERM)
    wait_for(lambda: len(server.workers()) == server.expected and not server.workers() & before)


@pytest.mark.owes("G2")
def test_broken_edits_under_load_fail_no_call_also_in_workers_that_boot_later(registry):
    with serving(registry) as server:
        old = say(server)
        with load(server) as failed:
            for number, text in enumerate(mutations(registry, 100)):
                half = len(text) // 2 if number % 7 == 0 else len(text)
                with registry.open("w", encoding="utf-8") as file:
                    file.write(text[:half])
                    file.flush()
                    time.sleep(0.3 if half < len(text) else 0)
                    file.write(text[half:])
                time.sleep(0.05)
                if number in (40, 80):
                    time.sleep(1)
                    replace_workers(server)
            wait_for(lambda: ready(server)["registry"]["error"] is not None)
            assert say(server) == old
            registry.write_text(GOOD.replace("edit 0", "edit 1"))
            wait_for(everywhere(server, old))
        assert failed == []
        assert ready(server)["registry"]["error"] is None


def ready(server: Server) -> dict:
    return server.request("GET", "/health/ready").json


@pytest.mark.owes("G3")
def test_a_good_edit_is_served_by_every_worker(registry):
    with serving(registry) as server:
        old = say(server)
        for number in range(3):
            registry.write_text(GOOD.replace("edit 0", f"edit {number + 1}"))
            wait_for(everywhere(server, old))
            old = say(server)


@pytest.mark.owes("G3")
def test_an_edit_by_renaming_a_new_file_into_place_is_followed(registry):
    with serving(registry) as server:
        old = say(server)
        new = registry.with_suffix(".new")
        new.write_text(GOOD.replace("edit 0", "edit 1"))
        new.rename(registry)
        wait_for(everywhere(server, old))


@pytest.mark.owes("G3")
def test_a_file_that_is_being_written_is_not_read_before_it_is_whole(registry):
    """The first half is a good registry by itself, without the tool that is called."""
    with serving(registry) as server:
        first = GOOD[: GOOD.index("  say:")] + GOOD[GOOD.index("  fetch:") :]
        with load(server) as failed, registry.open("w", encoding="utf-8") as file:
            file.write(first)
            file.flush()
            time.sleep(2.5)
            file.write(GOOD[GOOD.index("  say:") : GOOD.index("  fetch:")])
        assert failed == []


def test_a_registry_that_disappears_and_comes_back_is_still_served(registry):
    with serving(registry) as server:
        old = say(server)
        registry.unlink()
        wait_for(lambda: ready(server)["registry"]["error"] is not None)
        replace_workers(server)
        assert say(server) == old
        registry.write_text(GOOD.replace("edit 0", "edit 1"))
        wait_for(everywhere(server, old))


def test_the_server_starts_with_the_last_good_registry_when_the_file_is_broken(registry):
    with serving(registry) as server:
        old = say(server)
    registry.write_text(GOOD.replace("backend: e", "backend: f"))
    with serving(registry) as server:
        assert say(server) == old
        assert "no backend is called 'f'" in json.dumps(ready(server)["registry"]["error"])


def test_the_very_first_start_refuses_a_broken_registry(registry):
    registry.write_text(GOOD.replace("backend: e", "backend: f"))
    with pytest.raises(AssertionError) as failed, serving(registry):
        pass
    assert "no backend is called 'f'" in str(failed.value)
    assert "Traceback" not in str(failed.value)


def test_an_included_file_is_followed_too(registry):
    registry.write_text(GOOD + "include: [more/*.yaml]\n")
    (registry.parent / "more").mkdir()
    with serving(registry) as server:
        old = say(server)
        added = registry.parent / "more" / "one.yaml"
        added.write_text("tools:\n  other: {description: Other., backend: e}\n")
        wait_for(everywhere(server, old))
        names = [tool["name"] for tool in server.request("GET", "/tools").json["tools"]]
        assert names == ["say", "fetch", "other"]


def test_state_is_for_its_owner_only(registry):
    with serving(registry):
        state = registry.parent / ".toolbridge"
        assert state.stat().st_mode & 0o777 == 0o700
        assert all(path.stat().st_mode & 0o077 == 0 for path in state.rglob("*"))


def test_a_pipe_in_the_registrys_place_stops_nobody_from_following(registry):
    with serving(registry, workers=1) as server:
        old = say(server)
        registry.unlink()
        os.mkfifo(registry)
        wait_for(lambda: ready(server)["registry"]["error"] is not None)
        registry.unlink()
        registry.write_text(GOOD.replace("edit 0", "edit 1"))
        wait_for(everywhere(server, old))
