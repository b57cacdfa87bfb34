"""What bad input gets: an id for each kind of it, what happens, and the figure that a test holds it to.

Tests carry the ids (`@pytest.mark.owes("A1")`); `tests/test_owed.py` checks both directions, and
`docs/security.md` shows the table with its tests. The letters: A what a caller sends, B schemas and
messages, C values on their way to a backend, D where a request may go, F secrets, G the registry, I what a
backend does. Numbers that are missing belong to parts that this version does not have.
"""

from __future__ import annotations

from typing import NamedTuple


class Threat(NamedTuple):
    id: str
    sentence: str
    figure: str


PARTS: dict[str, str] = {
    "A": "What a caller sends",
    "B": "Schemas and messages",
    "C": "Values on their way to a backend",
    "D": "Where a request may go",
    "F": "Secrets",
    "G": "The registry",
    "I": "What a backend does",
}

THREATS: tuple[Threat, ...] = (
    Threat("A1", "A body of 100,000 brackets, closed or open, is a 400, and the worker lives.", "50 ms"),
    Threat("A2", "A body 65 levels deep is a 400, one of 64 levels is read.", "exact"),
    Threat("A3", "A key twice in one object, at any depth, is a 400 that names the key, alike at every door.", "all doors"),
    Threat("A4", "NaN, Infinity and numbers too large for a float are a 400; -0 is kept; no answer ever holds NaN.", "all answers"),
    Threat("A5", "An integer of 20 digits is the schema's to judge, one of 400 or 5,000 is a 400.", "20 ms of CPU"),
    Threat("A6", "Broken UTF-8, UTF-16, UTF-32, a byte order mark, half surrogate pairs and NUL are a 400.", "no 500"),
    Threat("A7", "A body that is not declared as JSON in UTF-8 is a 415, a content type given twice a 400.", "exact"),
    Threat("A8", "The size limit is exact, with a length and with chunks; a compressed body is a 415.", "+10 MB for 1 GB sent"),
    Threat("A9", "A million tiny members, endless headers and endless URLs are refused as what they are.", "100 ms"),
    Threat("A12", "A foreign Host is refused, and what a proxy would add is neither believed nor repeated.", "no spoofed value shown"),
    Threat("B2", "A remote reference in a schema is a mistake at load and is never fetched.", "0 connections"),
    Threat("B3", "No pattern of a schema can be made slow by a long text.", "50 ms for 100,000 characters"),
    Threat("B6", "A sentence about a wrong value names its path and rule, a little of the value, and nothing of a secret one.", "100 characters"),
    Threat("C1", "A value in a path stays in its segment of the declared path at the declared host, or is a 400.", "5,000 cases, 0 escapes"),
    Threat("C2", "A value in a query or form arrives as that one value.", "0 parameters more"),
    Threat("C3", "What no header can carry is a 400 before any connection.", "0 connections"),
    Threat("C4", "Scheme, host and port never come from a parameter; a registry that tries is not served.", "every spelling"),
    Threat("C5", "A value in a body is data of its own type, whatever it spells.", "5,000 cases, 0 changed"),
    Threat("C10", "One event is one line of JSON, whatever a logged value holds.", "every logged field"),
    Threat("C12", "A monstrous expression is a clean mistake.", "100 ms"),
    Threat("D3", "A redirect is an answer: it is not followed, and no credential, cookie or body goes elsewhere.", "0 requests"),
    Threat("D4", "A loop or chain of redirects ends at the first.", "1 s"),
    Threat("D5", "Proxies, netrc files and certificate bundles of the environment have no effect.", "0 effects"),
    Threat("F1", "A secret shows up in no answer, log line, diagnostic, list, health report, explanation or argument list.", "0 hits in any encoding"),
    Threat("F2", "An error of a library, whatever it quotes, is told without secrets.", "40 failures"),
    Threat("G1", "A hostile registry file is a clean mistake with its place, and the worker lives.", "1 s"),
    Threat("G2", "A broken edit changes nothing but the health report, also under load; the next good one is served.", "100 edits, 0 failed calls, 2 s"),
    Threat("G3", "A file half written is never served; every worker follows, and every answer says its version.", "2 s"),
    Threat("G4", "A call in flight ends with the version that it began with.", "exact"),
    Threat("I1", "A backend that cannot be reached, resets or says nothing is a typed error in time.", "deadline + 250 ms, 0 sockets left of 1,000"),
    Threat("I2", "Drips and floods of bytes, headers and interim answers do not outlast the deadline.", "deadline + 250 ms"),
    Threat("I3", "An answer that is cut off or contradicts itself is never a result.", "0 successes"),
    Threat("I4", "Each kind of unreadable answer has its declared outcome.", "exact"),
    Threat("I5", "A decompression bomb stops at the cap.", "5 MiB decoded, +20 MB of memory"),
    Threat("I6", "A backend's Retry-After becomes one of our own, within bounds, whatever it spells.", "1 s to 1 h"),
)  # fmt: skip
