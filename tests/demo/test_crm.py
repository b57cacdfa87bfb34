"""The demo CRM behaves like a strict vendor's API."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from werkzeug.test import Client, TestResponse

from bridge.demo.crm import LARGEST_BODY, Crm
from bridge.demo.records import Records

KEY = "a-key-for-the-tests"
TICKET = {"customer_id": "C-1001", "title": "Late parcel", "description": "It should be here since Monday."}
CALLBACK = {"customer_id": "C-1001", "preferred_time": "2026-12-01T15:00:00Z"}


class Vendor:
    """The CRM as somebody with the key sees it."""

    def __init__(self) -> None:
        self.crm = Crm(KEY, Records(now=lambda: 1_795_000_000))

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> TestResponse:
        content_type = headers.pop("Content_Type", "application/json")
        more = {"Authorization": f"Bearer {KEY}"} | {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body)
        return Client(self.crm).open(path, method=method, data=data, content_type=content_type, headers=more)

    def code(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, str]:
        answer = self.ask(method, path, body, **headers)
        assert set(answer.json) == {"error"}
        assert set(answer.json["error"]) == {"code", "message"}
        return answer.status_code, answer.json["error"]["code"]


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", f"Basic {KEY}", f"Bearer {KEY} ", "Bearer \xe9"])
def test_without_the_key_nothing_is_told_not_even_what_exists(vendor: Vendor, given: str) -> None:
    for path in ("/v1/customers/C-1001", "/v1/nothing"):
        answer = vendor.ask("GET", path, Authorization=given)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.json["error"]["code"] == "unauthorized"


def test_a_customer_is_found_by_id_and_by_e_mail(vendor: Vendor) -> None:
    by_id = vendor.ask("GET", "/v1/customers/C-1002")
    by_email = vendor.ask("GET", "/v1/customers/search?email=T.Zielinski%2Bshop@poczta.example")
    assert by_id.status_code == by_email.status_code == 200
    assert by_id.json == by_email.json
    assert by_id.json["name"] == "Tomasz Zieliński"


def test_a_plus_that_was_not_encoded_is_a_space_and_finds_nobody(vendor: Vendor) -> None:
    path = "/v1/customers/search?email=t.zielinski+shop@poczta.example"
    assert vendor.code("GET", path) == (404, "customer_not_found")


@pytest.mark.parametrize("query", ["", "?email=a&email=b", "?mail=a", "?email=a&id=1"])
def test_a_search_takes_exactly_one_address(vendor: Vendor, query: str) -> None:
    assert vendor.code("GET", f"/v1/customers/search{query}") == (400, "invalid_query")


def test_a_ticket_that_was_opened_can_be_read_and_is_counted(vendor: Vendor) -> None:
    opened = vendor.ask("POST", "/v1/tickets", TICKET)
    assert opened.status_code == 201
    assert opened.json | TICKET == opened.json
    assert opened.json["priority"] == "medium"
    assert vendor.ask("GET", f"/v1/tickets/{opened.json['id']}").json == opened.json
    assert vendor.ask("GET", "/v1/customers/C-1001").json["open_tickets_count"] == 1


def test_an_idempotency_key_opens_one_ticket(vendor: Vendor) -> None:
    first = vendor.ask("POST", "/v1/tickets", TICKET, Idempotency_Key="k1")
    again = vendor.ask("POST", "/v1/tickets", TICKET, Idempotency_Key="k1")
    other = vendor.ask("POST", "/v1/tickets", TICKET, Idempotency_Key="k2")
    assert first.json == again.json != other.json
    changed = TICKET | {"title": "Another"}
    assert vendor.code("POST", "/v1/tickets", changed, Idempotency_Key="k1") == (422, "idempotency_mismatch")
    assert vendor.ask("GET", "/v1/customers/C-1001").json["open_tickets_count"] == 2


def test_notes_are_kept_in_their_order(vendor: Vendor) -> None:
    for text in ("first", "second"):
        assert vendor.ask("POST", "/v1/customers/C-1003/notes", {"text": text, "type": "sales"}).status_code == 201
    notes = vendor.ask("GET", "/v1/customers/C-1003/notes").json["notes"]
    assert [(note["id"], note["text"]) for note in notes] == [("C-1003-N1", "first"), ("C-1003-N2", "second")]


def test_the_same_moment_is_booked_once(vendor: Vendor) -> None:
    first = vendor.ask("POST", "/v1/callbacks", CALLBACK)
    again = vendor.ask("POST", "/v1/callbacks", CALLBACK)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == again.json
    assert first.json["status"] == "scheduled"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (TICKET | {"colour": "red"}, "unknown_field"),
        (TICKET | {"priority": "asap"}, "invalid_field"),
        (TICKET | {"title": "x" * 201}, "invalid_field"),
        (TICKET | {"title": " "}, "invalid_field"),
        (TICKET | {"title": 7}, "invalid_field"),
        ({"customer_id": "C-1001", "title": "no description"}, "missing_field"),
        ([], "invalid_body"),
        (b"{", "invalid_json"),
        (b"\xff", "invalid_json"),
        (b"[" * 60_000, "invalid_json"),
        (b"", "invalid_json"),
    ],
)
def test_a_mistake_in_a_body_is_named(vendor: Vendor, body: object, code: str) -> None:
    assert vendor.code("POST", "/v1/tickets", body) == (400, code)


@pytest.mark.parametrize("moment", ["tomorrow", "2026-12-01", "2026-12-01T15:00:00", "15:00Z"])
def test_a_call_back_wants_a_moment_with_an_offset(vendor: Vendor, moment: str) -> None:
    assert vendor.code("POST", "/v1/callbacks", CALLBACK | {"preferred_time": moment}) == (400, "invalid_field")


def test_what_does_not_exist_is_not_found(vendor: Vendor) -> None:
    assert vendor.code("GET", "/v1/customers/C-9") == (404, "customer_not_found")
    assert vendor.code("GET", "/v1/customers/C-9/notes") == (404, "customer_not_found")
    assert vendor.code("POST", "/v1/callbacks", CALLBACK | {"customer_id": "C-9"}) == (404, "customer_not_found")
    assert vendor.code("GET", "/v1/tickets/T-9") == (404, "ticket_not_found")
    assert vendor.code("GET", "/v1/customers/C-1001/secrets") == (404, "unknown_path")
    assert vendor.code("GET", "/v1/customers/ÿ\n") == (404, "customer_not_found")


def test_a_wrong_method_says_which_are_right(vendor: Vendor) -> None:
    answer = vendor.ask("DELETE", "/v1/customers/C-1001/notes")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")


def test_only_small_json_is_read(vendor: Vendor) -> None:
    assert vendor.code("POST", "/v1/tickets", b" " * (LARGEST_BODY + 1)) == (413, "body_too_large")
    assert vendor.code("POST", "/v1/tickets", TICKET, Content_Type="text/plain") == (415, "unsupported_media_type")


def test_many_threads_lose_no_ticket(vendor: Vendor) -> None:
    with ThreadPoolExecutor(16) as pool:
        tickets = list(pool.map(lambda _: vendor.ask("POST", "/v1/tickets", TICKET).json["id"], range(200)))
    assert len(set(tickets)) == 200
    assert vendor.ask("GET", "/v1/customers/C-1001").json["open_tickets_count"] == 200


def test_what_was_given_out_cannot_change_what_is_stored() -> None:
    records = Records()
    records.customer("C-1001")["name"] = "Mallory"
    assert records.customer("C-1001")["name"] == "Inês Carvalho"
