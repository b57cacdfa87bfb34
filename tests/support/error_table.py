"""The table in docs/errors.md, made from the error tree: `python -m tests.support.error_table` writes it anew."""

from __future__ import annotations

from pathlib import Path

from bridge.errors import BridgeError, walk
from tests.support.generated import Generated

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
BEGIN = "<!-- made from bridge/errors.py; `python -m tests.support.error_table` writes it anew -->\n"
END = "<!-- end of the table -->"
PART = Generated(PAGE, BEGIN, END)


def table() -> str:
    """Return the table as Markdown, one row a code."""
    rows = ["| code | status | whose move | again? | when |", "|---|---|---|---|---|"]
    by_code: dict[str, list[type[BridgeError]]] = {}
    for error in walk():
        by_code.setdefault(error.code, []).append(error)
    rows += [_row(errors) for errors in by_code.values()]
    return "\n".join(rows) + "\n"


def _row(errors: list[type[BridgeError]]) -> str:
    first = errors[0]
    others = sorted({error.status for error in errors} - {first.status})
    status = f"{first.status} ({', '.join(map(str, others))} where they say more)" if others else str(first.status)
    when = (first.__doc__ or "").partition("\n")[0]
    cells = (f"[{first.code}](#{first.code.lower()})", status, first.move, first.again, when)
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PART.write(table())
