"""Callers that show a bearer token (RFC 6750), and the one that shows nothing.

Tokens are known by their SHA-256 only, so a look-up in a table tells an attacker
nothing about how near a guess was; the comparison that remains is constant-time.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence

from bridge.core.model import Caller
from bridge.core.tokens import digest
from bridge.errors import Unauthorized


class TokenAuthenticator:
    """The port Authenticator over the callers of a registry.

    `credentials` maps digests to callers, `late` are tokens that are read again when their
    file changes, `anonymous` is who comes without a credential, None if nobody may.
    """

    def __init__(
        self,
        credentials: Mapping[str, Caller],
        late: Sequence[tuple[Callable[[], str], Caller]],
        anonymous: Caller | None,
    ) -> None:
        self._credentials = credentials
        self._late = late
        self._anonymous = anonymous

    def authenticate(self, headers: Mapping[str, str]) -> Caller:
        """Return the caller. A wrong credential is refused even where none would be needed."""
        header = headers.get("authorization")
        if header is None:
            if self._anonymous is None:
                raise Unauthorized
            return self._anonymous
        scheme, _, token = header.partition(" ")
        token = token.strip()
        # Nothing is no token, whatever a file that should hold one may say at the moment.
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized
        return self._known(digest(token))

    def _known(self, shown: str) -> Caller:
        caller = self._credentials.get(shown)
        if caller is not None:
            return caller
        for read, owner in self._late:
            if hmac.compare_digest(digest(read()), shown):
                return owner
        raise Unauthorized
