"""What the demo CRM remembers: customers, tickets, notes and call-backs, in memory."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

Record = dict[str, Any]
Fields = Mapping[str, Any]

#: Who takes a ticket of each priority.
AGENTS = {"low": "Pool", "medium": "Pool", "high": "Marta Ruiz", "urgent": "Marta Ruiz"}


class CrmError(Exception):
    """The CRM will not do what was asked; `code` is one of the CRM's own."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def _customer(number: int, name: str, email: str, phone: str | None, **more: Any) -> Record:
    """Return a customer as the CRM keeps it, with a few things that an assistant should never be told."""
    return {
        "id": f"C-{number}",
        "name": name,
        "email": email,
        "phone": phone,
        **more,
        "open_tickets_count": 0,
        "credit_limit": 5000,
        "internal_remark": "do not pass on",
    }


def _customers() -> list[Record]:
    return [
        _customer(
            1001, "Inês Carvalho", "ines@carvalho.example", "+351 210 555 014",
            tier="gold", total_spent=1840.5, last_purchase_date="2026-10-02",
        ),
        _customer(
            1002, "Tomasz Zieliński", "t.zielinski+shop@poczta.example", "+48 22 555 01 88",
            tier="silver", total_spent=312.0, last_purchase_date="2026-08-19",
        ),
        _customer(
            1003, "Amara Obi", "amara.obi@mail.example", None,
            tier="basic", total_spent=0, last_purchase_date=None,
        ),
    ]  # fmt: skip


class Records:
    """The CRM's tables; every method may be called from any thread.

    What goes out is a copy, so a caller cannot change what is stored. `now` gives
    the time in seconds since 1970.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._customers = {customer["id"]: customer for customer in _customers()}
        self._tickets: dict[str, Record] = {}
        self._notes: dict[str, list[Record]] = {}
        self._callbacks: dict[str, Record] = {}
        self._repeats: dict[str, tuple[Fields, Record]] = {}

    def customer(self, customer_id: str) -> Record:
        """Return one customer by id."""
        with self._lock:
            return dict(self._known(customer_id))

    def customer_by_email(self, email: str) -> Record:
        """Return the one customer with that address, in whatever case it is written."""
        with self._lock:
            for customer in self._customers.values():
                if customer["email"].casefold() == email.casefold():
                    return dict(customer)
        raise CrmError("customer_not_found", "No customer has this e-mail address")

    def open_ticket(self, fields: Fields, key: str | None = None) -> Record:
        """Open a ticket; the same idempotency `key` with the same fields gives the same ticket again."""
        with self._lock:
            if key is not None and key in self._repeats:
                return dict(self._repeated(key, fields))
            customer = self._known(fields["customer_id"])
            ticket = self._new_ticket(fields)
            self._tickets[ticket["id"]] = ticket
            customer["open_tickets_count"] += 1
            if key is not None:
                self._repeats[key] = (dict(fields), ticket)
            return dict(ticket)

    def ticket(self, ticket_id: str) -> Record:
        """Return one ticket by id."""
        with self._lock:
            if ticket_id not in self._tickets:
                raise CrmError("ticket_not_found", "There is no such ticket")
            return dict(self._tickets[ticket_id])

    def add_note(self, customer_id: str, fields: Fields) -> Record:
        """Write a note into the customer's file."""
        with self._lock:
            self._known(customer_id)
            notes = self._notes.setdefault(customer_id, [])
            note = {"id": f"{customer_id}-N{len(notes) + 1}", "customer_id": customer_id, **fields, **self._stamp()}
            notes.append(note)
            return dict(note)

    def notes(self, customer_id: str) -> list[Record]:
        """Return the customer's notes, oldest first."""
        with self._lock:
            self._known(customer_id)
            return [dict(note) for note in self._notes.get(customer_id, ())]

    def book_callback(self, fields: Fields) -> tuple[Record, bool]:
        """Book a call; return the booking and whether it is new.

        One customer has one booking for one moment, however often it is asked for.
        """
        with self._lock:
            self._known(fields["customer_id"])
            slot = f"{fields['customer_id']} {fields['preferred_time']}"
            booking_id = "CB-" + hashlib.sha256(slot.encode()).hexdigest()[:8]
            if booking_id in self._callbacks:
                return dict(self._callbacks[booking_id]), False
            self._callbacks[booking_id] = {"id": booking_id, **fields, "status": "scheduled"}
            return dict(self._callbacks[booking_id]), True

    def _known(self, customer_id: str) -> Record:
        if customer_id not in self._customers:
            raise CrmError("customer_not_found", "There is no such customer")
        return self._customers[customer_id]

    def _repeated(self, key: str, fields: Fields) -> Record:
        before, ticket = self._repeats[key]
        if before != fields:
            raise CrmError("idempotency_mismatch", "This Idempotency-Key was used for another ticket")
        return ticket

    def _new_ticket(self, fields: Fields) -> Record:
        number = len(self._tickets) + 1
        return {
            "id": f"T-{number}",
            "number": f"2026-{number:04d}",
            "status": "open",
            "assigned_agent": AGENTS[fields["priority"]],
            **fields,
            **self._stamp(),
        }

    def _stamp(self) -> Record:
        return {"created_at": datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="seconds")}
