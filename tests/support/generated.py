"""A part of a page in docs/ that is made from data: between two marks, written anew by a command, compared by a test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Generated:
    """The part of `page` between the lines `begin` and `end`."""

    page: Path
    begin: str
    end: str

    def parts(self) -> tuple[str, str, str]:
        """Return what stands before the part, the part as it stands, and what follows."""
        before, _, rest = self.page.read_text("utf-8").partition(self.begin)
        found, _, after = rest.partition(self.end)
        return before, found, after

    def write(self, text: str) -> None:
        """Put `text` in the part's place."""
        before, _, after = self.parts()
        self.page.write_text(before + self.begin + text + self.end + after, "utf-8")
