"""Many callers on a slow backend: 256 at 200 ms beside the peers, 500 at 1 s beside a quick backend of ours."""

from __future__ import annotations

from benchmarks import backends, contenders, documents
from benchmarks.contenders import Wanted
from benchmarks.load import Pressure, Questions
from benchmarks.measure import Row, Scene, Subject, in_rounds, once, subjects
from benchmarks.processes import Stage
from benchmarks.traffic import EXECUTE, MCP, write_calls

CALLERS, DELAY = 256, 0.2
BIG_CALLERS, BIG_DELAY = 500, 1.0
BESIDE_ALONE, BESIDE_CROWD, BIG = "quick backend, alone", "quick backend, beside 500 callers", "500 callers on 1 s"


def run(stage: Stage) -> Scene:
    """The comparison, then the bigger crowd for ourselves."""
    with stage.sub(at_least=25 * DELAY) as small:
        wanted = Wanted(backends.slow(small, DELAY).port, threads=CALLERS + 4, concurrency=CALLERS)
        field = contenders.start(
            small, wanted, contenders.TOOLBRIDGE, contenders.TOOLBOX,
            contenders.FASTMCP_OPENAPI, contenders.FASTMCP_TOOL,
        )  # fmt: skip
        rows = in_rounds(small, subjects(small, field, CALLERS, wanted.tools, (EXECUTE, MCP)), rounds=2)
        for row, (_, server) in zip(rows, field.running, strict=True):
            row.figures["megabytes"] = server.megabytes()
    with stage.sub(at_least=4 * BIG_DELAY) as big:
        rows += _big(big)
    return Scene("crowd", rows, field.missing)


def _big(stage: Stage) -> list[Row]:
    quick = backends.fast(stage)
    wanted = Wanted(
        backends.slow(stage, BIG_DELAY).port, threads=BIG_CALLERS + 100, concurrency=512, beside=quick.port
    )
    field = contenders.start(stage, wanted, contenders.TOOLBRIDGE)
    if not field.running:
        return []
    server = field.running[0][1]
    slow = Questions(EXECUTE, write_calls(EXECUTE, wanted.tools, stage.file(".txt")))
    calls = write_calls(EXECUTE, 1, stage.file(".txt"), name=lambda _: documents.BESIDE)
    beside = Subject("", server, Questions(EXECUTE, calls), 4)
    once(stage, beside, 1)
    alone, _ = once(stage, beside, stage.seconds)
    with Pressure(stage, server.port, slow, BIG_CALLERS, 2 * stage.seconds) as crowd:
        once(stage, beside, stage.seconds / 2)
        crowded, _ = once(stage, beside, stage.seconds)
        load = crowd.wait()
    figures = {
        "per_second": load.right / load.seconds, "p50_ms": load.p50_ms, "p99_ms": load.p99_ms,
        "shed": float(load.shed), "wrong": float(load.wrong), "lost": float(load.lost),
        "megabytes": server.megabytes(),
    }  # fmt: skip
    return [
        Row(BIG, figures, example=load.example, compared=False),
        Row(BESIDE_ALONE, alone, compared=False),
        Row(BESIDE_CROWD, crowded, compared=False),
    ]
