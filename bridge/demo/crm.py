"""The demo CRM: a small vendor API over plain WSGI, which `examples/crm.yaml` talks to.

It has the habits of a real one: a bearer key on every request, errors as
`{"error": {"code", "message"}}`, created things with 201. It is stricter than most:
a member it does not know is refused, so a mistake in a registry shows at once.

    GET  /v1/customers/{id}            POST /v1/tickets      (Idempotency-Key is honoured)
    GET  /v1/customers/search?email=   GET  /v1/tickets/{id}
    GET  /v1/customers/{id}/notes      POST /v1/callbacks
    POST /v1/customers/{id}/notes
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from bridge.demo import forms
from bridge.demo.records import CrmError, Records

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LARGEST_BODY = 65_536

#: The status of each of the CRM's error codes; what is not here is a 400.
STATUS = {
    "unauthorized": 401,
    "customer_not_found": 404,
    "ticket_not_found": 404,
    "unknown_path": 404,
    "method_not_allowed": 405,
    "body_too_large": 413,
    "unsupported_media_type": 415,
    "idempotency_mismatch": 422,
}


@dataclass(frozen=True, slots=True)
class Visit:
    """One request as a view sees it: the variable parts of its path, and the rest when asked for."""

    environ: WSGIEnvironment
    records: Records
    path: dict[str, str]

    def fields(self, form: forms.Form) -> dict[str, str | None]:
        """Return the JSON body as `form` accepts it."""
        return forms.read(form, _body(self.environ))


Reply = tuple[int, Any]
View = Callable[[Visit], Reply]


def _get_customer(visit: Visit) -> Reply:
    return 200, visit.records.customer(visit.path["customer_id"])


def _find_customer(visit: Visit) -> Reply:
    query = parse_qs(visit.environ.get("QUERY_STRING", ""), keep_blank_values=True)
    if list(query) != ["email"] or len(query["email"]) != 1:
        raise CrmError("invalid_query", "Search by exactly one parameter: email")
    return 200, visit.records.customer_by_email(query["email"][0])


def _get_notes(visit: Visit) -> Reply:
    return 200, {"notes": visit.records.notes(visit.path["customer_id"])}


def _add_note(visit: Visit) -> Reply:
    return 201, visit.records.add_note(visit.path["customer_id"], visit.fields(forms.NOTE))


def _open_ticket(visit: Visit) -> Reply:
    key = visit.environ.get("HTTP_IDEMPOTENCY_KEY")
    return 201, visit.records.open_ticket(visit.fields(forms.TICKET), key)


def _get_ticket(visit: Visit) -> Reply:
    return 200, visit.records.ticket(visit.path["ticket_id"])


def _book_callback(visit: Visit) -> Reply:
    booking, new = visit.records.book_callback(visit.fields(forms.CALLBACK))
    return (201 if new else 200), booking


#: First match wins: the search stands before the customer who would be called "search".
ROUTES: dict[str, dict[str, View]] = {
    r"/v1/customers/search": {"GET": _find_customer},
    r"/v1/customers/(?P<customer_id>[^/]+)": {"GET": _get_customer},
    r"/v1/customers/(?P<customer_id>[^/]+)/notes": {"GET": _get_notes, "POST": _add_note},
    r"/v1/tickets": {"POST": _open_ticket},
    r"/v1/tickets/(?P<ticket_id>[^/]+)": {"GET": _get_ticket},
    r"/v1/callbacks": {"POST": _book_callback},
}


class Crm:
    """The WSGI application. `key` is the only credential it takes, as `Authorization: Bearer`."""

    def __init__(self, key: str, records: Records | None = None) -> None:
        self._expected = f"Bearer {key}".encode()
        self._records = records or Records()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        headers = [("Content-Type", "application/json")]
        try:
            status, answer = self._answer(environ, headers)
        except CrmError as error:
            status = STATUS.get(error.code, 400)
            answer = {"error": {"code": error.code, "message": error.message}}
        body = json.dumps(answer, ensure_ascii=False).encode()
        headers.append(("Content-Length", str(len(body))))
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [body]

    def _answer(self, environ: WSGIEnvironment, headers: list[tuple[str, str]]) -> Reply:
        given = environ.get("HTTP_AUTHORIZATION", "").encode("latin-1", "replace")
        if not hmac.compare_digest(given, self._expected):
            headers.append(("WWW-Authenticate", "Bearer"))
            raise CrmError("unauthorized", "Send the API key as a bearer token")
        views, path = _route(environ["PATH_INFO"])
        view = views.get(environ["REQUEST_METHOD"])
        if view is None:
            headers.append(("Allow", ", ".join(views)))
            raise CrmError("method_not_allowed", f"Use {' or '.join(views)} here")
        return view(Visit(environ, self._records, path))


def _route(path_info: str) -> tuple[dict[str, View], dict[str, str]]:
    # PEP 3333: the path is bytes read as latin-1.
    path = path_info.encode("latin-1").decode("utf-8", "replace")
    for pattern, views in ROUTES.items():
        if match := re.fullmatch(pattern, path):
            return views, match.groupdict()
    raise CrmError("unknown_path", "There is nothing here")


def _body(environ: WSGIEnvironment) -> Any:
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != "application/json":
        raise CrmError("unsupported_media_type", "Send application/json")
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > LARGEST_BODY:
        raise CrmError("body_too_large", f"A body has at most {LARGEST_BODY} bytes")
    try:
        return json.loads(environ["wsgi.input"].read(int(length)))
    except (ValueError, RecursionError, OSError):
        raise CrmError("invalid_json", "The body is not complete JSON") from None
