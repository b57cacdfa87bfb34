"""Figures of servers under load, in rounds over all of them: a slow moment of the machine hits everybody."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.contenders import Field
from benchmarks.load import Load, Questions, press
from benchmarks.processes import Server, Stage
from benchmarks.traffic import Door, write_calls

COUNTED = ("wrong", "lost", "shed")
"""Figures that are added up over the rounds; of all others the median counts."""

PAUSE = 0.2
"""Seconds before each measurement, in which what the one before has left behind comes to its end."""


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one subject: medians over the rounds (counts added up), and each round by itself.

    `cpu_us` is the CPU time of the server's whole process tree per right answer, in microseconds; `per_core` its
    inverse.
    `compared` says that it was measured as the peers were.
    """

    name: str
    figures: dict[str, float]
    rounds: Sequence[Mapping[str, float]] = ()
    example: str = ""
    compared: bool = True


@dataclass(frozen=True, slots=True)
class Scene:
    """What a scenario brought: its rows, and who did not take part and why."""

    scenario: str
    rows: Sequence[Row]
    missing: Mapping[str, str] = field(default_factory=dict)

    def figure(self, name: str, figure: str) -> float | None:
        """One figure of one row, or None where it was not measured."""
        found = next((row for row in self.rows if row.name == name), None)
        return found.figures.get(figure) if found else None


@dataclass(frozen=True, slots=True)
class Subject:
    """A server that is pressed: through which door, with what, over how many connections."""

    name: str
    server: Server
    questions: Questions
    connections: int


def subjects(stage: Stage, field: Field, connections: int, tools: int, doors: Iterable[Door] = ()) -> list[Subject]:
    """Everybody who runs, through all doors of theirs (or those of the given ones that they have)."""
    found = []
    for contender, server in field.running:
        for door in contender.doors:
            if not doors or door in doors:
                questions = Questions(door, write_calls(door, tools, stage.file(".txt")))
                found.append(Subject(f"{contender.name} {door.name}", server, questions, connections))
    return found


def once(stage: Stage, subject: Subject, seconds: float) -> tuple[dict[str, float], Load]:
    """Press one subject once."""
    time.sleep(PAUSE)
    before = subject.server.cpu()
    load = press(stage, subject.server.port, subject.questions, subject.connections, seconds)
    used = subject.server.cpu() - before
    figures = {
        "cpu_us": used / max(load.right, 1) * 1e6,
        "per_core": load.right / used if used else 0.0,
        "per_second": load.right / load.seconds,
        "p50_ms": load.p50_ms,
        "p99_ms": load.p99_ms,
        "shed": float(load.shed),
        "wrong": float(load.wrong),
        "lost": float(load.lost),
    }
    return figures, load


def in_rounds(stage: Stage, everyone: Sequence[Subject], *, rounds: int | None = None) -> list[Row]:
    """Warm everybody up for a second, then measure everybody in turn, as many rounds as the run asks for."""
    for subject in everyone:
        press(stage, subject.server.port, subject.questions, subject.connections, 1)
    taken: dict[str, list[dict[str, float]]] = {subject.name: [] for subject in everyone}
    examples: dict[str, str] = {}
    for number in range(1, (rounds or stage.rounds) + 1):
        for subject in everyone:
            print(f"  round {number}: {subject.name}        ", end="\r", file=sys.stderr, flush=True)
            figures, load = once(stage, subject, stage.seconds)
            taken[subject.name].append(figures)
            examples[subject.name] = examples.get(subject.name) or load.example
    print(" " * 70, end="\r", file=sys.stderr, flush=True)
    return [Row(name, _middle(parts), parts, examples[name]) for name, parts in taken.items()]


def _middle(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    gather = {name: [part[name] for part in parts] for name in parts[0]}
    return {name: sum(of) if name in COUNTED else statistics.median(of) for name, of in gather.items()}
