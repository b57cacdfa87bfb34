"""What must never be shown: secret values in any text, secret parameters, secret headers.

Everything that leaves for a log, an explanation or an error passes here. A secret is
looked for as it is and in the forms it takes on its way: inside Base64 (a password in
`Authorization: Basic` starts at any of three offsets), percent-encoded, escaped for JSON.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

#: What stands in the place of a secret.
MASK = "***"
#: A shorter value is no secret to find: its characters are everywhere.
SHORTEST = 4

_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"})
_SECRET_WORDS = re.compile(r"token|secret|key|password", re.IGNORECASE)


class Redactor:
    """Takes a set of secret values out of any text; values under four characters are left alone.

    `secrets` may grow while it is used: a file may get a new text.
    """

    __slots__ = ("_compiled", "_secrets")

    def __init__(self, secrets: Collection[str]) -> None:
        self._secrets = secrets
        self._compiled = _compile(tuple(secrets))

    def text(self, text: str) -> str:
        """Return `text` with every secret value, in whatever form, replaced by `***`."""
        size, forms, pattern = self._compiled
        if size != len(self._secrets):
            self._compiled = size, forms, pattern = _compile(tuple(self._secrets))
        # Plain searches are faster than one large alternation, and nearly always find nothing.
        if not any(map(text.__contains__, forms)):
            return text
        return pattern.sub(MASK, text)

    def tree(self, value: Any) -> Any:
        """Return JSON-like data with every text in it redacted."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(name): self.tree(item) for name, item in value.items()}
        return [self.tree(item) for item in value] if isinstance(value, list) else value


def _compile(secrets: tuple[str, ...]) -> tuple[int, list[str], re.Pattern[str]]:
    forms = {form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret)}
    # The longest first: a secret that begins another one must not leave the rest of it behind.
    ordered = sorted(forms, key=lambda form: (-len(form), form))
    return len(secrets), ordered, re.compile("|".join(map(re.escape, ordered)))


def mask(params: Mapping[str, Any], secret_names: Collection[str]) -> dict[str, Any]:
    """Return a copy of `params` with the secret ones replaced, whatever they hold."""
    return {name: MASK if name in secret_names else value for name, value in params.items()}


def texts(value: Any) -> Iterator[str]:
    """Yield every text and number in JSON-like data, as the text that it is somewhere else."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield name
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield json.dumps(value)


def header(name: str, value: str) -> str:
    """Return a header's value as it may be shown: masked where the name says it is a credential."""
    return MASK if name.lower() in _SECRET_HEADERS or _SECRET_WORDS.search(name) else value


def _forms(secret: str) -> Iterator[str]:
    yield secret
    raw = secret.encode("utf-8", "surrogatepass")
    yield from (quote(raw), quote(raw, safe=""), quote_plus(raw))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1])
    for encode in (b64encode, urlsafe_b64encode):
        yield encode(raw).decode()
        for offset in range(3):
            inside = _inside(encode, raw, offset)
            if len(inside) >= SHORTEST:
                yield inside


def _inside(encode: Any, raw: bytes, offset: int) -> str:
    # Of Base64 with other bytes around, only the characters that hold none of their bits are sure.
    text: str = encode(bytes(offset) + raw).decode().rstrip("=")
    sure = len(bytes(offset) + raw) * 8 // 6
    return text[-(-offset * 8 // 6) : sure]
