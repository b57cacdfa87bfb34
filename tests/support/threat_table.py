"""The tables in docs/security.md, made from the threats and the tests that carry them.

`python -m tests.support.threat_table` writes them anew.
"""

from __future__ import annotations

from pathlib import Path

from tests.support.generated import Generated
from tests.support.owed import Carried, carried
from tests.threats.table import PARTS, THREATS, Threat

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
BEGIN = "<!-- made from tests/threats/table.py; `python -m tests.support.threat_table` writes it anew -->\n"
END = "<!-- end of the tables -->"
PART = Generated(PAGE, BEGIN, END)


def tables() -> str:
    """Return the tables as Markdown: one a part, one row a threat."""
    tests = carried()
    return "\n".join(_part(letter, title, tests) for letter, title in PARTS.items())


def _part(letter: str, title: str, tests: tuple[Carried, ...]) -> str:
    rows = [f"### {title}\n", "| id | what happens | figure | tests |", "|---|---|---|---|"]
    rows += [_row(threat, tests) for threat in THREATS if threat.id[0] == letter]
    return "\n".join(rows) + "\n"


def _row(threat: Threat, tests: tuple[Carried, ...]) -> str:
    links = [_link(one) for one in tests if one.id == threat.id]
    return f"| {threat.id} | {threat.sentence} | {threat.figure} | {'; '.join(links)} |"


def _link(one: Carried) -> str:
    said = one.test.removeprefix("test_").replace("_", " ")
    return f"[{said}](../tests/{one.file})"


if __name__ == "__main__":
    PART.write(tables())
