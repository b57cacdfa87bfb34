"""The names that a request uses at the backend: which may be set at all, and none of them twice.

Two headers of one name, or a caller's parameter beside the credential of the same name, would leave
it to the backend which one it believes; two parameters of one name would lose a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from bridge.core.located import Problems
from bridge.core.model import Parameter
from bridge.errors import InvalidParameters
from bridge.outbound import header_value

#: Headers that belong to the connection; neither a backend nor a call may set them.
RESERVED = frozenset(
    {
        "host", "content-length", "transfer-encoding", "connection", "te", "trailer", "upgrade",
        "expect", "keep-alive", "proxy-authorization", "proxy-connection", "accept-encoding", "traceparent",
    }
)  # fmt: skip

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch

_VARIABLES = re.compile(r"\{[^{}]*\}")


def wrong_name(name: str) -> str | None:
    """Return why nobody may set the header `name` (RFC 9110 section 5.1), None where it is fine."""
    if not _TOKEN(name):
        return f"{name!r} is not the name of a header"
    if name.lower() in RESERVED:
        return f"the header {name} belongs to the connection and cannot be set"
    return None


def wrong_value(name: str, value: str) -> str | None:
    """Return why `value` cannot be sent in the header `name`, None where it can."""
    try:
        header_value(name, value)
    except InvalidParameters as error:
        return error.message
    return None


def check_names(kind: str, names: Iterable[str], credential: str | None, problems: Problems) -> None:
    """Report a name that a call uses twice in one place, or that belongs to the backend's credential."""
    seen: set[str] = set()
    for name in names:
        if name == credential:
            problems.add(f"{kind} {name!r} carries the backend's credential; a call cannot set it")
        elif name in seen:
            problems.add(f"{kind} {name!r} would be sent twice")
        seen.add(name)


def query_names(call: Mapping[str, Any], named: Iterable[str], parameters: Mapping[str, Parameter]) -> list[str]:
    """Return the parameters that a call's path and `query` write out, as the backend sees them.

    `named` are the template's query variables.
    """
    literal = _VARIABLES.sub("", call["path"]).partition("?")[2]
    variables = [parameters[name].wire for name in named if name in parameters]
    return [*(name for name, _ in parse_qsl(literal, keep_blank_values=True)), *variables, *call.get("query", ())]
