"""The http backend: any REST API or CRM, reached through `bridge.outbound`."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from bridge.backends.http_auth import Credentials, compile_auth, sendable
from bridge.backends.http_call import Alternative
from bridge.backends.http_compile import compile_call
from bridge.backends.http_names import wrong_name, wrong_value
from bridge.core.answers import read_answer
from bridge.core.expressions import EvaluationError
from bridge.core.functions import as_text
from bridge.core.late import Late, read
from bridge.core.located import Problems
from bridge.core.model import Accepted, Answer
from bridge.core.ports import Plan, Resources
from bridge.core.redact import header as masked
from bridge.errors import BridgeError, InternalError, InvalidParameters
from bridge.outbound import Engine, Incoming, Outgoing, header_value, open_engine
from bridge.settings import SettingError

#: RFC 3986: what a URL may be written with; a host beyond ASCII is written in its xn-- form.
_URL = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+").fullmatch

_ACCEPT = ("Accept", "application/json")


class HttpBackend:
    """One HTTP API: its base URL, credentials, headers, and the engine that reaches it.

    Nothing is connected before the first call, and the engine begins anew after a fork.
    """

    def __init__(self, options: Mapping[str, Any], resources: Resources, problems: Problems) -> None:
        self.base_url = _base_url(options, problems)
        self.credentials = compile_auth(options.get("auth", {}), problems.at("auth"))
        self.headers: dict[str, str | Late] = dict(options.get("headers", {}))
        self._state: dict[str, Any] = {"state": "unknown"}
        self._engine = _engine(options, resources, problems)
        _check_headers(self.headers, self.credentials, problems.at("headers"))

    def prepare(self, plan: Plan, problems: Problems) -> HttpTool:
        """Compile a tool's `call`."""
        return HttpTool(self, compile_call(plan, self.credentials, problems), plan.read_only)

    def send(self, outgoing: Outgoing) -> Incoming:
        """Send one request and remember how the backend does."""
        try:
            incoming = self._engine.send(outgoing)
        except BridgeError as error:
            self._state = {"state": "failing", "code": error.code, "since": self._state.get("since") or time.time()}
            raise
        if self._state["state"] != "ok":
            self._state = {"state": "ok"}
        return incoming

    def health(self) -> Mapping[str, Any]:
        """Return how the last request went; `since` is in seconds since 1970."""
        return self._state

    def close(self) -> None:
        """Close the engine's connections."""
        self._engine.close()


class HttpTool:
    """One tool's call to an http backend, ready to be filled in."""

    def __init__(self, backend: HttpBackend, alternatives: tuple[Alternative, ...], declared: bool | None) -> None:
        self._backend = backend
        self._alternatives = alternatives
        safe = all(alternative.method in ("GET", "HEAD") for alternative in alternatives)
        self._safe = safe if declared is None else declared
        self._standing = [_standing(backend, alternative) for alternative in alternatives]

    @property
    def read_only(self) -> bool:
        """Whether no alternative can change anything, by its method or by the registry's word."""
        return self._safe

    def execute(self, accepted: Accepted) -> Answer:
        """Send the first alternative that applies and return what came back."""
        context = accepted.context()
        alternative, outgoing = self._request(accepted, context)
        incoming = self._backend.send(outgoing)
        return _answer(alternative, incoming, context)

    def explain(self, accepted: Accepted) -> Mapping[str, Any]:
        """Return the request that `execute` would send, secrets masked."""
        _, outgoing = self._request(accepted, accepted.context(), show=True)
        body = None if outgoing.body is None else outgoing.body.decode("utf-8", "replace")
        headers = {name: masked(name, value) for name, value in outgoing.headers}
        return {"method": outgoing.method, "url": outgoing.url, "headers": headers, "body": body}

    def _request(
        self, accepted: Accepted, context: Mapping[str, Any], *, show: bool = False
    ) -> tuple[Alternative, Outgoing]:
        try:
            return self._filled_in(accepted, context, show)
        except EvaluationError as error:
            raise InvalidParameters(str(error)) from None

    def _filled_in(
        self, accepted: Accepted, context: Mapping[str, Any], show: bool
    ) -> tuple[Alternative, Outgoing]:
        index, alternative = self._choose(context)
        backend = self._backend
        extra = backend.credentials.query()
        if show:
            extra = tuple((name, "***") for name, _ in extra)
        url = backend.base_url + alternative.target(context, extra)
        if not url.startswith(backend.base_url + alternative.path.prefix):
            raise InternalError(log="the built URL left the declared path")
        headers = self._headers(index, alternative, accepted, context)
        payload = alternative.payload(context)
        return alternative, Outgoing(alternative.method, url, headers, payload, self._safe, accepted.deadline)

    def _choose(self, context: Mapping[str, Any]) -> tuple[int, Alternative]:
        for index, alternative in enumerate(self._alternatives):
            if alternative.applies(context):
                return index, alternative
        raise InvalidParameters("None of the ways to make this call fits these parameters")

    def _headers(
        self, index: int, alternative: Alternative, accepted: Accepted, context: Mapping[str, Any]
    ) -> tuple[tuple[str, str], ...]:
        own = [(name, header_value(name, _text(value))) for name, value in alternative.header_values(context)]
        fixed, late = self._standing[index]
        if late:
            fixed += tuple((name, sendable(name, read(value))) for name, value in late)
        if own:
            given = {name.lower() for name, _ in own}
            fixed = (*(field for field in fixed if field[0].lower() not in given), *own)
        headers = fixed + self._backend.credentials.headers()
        if accepted.call.traceparent:
            headers += (("traceparent", accepted.call.traceparent),)
        return headers


def _engine(options: Mapping[str, Any], resources: Resources, problems: Problems) -> Engine:
    def opened(name: str) -> Engine:
        concurrency = options.get("concurrency", resources.concurrency)
        return open_engine(name, concurrency=concurrency, max_answer=resources.max_answer)

    try:
        return opened(options.get("engine", resources.engine))
    except SettingError as error:
        problems.add(str(error), "engine")
        return opened("requests")


def _base_url(options: Mapping[str, Any], problems: Problems) -> str:
    url = str(options["base_url"]).rstrip("/")
    sentence = _wrong_url(url)
    if sentence is not None:
        problems.add(sentence, "base_url")
    return url


def _wrong_url(url: str) -> str | None:
    if any(character in url for character in "{}"):
        return "a base_url is fixed: parameters belong in a call's path"
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        whole = False
    if not whole or not _URL(url):
        return "a base_url is http:// or https://, a host and perhaps a port and a path, percent-encoded"
    if parts.username is not None or parts.query or parts.fragment:
        return "a base_url holds no user, query or fragment; credentials belong in `auth`"
    return None


def _check_headers(headers: Mapping[str, Any], credentials: Credentials, problems: Problems) -> None:
    for name, value in headers.items():
        sentence = wrong_name(name)
        if name.lower() == credentials.header:
            sentence = f"the header {name} carries the credential of `auth`"
        if sentence is not None:
            problems.add(sentence, name, key=True)
        elif isinstance(value, str) and (sentence := wrong_value(name, value)):
            problems.add(sentence, name)


def _standing(backend: HttpBackend, alternative: Alternative) -> tuple[tuple[tuple[str, str], ...], tuple[Any, ...]]:
    """Return the fixed and the late headers of one alternative before its own, which win over them."""
    given = {name.lower() for name in backend.headers}
    defaults = [_ACCEPT, *([("Content-Type", alternative.content_type)] if alternative.content_type else ())]
    standing = [*(field for field in defaults if field[0].lower() not in given), *backend.headers.items()]
    fixed = tuple((name, value) for name, value in standing if isinstance(value, str))
    return fixed, tuple((name, value) for name, value in standing if not isinstance(value, str))


def _text(value: Any) -> str:
    if isinstance(value, str | int | float):
        return as_text(value)
    raise InvalidParameters("A header takes text or a number, not an object or a list")


def _answer(alternative: Alternative, incoming: Incoming, context: dict[str, Any]) -> Answer:
    body, broken = read_answer(incoming.body, incoming.headers.get("content-type", ""))
    context.update(body=body, status=incoming.status, headers=incoming.headers)
    try:
        success = alternative.success(context)
    except EvaluationError as error:
        success, broken = True, str(error)
    return Answer(body, incoming.status, incoming.headers, success, broken)
