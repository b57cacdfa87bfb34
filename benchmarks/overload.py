"""Three times the load it can take: what still gets its answer, and whether everybody else is told to come back."""

from __future__ import annotations

from dataclasses import replace

from benchmarks import backends, contenders
from benchmarks.contenders import Wanted
from benchmarks.measure import Row, Scene, Subject, in_rounds, subjects
from benchmarks.processes import Stage
from benchmarks.traffic import EXECUTE

THREADS = 64
PLACES = THREADS - 4
DELAY = 0.05


def run(stage: Stage) -> Scene:
    """Once where CPU is what runs out, once where the places for calls in flight are."""
    rows: list[Row] = []
    missing: dict[str, str] = {}
    for scarce, delay, full in (("CPU", 0.0, 16), ("places", DELAY, PLACES)):
        with stage.sub() as part:
            backend = backends.slow(part, delay) if delay else backends.fast(part)
            wanted = Wanted(backend.port, threads=THREADS, concurrency=PLACES)
            field = contenders.start(part, wanted, contenders.TOOLBRIDGE)
            missing |= field.missing
            everyone: list[Subject] = []
            for subject in subjects(part, field, full, wanted.tools, (EXECUTE,)):
                everyone.append(replace(subject, name=f"{scarce}: peak, {full} callers"))
                many = 3 * max(full, PLACES)
                everyone.append(replace(subject, name=f"{scarce}: three times, {many} callers", connections=many))
            rows += in_rounds(part, everyone)
    return Scene("overload", rows, missing)
