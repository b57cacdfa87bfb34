"""From a backend's answer to the caller's result, or to the error that the registry maps it to.

The order is the same for every kind: the registry's `errors` first (the tool's, then
the backend's; the first match wins and is looked at on every status), then the kind's own
verdict on the status, then whether the body could be read, and only then `result`. What
the backend said reaches the caller only where a message of the registry puts it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any

from bridge.core.expressions import EvaluationError, Expression, Scope, truthy
from bridge.core.located import dotted
from bridge.core.model import Accepted, Answer
from bridge.core.schemas import Validator
from bridge.errors import BackendRejected, BackendUnavailable, BridgeError, InvalidResult, OutcomeUnknown

Judge = Callable[[Accepted, Answer], Any]

#: The longest `Retry-After` passed on to a caller, in seconds.
MAX_RETRY_AFTER = 3_600.0
#: How much of a refusal's body goes to the log, in characters: more than a line of it shows, so that
#: the log can mask secrets before it cuts, and never cuts through one.
MAX_LOGGED = 8_000


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """One entry of `errors`: when it applies and what the caller gets.

    `statuses` is a range of HTTP statuses (None: any), `failures` keeps it from answers that
    count as a success, `when` is a condition over the answer; `kind` is the class, `code`
    the name shown, `message` text or an expression.
    """

    statuses: range | None
    failures: bool
    when: Expression | None
    kind: type[BridgeError]
    code: str
    message: Expression | str | None

    def matches(self, answer: Answer, context: Mapping[str, Any]) -> bool:
        """Say whether this rule is about `answer`."""
        if self.statuses is not None and answer.status not in self.statuses:
            return False
        if self.failures and answer.success:
            return False
        return self.when is None or truthy(self.when(context))

    def error(self, accepted: Accepted, answer: Answer, context: Mapping[str, Any]) -> BridgeError:
        """Return the error to raise."""
        message = self.message(context) if isinstance(self.message, Expression) else self.message
        return self.kind(
            None if message is None else str(message),
            code=self.code,
            retry_after=_retry_after(answer, accepted.call.unix),
            log=_told(answer),
        )


def with_answer(scope: Scope) -> Scope:
    """Return what an expression may see once there is an answer."""
    return replace(scope, roots=scope.roots | {"body", "status", "headers"})


def compile_judge(
    rules: Sequence[ErrorRule], result: Callable[[Mapping[str, Any]], Any] | None, read_only: bool
) -> Judge:
    """Return the function that turns an answer into a result or raises.

    `result` is the compiled tree of the tool's `result`; without it the answer's body is the result.
    """

    def judge(accepted: Accepted, answer: Answer) -> Any:
        if answer.success and not answer.broken and result is None and not rules:
            return answer.body
        context = accepted.context()
        context.update(body=answer.body, status=answer.status, headers=answer.headers)
        try:
            for rule in rules:
                if rule.matches(answer, context):
                    raise rule.error(accepted, answer, context)
            _accept(accepted, answer, read_only)
            return answer.body if result is None else result(context)
        except EvaluationError as error:
            raise InvalidResult(log=str(error)) from None

    return judge


def _accept(accepted: Accepted, answer: Answer, read_only: bool) -> None:
    if not answer.success:
        raise _unmapped(accepted, answer, read_only)
    if answer.broken:
        raise InvalidResult(log=answer.broken)


def _unmapped(accepted: Accepted, answer: Answer, read_only: bool) -> BridgeError:
    """Return the error for a refusal that no rule names (registry.md, `errors`)."""
    status = answer.status or 0
    if status in (429, 503):
        wait = _retry_after(answer, accepted.call.unix)
        return BackendUnavailable(retry_after=5.0 if wait is None else wait, log=_told(answer))
    if status == 408 or status >= 500:
        log = _told(answer)
        return BackendUnavailable(retry_after=5.0, log=log) if read_only else OutcomeUnknown(log=log)
    return BackendRejected(log=_told(answer))


def _told(answer: Answer) -> str:
    body = answer.body
    said = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, default=repr)
    return f"status {answer.status}: {answer.broken or ''}{said}"[:MAX_LOGGED]


def _retry_after(answer: Answer, unix: float) -> float | None:
    """Return the seconds of a Retry-After header (RFC 9110 section 10.2.3), between 1 and an hour."""
    text = answer.headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text) if text.isdecimal() else parsedate_to_datetime(text).timestamp() - unix
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 1.0), MAX_RETRY_AFTER)


def compile_check(schema: Mapping[str, Any] | None) -> Callable[[Any], None]:
    """Return the function that holds a result against `output_schema`; raises InvalidResult. SchemaError at load."""
    if schema is None:
        return _anything
    validator = Validator(schema)

    def check(result: Any) -> None:
        if not validator.is_valid(result):
            first = validator.violations(result)[0]
            where = dotted(first.path) or "the whole"
            raise InvalidResult(log=f"the result breaks output_schema: {first.keyword} of {where}")

    return check


def _anything(result: Any) -> None:
    """Without an `output_schema` every result will do."""
