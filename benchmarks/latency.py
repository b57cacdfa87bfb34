"""How long a caller waits: one connection against the backend asked directly, then 16 and 64 connections at once."""

from __future__ import annotations

from dataclasses import replace

from benchmarks import backends, contenders
from benchmarks.load import Questions
from benchmarks.measure import Scene, Subject, in_rounds, subjects
from benchmarks.processes import Stage
from benchmarks.traffic import DIRECT, EXECUTE, MCP, write_calls

CONNECTIONS = (1, 16, 64)
DIRECTLY = "the backend itself"


def run(stage: Stage) -> Scene:
    """Every server at every number of connections; rows are named `SERVER DOOR, N`."""
    backend = backends.fast(stage)
    wanted = contenders.Wanted(backend.port)
    field = contenders.start(
        stage, wanted, contenders.TOOLBRIDGE, contenders.PROXY, contenders.TOOLBOX, contenders.FASTMCP_TOOL
    )
    directly = Questions(DIRECT, write_calls(DIRECT, wanted.tools, stage.file(".txt")))
    everyone = [Subject(f"{DIRECTLY}, 1", backend, directly, 1)]
    for subject in subjects(stage, field, 1, wanted.tools, (EXECUTE, DIRECT, MCP)):
        everyone += [replace(subject, name=f"{subject.name}, {many}", connections=many) for many in CONNECTIONS]
    return Scene("latency", in_rounds(stage, everyone), field.missing)
