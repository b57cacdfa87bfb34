"""A backend's bytes, read by their content type."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from bridge.core.parsing import parse_json
from bridge.errors import InvalidRequest

#: The charsets that are read. Python has many more codecs, of which some are no charset, and some are slow.
_CHARSETS = frozenset(
    (
        *("utf-8", "utf8", "utf-16", "us-ascii", "ascii", "latin1", "iso-8859-15"),
        *("shift_jis", "euc-jp", "euc-kr", "gb18030", "big5"),
        *(f"iso-8859-{part}" for part in range(1, 10)),
        *(f"windows-125{part}" for part in range(9)),
    )
)

#: Media types that a caller never asked for: a login page, a proxy's error.
_PAGES = ("text/html", "application/xhtml+xml")


def read_answer(body: bytes, content_type: str) -> tuple[Any, str | None]:
    """Return a body as JSON-like data and, where it cannot be used, why.

    An empty body is null; JSON is read strictly; other text is text; a page or anything
    that is not text is broken, since no tool of this version asks for one.
    """
    if not body:
        return None, None
    kind, charset = _media(content_type)
    if kind == "application/json" or kind.endswith("+json"):
        return _json(body)
    text, broken = _text(body, charset)
    if kind in _PAGES:
        return text, "the backend answered a page of HTML"
    if not kind and text is not None and text.lstrip()[:1] in ("{", "["):
        return _json(body)
    return text, broken


@lru_cache(maxsize=256)
def _media(content_type: str) -> tuple[str, str]:
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charset = next((p.removeprefix("charset=").strip("\"'") for p in parameters if p.startswith("charset=")), "utf-8")
    return kind, charset


def _json(body: bytes) -> tuple[Any, str | None]:
    try:
        return parse_json(body, max_nodes=None, allow_nul=True), None
    except InvalidRequest as error:
        return body[:500].decode("utf-8", "replace"), f"the backend's JSON cannot be read: {error.message}"


def _text(body: bytes, charset: str) -> tuple[str | None, str | None]:
    if charset not in _CHARSETS:
        return None, "the backend's answer is in a charset that is not read"
    try:
        return body.decode(charset), None
    except UnicodeDecodeError:
        return None, "the backend's answer is not text"
