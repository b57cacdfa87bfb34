"""The official JSON Schema test suite, and jsonschema as the reference.

What differs on purpose, or is the reference's own mistake, is written down here with
its reason; a line that is no longer needed fails.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry

from bridge.core.schemas import SchemaError, Validator

#: Groups whose schema is refused on purpose: per file, how many of them, and why.
REFUSED = {
    "dynamicRef.json": (5, "remote references are never fetched"),
    "refRemote.json": (15, "remote references are never fetched"),
    "vocabulary.json": (2, "only the dialect of draft 2020-12 itself is spoken"),
    "optional/cross-draft.json": (1, "remote references are never fetched"),
    "optional/format-assertion.json": (2, "only the dialect of draft 2020-12 itself is spoken"),
}

#: Cases that are judged otherwise on purpose.
JUDGED_OTHERWISE = {"format.json": (19, "formats are asserted, not only noted")}

#: How many cases the reference judges otherwise than the suite and we do.
REFERENCE_DIFFERS = {
    "pattern.json": (3, "Python's re knows no Unicode classes"),
    "patternProperties.json": (2, "Python's re knows no Unicode classes"),
    "optional/dependencies-compatibility.json": (14, "the keyword of older drafts is enforced here"),
    "optional/ecmascript-regex.json": (32, "Python's re is not ECMAScript's: digits, $, escapes"),
    "optional/format/date-time.json": (3, "leap seconds; a newline at the end"),
    "optional/format/duration.json": (10, "ISO 8601 is wider than RFC 3339's durations"),
    "optional/format/ecmascript-regex.json": (12, "Python's re is not ECMAScript's"),
    "optional/format/email.json": (10, "an @ is all it looks for"),
    "optional/format/hostname.json": (26, "no Punycode, a final dot passes"),
    "optional/format/idn-hostname.json": (5, "bidirectional names, final dots"),
    "optional/format/iri.json": (4, "IPv6 hosts, supplementary planes"),
    "optional/format/relative-json-pointer.json": (2, "digits of other scripts, leading zeros"),
    "optional/format/time.json": (6, "leap seconds"),
    "optional/format/uri-reference.json": (1, "leading zeros in an address"),
    "optional/format/uri-template.json": (9, "a lenient parser"),
    "optional/format/uri.json": (1, "leading zeros in an address"),
    "optional/format/uuid.json": (3, "int() forgives underscores and digits of other scripts"),
}

def groups(folder: Path, name: str) -> Iterator[tuple[Any, Validator | None, list[dict[str, Any]]]]:
    """Yield schema, compiled schema (None where it is refused) and cases of each group in a file."""
    for group in json.loads((folder / name).read_text()):
        try:
            yield group["schema"], Validator(group["schema"]), group["tests"]
        except SchemaError:
            yield group["schema"], None, group["tests"]


def judge_file(folder: Path, name: str) -> tuple[int, int, int]:
    """Return how many groups were refused, how many cases judged otherwise, and where the reference differs."""
    refused = otherwise = differs = 0
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    for schema, validator, cases in groups(folder, name):
        refused += validator is None
        if validator is None:
            continue
        reference = jsonschema.Draft202012Validator(schema, format_checker=checker, registry=Registry())
        for case in cases:
            ours = validator.is_valid(case["data"])
            assert ours == (not validator.violations(case["data"]))
            otherwise += ours != case["valid"]
            differs += ours != judged_by(reference, case["data"])
    return refused, otherwise, differs


def judged_by(reference: Any, data: Any) -> bool | None:
    try:
        return bool(reference.is_valid(data))
    except Exception:  # a pattern that Python's re cannot compile
        return None


@pytest.fixture(scope="module")
def suite(test_data) -> Path:
    folder = test_data / "json-schema-test-suite" / "tests" / "draft2020-12"
    if not folder.is_dir():
        pytest.skip(f"no official test suite: {folder} is missing")
    return folder


def expected(name: str) -> tuple[int, int, int]:
    return tuple(table.get(name, (0, ""))[0] for table in (REFUSED, JUDGED_OTHERWISE, REFERENCE_DIFFERS))


@pytest.mark.parametrize(
    ("part", "files"),
    [("*.json", 46), ("optional/*.json", 13), ("optional/format/*.json", 20)],
    ids=["required", "optional", "formats"],
)
def test_everything_is_judged_as_the_suite_says_but_for_what_is_written_here(suite, part, files):
    names = [str(file.relative_to(suite)) for file in sorted(suite.glob(part))]
    assert len(names) >= files
    assert {name: judge_file(suite, name) for name in names} == {name: expected(name) for name in names}
