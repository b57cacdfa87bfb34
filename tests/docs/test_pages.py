"""The documentation names what there is, all of it, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bridge._version import __version__
from bridge.assembly import check
from bridge.backends import BACKENDS
from bridge.cli import COMMANDS
from bridge.core import functions
from bridge.core.signatures import REGISTERED
from bridge.errors import BY_CODE
from bridge.registry import not_yet
from bridge.settings import TABLE, Settings
from tests.support import error_table, threat_table

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


def sections(page: str) -> dict[str, str]:
    """The parts of a page under its headings of the third rank, which are its entries."""
    found = re.split(r"^### (.+)\n", (DOCS / page).read_text("utf-8"), flags=re.MULTILINE)[1:]
    return {title: text.partition("\n## ")[0] for title, text in zip(found[::2], found[1::2], strict=True)}


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def fences(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("settings.md", [row.variable for row in TABLE]),
        ("errors.md", list(BY_CODE)),
        ("commands.md", list(COMMANDS)),
        ("backends.md", list(BACKENDS)),
    ],
)
def test_every_entry_of_a_table_has_its_heading_and_every_heading_its_entry(page: str, names: list[str]) -> None:
    assert sorted(sections(page)) == sorted(names)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_a_setting_is_documented_with_its_default(row) -> None:
    text = sections("settings.md")[row.variable]
    shown = "`on`" if row.default is True else f"`{row.default}`" if row.default else ""
    assert re.search(rf"Default: {re.escape(shown)}", text), text
    assert ("Option `--" in text) == (row.name in ("host", "port", "workers", "threads"))


def test_the_table_of_errors_is_the_error_tree() -> None:
    _, found, _ = error_table.PART.parts()
    assert found == error_table.table(), "python -m tests.support.error_table writes it anew"


def test_the_tables_of_threats_are_what_the_tests_carry() -> None:
    _, found, _ = threat_table.PART.parts()
    assert found == threat_table.tables(), "python -m tests.support.threat_table writes it anew"


def test_the_functions_of_expressions_are_all_told() -> None:
    page = (DOCS / "registry.md").read_text("utf-8")
    rows = re.findall(r"^\| (`.+?\)`) \|", page, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)\(", row)} == set(REGISTERED), functions.__name__


def test_what_is_not_in_this_version_is_what_the_registry_refuses() -> None:
    section = (DOCS / "registry.md").read_text("utf-8").split("## Not in this version")[1]
    told = set(re.findall(r"`(\w+)`", section)) - {"errors", "anonymous"}
    refused = {member.split(".")[-1] for member in not_yet.MEMBERS}.union(*not_yet.VALUES.values())
    assert told == refused


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_link_leads_nowhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8")):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


REGISTRIES = [text for page in PAGES for text in fences(page, "yaml") if text.startswith("bridge: 1")]


@pytest.mark.parametrize("text", REGISTRIES, ids=lambda text: text.split("name: ")[1].split()[0])
def test_a_registry_in_the_documentation_has_no_mistake(text: str, tmp_path: Path) -> None:
    file = tmp_path / "registry.yaml"
    file.write_text(text, "utf-8")
    assert check(file, Settings(environ={}), no_env=True) == []


@pytest.mark.parametrize("file", sorted(ROOT.glob("examples/*.yaml")), ids=lambda file: file.name)
def test_an_example_has_no_mistake(file: Path) -> None:
    assert check(file, Settings(environ={}), no_env=True) == []


def test_the_changelog_tells_of_this_version() -> None:
    assert f"\n## {__version__} - 20" in (ROOT / "CHANGELOG.md").read_text("utf-8")


@pytest.mark.parametrize("page", sorted((DOCS / "decisions").glob("[0-9]*.md")), ids=lambda page: page.name)
def test_a_decision_says_why_what_and_what_was_given_up(page: Path) -> None:
    text = page.read_text("utf-8")
    for heading in ("## Context", "## Choice", "## What was given up"):
        assert heading in text
    assert text.startswith(f"# {'NNNN' if page.name.startswith('0000') else page.name[:4]}. ")
