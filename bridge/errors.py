"""Every error that can leave a module of the bridge, as one tree.

    BridgeError
    ├── InvalidRequest           400  INVALID_REQUEST: wrong members
    │   ├── MalformedBody        400  not JSON, too deep
    │   ├── ForbiddenOrigin      403
    │   ├── UnknownPath          404
    │   ├── MethodNotAllowed     405
    │   ├── BodyTooLarge         413
    │   ├── UnsupportedMedia     415
    │   └── WrongHost            421
    ├── InvalidParameters        400  against the tool's schema, every mistake at once
    ├── Unauthorized             401  no or bad credentials
    ├── Forbidden                403  a scope is missing
    ├── ToolNotFound             404  unknown or not visible
    ├── NotFound                 404  the thing asked for does not exist at the backend
    ├── Conflict                 409  the same idempotency key is being executed
    ├── IdempotencyMismatch      422  the same key with other parameters
    ├── ConfirmationRequired     428  a write that wants a person's yes
    ├── RateLimited              429  over a limit
    ├── Cancelled                499  the caller cancelled
    ├── InternalError            500  a bug of ours
    ├── BackendRejected          502  the backend refused, nothing mapped
    ├── InvalidResult            502  not JSON, broken, too large, or against output_schema
    ├── OutcomeUnknown           502  a write was sent and nothing certain came back
    ├── BackendUnavailable       503  refused, DNS, breaker open
    ├── Overloaded               503  shedding
    └── BackendTimeout           504  a read over its deadline

A class fixes the status, whose move it is and whether trying again can help; an
instance adds the sentence. A registry may add a code of its own `like:` one of
these: same class, other `code`. No foreign exception leaves the module that
called it: whoever calls a library turns its errors into one of these.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

Mover = Literal["caller", "a person", "operator", "us", "nobody"]
Again = Literal["no", "yes", "later", "maybe"]


@dataclass(frozen=True, slots=True)
class Detail:
    """One invalid parameter: a JSON Pointer (RFC 6901) to it and what is wrong there."""

    path: str
    message: str


class BridgeError(Exception):
    """An error with a stable code that every protocol knows how to word.

    `message` may be shown to the caller; `log` is for the operator's log alone and
    may hold what a backend said. `retry_after` is in seconds.
    """

    code: ClassVar[str]
    status: ClassVar[int]
    move: ClassVar[Mover]
    again: ClassVar[Again]
    default: ClassVar[str]

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        details: Sequence[Detail] = (),
        retry_after: float | None = None,
        log: str | None = None,
    ) -> None:
        self.message = message if message is not None else self.default
        super().__init__(self.message)
        self.shown_code = code or self.code
        self.details = tuple(details)
        self.retry_after = retry_after
        self.log = log

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The HTTP headers that go with this error whatever the protocol."""
        return () if self.wait is None else (("Retry-After", str(self.wait)),)

    @property
    def wait(self) -> int | None:
        """`retry_after` in whole seconds, at least one."""
        return None if self.retry_after is None else max(1, math.ceil(self.retry_after))


class InvalidRequest(BridgeError):
    """The message is not one that the protocol knows."""

    code, status, move, again = "INVALID_REQUEST", 400, "caller", "no"
    default = "The request is not valid"


class MalformedBody(InvalidRequest):
    """The body is not the strict JSON that every door takes."""

    default = "The request body is not valid JSON"


class ForbiddenOrigin(InvalidRequest):
    """The Origin header names a site that may not call."""

    status = 403
    default = "Requests from this origin are not allowed"


class UnknownPath(InvalidRequest):
    """Nothing is served at this path."""

    status = 404
    default = "Nothing is served at this path"


class MethodNotAllowed(InvalidRequest):
    """The path exists, the method does not; `allow` lists those that do."""

    status = 405
    default = "This method is not allowed here"

    def __init__(self, allow: Sequence[str]) -> None:
        super().__init__(f"Use {' or '.join(allow)} here")
        self.allow = ", ".join(allow)

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Allow, as RFC 9110 section 15.5.6 asks."""
        return (("Allow", self.allow),)


class BodyTooLarge(InvalidRequest):
    """The body is over the configured size."""

    status = 413
    default = "The request body is too large"


class UnsupportedMedia(InvalidRequest):
    """The body is not declared as JSON, or is compressed."""

    status = 415
    default = "Send the body as application/json"


class WrongHost(InvalidRequest):
    """The Host header names a server that this one is not."""

    status = 421
    default = "This server does not answer for that host name"


class InvalidParameters(BridgeError):
    """The arguments break the tool's schema; `details` names every mistake."""

    code, status, move, again = "INVALID_PARAMETERS", 400, "caller", "no"
    default = "The parameters are not valid"


class Unauthorized(BridgeError):
    """No credential, or one that does not hold."""

    code, status, move, again = "UNAUTHORIZED", 401, "caller", "no"
    default = "Unauthorized"

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The challenge of RFC 6750 section 3."""
        return (("WWW-Authenticate", 'Bearer realm="toolbridge"'),)


class Forbidden(BridgeError):
    """The caller lacks a scope."""

    code, status, move, again = "FORBIDDEN", 403, "caller", "no"
    default = "This caller may not use the tool"


class ToolNotFound(BridgeError):
    """The tool is unknown or not visible to this caller; nobody can tell which."""

    code, status, move, again = "TOOL_NOT_FOUND", 404, "caller", "no"
    default = "Tool not found"


class NotFound(BridgeError):
    """The backend has no such thing."""

    code, status, move, again = "NOT_FOUND", 404, "caller", "no"
    default = "Not found"


class Conflict(BridgeError):
    """A call with the same idempotency key is still running."""

    code, status, move, again = "CONFLICT", 409, "caller", "later"
    default = "The same call is being executed; ask again in a moment"


class IdempotencyMismatch(BridgeError):
    """The idempotency key was used with other parameters."""

    code, status, move, again = "IDEMPOTENCY_MISMATCH", 422, "caller", "no"
    default = "This idempotency key was used with other parameters"


class ConfirmationRequired(BridgeError):
    """A person has to agree first."""

    code, status, move, again = "CONFIRMATION_REQUIRED", 428, "a person", "yes"
    default = "A person has to confirm this call"


class RateLimited(BridgeError):
    """Over a limit; `retry_after` says for how long."""

    code, status, move, again = "RATE_LIMITED", 429, "caller", "later"
    default = "Too many calls; try again later"


class Cancelled(BridgeError):
    """The caller went away or said stop."""

    code, status, move, again = "CANCELLED", 499, "nobody", "no"
    default = "The call was cancelled"


class InternalError(BridgeError):
    """A bug of ours: opaque to the caller, whole in the log."""

    code, status, move, again = "INTERNAL_ERROR", 500, "us", "no"
    default = "Internal error"


class BackendRejected(BridgeError):
    """The backend refused and no error of the registry says what that means."""

    code, status, move, again = "BACKEND_REJECTED", 502, "operator", "no"
    default = "The service refused the request"


class InvalidResult(BridgeError):
    """The backend's answer cannot be used."""

    code, status, move, again = "INVALID_RESULT", 502, "operator", "no"
    default = "The service gave an answer that cannot be used"


class OutcomeUnknown(BridgeError):
    """A write left and nothing certain came back; it is never repeated by us."""

    code, status, move, again = "OUTCOME_UNKNOWN", 502, "operator", "no"
    default = "The request was sent but its outcome is unknown; check before trying again"


class BackendUnavailable(BridgeError):
    """The backend cannot be reached; nothing was done."""

    code, status, move, again = "BACKEND_UNAVAILABLE", 503, "operator", "later"
    default = "Service temporarily unavailable"


class Overloaded(BridgeError):
    """The bridge sheds load."""

    code, status, move, again = "OVERLOADED", 503, "us", "later"
    default = "Too many calls at once; try again in a moment"


class BackendTimeout(BridgeError):
    """A read did not answer within its deadline."""

    code, status, move, again = "BACKEND_TIMEOUT", 504, "operator", "maybe"
    default = "The service did not answer in time"


def walk(root: type[BridgeError] = BridgeError) -> Iterator[type[BridgeError]]:
    """Yield every concrete class of the tree, parents first."""
    for child in root.__subclasses__():
        yield child
        yield from walk(child)


#: The classes a registry's `code:` and `like:` may name, by code.
BY_CODE: dict[str, type[BridgeError]] = {}
for _class in walk():
    BY_CODE.setdefault(_class.code, _class)
