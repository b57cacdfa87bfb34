"""How a token is known without being kept."""

from __future__ import annotations

import hashlib


def digest(token: str) -> str:
    """Return the SHA-256 of a token, in hexadecimal, as `token_sha256` in a registry has it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
