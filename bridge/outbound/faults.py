"""What became of a request that got no usable answer, and which error that is for a read and for a write.

A read may be asked again, so its errors say how the backend failed. A write must not be, so its errors
say what is certain:

    what happened                                        a read               a write
    NOT_SENT   refused, DNS, TLS, no connection in time  BACKEND_UNAVAILABLE  BACKEND_UNAVAILABLE
    EXPIRED    the deadline passed before it was sent    BACKEND_TIMEOUT      BACKEND_UNAVAILABLE
    LATE       sent; the deadline passed                 BACKEND_TIMEOUT      OUTCOME_UNKNOWN
    GONE       sent; the connection ended unanswered     BACKEND_UNAVAILABLE  OUTCOME_UNKNOWN
    BROKEN     sent; the answer is not whole or not HTTP INVALID_RESULT       OUTCOME_UNKNOWN
    UNUSABLE   sent; status and headers are certain, the
               body is too large or wrongly compressed   INVALID_RESULT       INVALID_RESULT

"Sent" means that at least one byte of the request was handed to the connection. A status alone is no
certainty: a server that streams writes `200 OK` before the work is done, so a body that is cut off, by a
missing end, a reset, a bad chunk or the deadline, leaves a write's outcome unknown whatever the status
was. Contradictory, endless or missing headers leave the status itself in doubt. Only where the server
said all it wanted to say, or was stopped by our own cap, is the call over and the result alone unusable.
"""

from __future__ import annotations

import re
from enum import Enum

from bridge.errors import BackendTimeout, BackendUnavailable, BridgeError, InvalidResult, OutcomeUnknown
from bridge.outbound.message import Outgoing

#: Seconds after which a caller may try again.
RETRY_AFTER = 1.0

_authority = re.compile(r"(\w+://)(?:[^/?#]*@)?([^/?#]*)").match


class Fault(Enum):
    """A row of the table above: the error for a read, the error for a write."""

    NOT_SENT = (BackendUnavailable, BackendUnavailable)
    EXPIRED = (BackendTimeout, BackendUnavailable)
    LATE = (BackendTimeout, OutcomeUnknown)
    GONE = (BackendUnavailable, OutcomeUnknown)
    BROKEN = (InvalidResult, OutcomeUnknown)
    UNUSABLE = (InvalidResult, InvalidResult)

    def error(self, outgoing: Outgoing, why: str) -> BridgeError:
        """Return the error to raise; `why` and the origin go to the log, no header, path or query does."""
        read, write = self.value
        kind: type[BridgeError] = read if outgoing.safe else write
        found = _authority(outgoing.url)
        origin = "".join(found.groups()) if found else "?"
        retry_after = RETRY_AFTER if kind is BackendUnavailable else None
        return kind(retry_after=retry_after, log=f"{outgoing.method} {origin}: {self.name}: {why}")
