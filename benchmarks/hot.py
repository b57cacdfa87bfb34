"""One tool call with three validated parameters that becomes one GET: 16 kept connections, CPU per call."""

from __future__ import annotations

from benchmarks import backends, contenders
from benchmarks.measure import Scene, in_rounds, subjects
from benchmarks.processes import Stage

CONNECTIONS = 16


def run(stage: Stage) -> Scene:
    """Press everybody in turn through each of their doors."""
    wanted = contenders.Wanted(backends.fast(stage).port)
    field = contenders.start(stage, wanted, *contenders.EVERYBODY)
    rows = in_rounds(stage, subjects(stage, field, CONNECTIONS, wanted.tools))
    return Scene("hot", rows, field.missing)
