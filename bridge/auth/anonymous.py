"""The authenticator of a registry that names no callers: everybody is the same caller.

The door sees to it that "everybody" means the loopback interface (guarantees: the door).
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.core.model import Caller


class OpenAuthenticator:
    """The port Authenticator where nobody has to authenticate; a credential that is shown anyway means nothing."""

    def __init__(self, everybody: Caller) -> None:
        self._everybody = everybody

    def authenticate(self, headers: Mapping[str, str]) -> Caller:
        """Return the one caller."""
        return self._everybody
