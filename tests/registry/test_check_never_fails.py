"""Whatever stands in a registry, checking it gives diagnostics: never an exception, never a long wait."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bridge.assembly import check
from bridge.settings import Settings

ROOT = Path(__file__).parents[2]

JUNK = [
    "\t", "{", "[", "]", "}", "&a ", "*a", "!!str ", "null", "~", "true", "5", "-1", "1e999", "''", '""', ": ", "- ", "${X}",
    "${{ x }}", "${{", "}}", "|\n", "#", "%", "@", "params.", "body", "`", "'", "\n", "  ", "string", "required", "GET /", "{x}",
    "{?y}", "as:", "in: path", "value: 3", "default: {}", "enum: 3", "type: [a]", "items: 5", "[1,2]", "{a: b}", "0o7", "0x1F",
    ".nan", "\u2028", "\x00", "é", "anyOf: []", "$ref: '#/x'", "$ref: http://x/y", "pattern: '('",
]  # fmt: skip


def mutated(text: str, generator: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    at, line, other = generator.randrange(len(text)), generator.randrange(len(lines)), generator.randrange(len(lines))
    junk, colon = generator.choice(JUNK), lines[line].find(":")
    return generator.choice(
        [
            text[:at] + junk + text[at:],
            text[:at] + junk + text[at + generator.randrange(1, 12) :],
            text[:at] + text[at + generator.randrange(1, 30) :],
            "".join(lines[:line] + lines[line + 1 :]),
            "".join([*lines[:line], "  ", *lines[line:]]),
            "".join([*lines[:line], lines[line][: colon + 1], " ", junk, "\n", *lines[line + 1 :]]),
            "".join([*lines[:line], lines[other], *lines[line:]]),
        ]
    )


def check_mutations(tmp_path: Path, seed: int, count: int) -> None:
    generator = random.Random(seed)
    good = (ROOT / "examples" / "crm.yaml").read_text()
    path = tmp_path / "r.yaml"
    for _ in range(count):
        text = good
        for _ in range(generator.randrange(1, 4)):
            text = mutated(text, generator) or " "
        path.write_text(text, "utf-8")
        for found in check(path, Settings({})):
            assert str(found).startswith(str(path)), text
            assert found.mark.line >= 1, text


def test_a_few_hundred_mutations_of_a_good_registry_give_diagnostics(tmp_path):
    check_mutations(tmp_path, 1, 300)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 12))
def test_many_mutations_of_a_good_registry_give_diagnostics(tmp_path, seed):
    check_mutations(tmp_path, seed, 2_000)
