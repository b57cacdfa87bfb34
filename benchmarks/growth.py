"""What more tools cost: start, memory, a call, a list, a list that has not changed, at 10, 1,000 and 10,000 tools."""

from __future__ import annotations

import dataclasses
import http.client
import time

from benchmarks import backends, contenders
from benchmarks.load import Questions
from benchmarks.measure import Row, Scene, Subject, in_rounds, once, subjects
from benchmarks.processes import Server, Stage
from benchmarks.traffic import CALL, DIRECT, NATIVE, Door, ask, tool_name

SIZES = (10, 1_000, 10_000)


def run(stage: Stage) -> Scene:
    """All sizes run at once and are called in turn; rows are named `SERVER DOOR, N tools`."""
    backend = backends.fast(stage)
    everyone: list[Subject] = []
    missing: dict[str, str] = {}
    for tools in SIZES:
        field = contenders.start(
            stage, contenders.Wanted(backend.port, tools),
            contenders.TOOLBRIDGE, contenders.TOOLBOX, contenders.FASTMCP_OPENAPI,
        )  # fmt: skip
        missing |= {f"{name}, {tools} tools": why for name, why in field.missing.items()}
        for subject in subjects(stage, field, 16, tools):
            if subject.questions.door not in (CALL, NATIVE, DIRECT):
                everyone.append(dataclasses.replace(subject, name=f"{subject.name}, {tools} tools"))
    rows = in_rounds(stage, everyone)
    rows = [_with_lists(stage, row, subject) for row, subject in zip(rows, everyone, strict=True)]
    return Scene("growth", rows, missing)


def _with_lists(stage: Stage, row: Row, subject: Subject) -> Row:
    tools = int(row.name.split()[-2])
    server, door = subject.server, subject.questions.door
    figures = {**row.figures, "start_s": server.seconds_to_start, "megabytes": server.megabytes()}
    figures["list_ms"], figures["list_wrong"] = _list(stage, server, door, tools)
    unchanged = _unchanged(stage, server, door)
    if unchanged is not None:
        figures["unchanged_ms"] = unchanged
    return Row(row.name, figures, row.rounds, row.example)


def _list(stage: Stage, server: Server, door: Door, tools: int) -> tuple[float, float]:
    """CPU milliseconds of one list, and how many lists lacked the last tool."""
    assert door.listing is not None
    began = time.monotonic()
    ask(server.port, door, *door.listing)
    seconds = max(stage.seconds, 3 * (time.monotonic() - began))
    questions = _listing(stage, door, f'"{tool_name(tools - 1)}"')
    figures, load = once(stage, Subject("", server, questions, 1), seconds)
    return figures["cpu_us"] / 1e3, float(load.wrong)


def _listing(stage: Stage, door: Door, marker: str, status: int = http.client.OK) -> Questions:
    assert door.listing is not None
    target, body = door.listing
    file = stage.file(".txt")
    file.write_text(f"{target}\t{body}\n")
    listing = dataclasses.replace(door, body=lambda tool, given: body)
    return Questions(listing, file, status, marker)


def _unchanged(stage: Stage, server: Server, door: Door) -> float | None:
    """CPU milliseconds of one list asked for with the ETag of the last; None where the door gives no ETag."""
    assert door.listing is not None
    target, body = door.listing
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("POST" if body else "GET", target, body or None, dict(door.headers))
        answer = connection.getresponse()
        answer.read()
        tag = answer.getheader("ETag")
    finally:
        connection.close()
    if tag is None:
        return None
    asking = dataclasses.replace(door, headers=(*door.headers, ("If-None-Match", tag)))
    questions = _listing(stage, asking, "", http.client.NOT_MODIFIED)
    figures, load = once(stage, Subject("", server, questions, 1), stage.seconds)
    return None if load.wrong else figures["cpu_us"] / 1e3
