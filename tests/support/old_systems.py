"""Exports of the five old systems, as their operators would make them: made up, and the same at every call."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

BEGAN = datetime(2025, 1, 6, 9, tzinfo=UTC)
Cells = Mapping[str, Any]
ACTIVITIES, MODULES = 20, 10
STATUSES = ("PAID", "PAID", "PAID", "PAID", "FAILED", "EXPIRED", "CANCELED", "REFUNDED", "PAID", "PAID")


def users(count: int, *, prefix: str = "usr", start: int = 0) -> Iterator[Cells]:
    """Document 00: who has an account; most have confirmed their address."""
    for n in range(start, start + count):
        yield {
            "id": f"{prefix}-{n:05d}", "email": f"Person.{n}@Example.org", "name": f"Prénom {n}", "language": "fr",
            "email_confirmed": n % 10 != 9, "created_at": _moment(n),
        }  # fmt: skip


def registrations(count: int) -> Iterator[Cells]:
    """Document 01: who registered for what, with the session of Stripe in which it was paid."""
    for n in range(count):
        status, number = STATUSES[n % len(STATUSES)], n % ACTIVITIES
        yield {
            "id": f"reg-{n:05d}", "email": f"person.{n}@example.org", "name": f"Prénom {n}", **_order(n, status),
            "activity": f"evt-{number}", "activity_title": f"Atelier {number}",
            "activity_starts_at": "2027-06-01 10:00:00+00", "activity_capacity": count, "activity_place": "Lyon",
        }  # fmt: skip


def orders(count: int, *, modules: int = 0) -> Iterator[Cells]:
    """Document 02: orders by session; `modules` > 0: of so many modules, else of what is sold no longer."""
    for n in range(count):
        yield {
            "id": f"cmord{n:05d}", "email": f"person.{n}@example.org", "label": "Pack", "user": f"usr-{n:05d}",
            "module": str(n % modules + 1) if modules else "", **_order(n, STATUSES[n % len(STATUSES)]),
        }  # fmt: skip


def subscriptions(count: int) -> Iterator[Cells]:
    """Document 03: who subscribes at Stripe, by the id of a document database."""
    for n in range(count):
        yield {"id": f"sub_old{n:05d}", "user": f"usr-{n:05d}"}


def modules(count: int = MODULES) -> Iterator[Cells]:
    """Document 04: what can be learned, by a number each."""
    for n in range(1, count + 1):
        yield {"id": n, "title": f"Stable Diffusion {n}", "price": 4900, "url": f"https://m{n}.example/enter"}


def tokens(count: int) -> Iterator[Cells]:
    """Document 04: tokens by the id of a person and the number of a module."""
    for n in range(count):
        yield {
            "id": f"tok-{n:05d}", "user": f"usr-{n:05d}", "module": n % MODULES + 1, "access_level": "premium",
            "expires_at": "2027-01-01 00:00:00", "max_usage": 100, "current_usage": n % 101,
            "is_active": n % 20 != 19, "created_at": _moment(n),
        }  # fmt: skip


def _order(n: int, status: str) -> Cells:
    is_paid = status in ("PAID", "REFUNDED")
    return {
        "amount": 4900, "currency": "EUR", "status": status, "created_at": _moment(n),
        "paid_at": _moment(n, minutes=4) if is_paid else "", "stripe_session_id": f"cs_live_old{n:05d}",
        "stripe_payment_intent_id": f"pi_old{n:05d}" if is_paid else "",
    }  # fmt: skip


def _moment(n: int, *, minutes: int = 0) -> str:
    """As PostgreSQL writes it."""
    return f"{BEGAN + timedelta(minutes=37 * n + minutes):%Y-%m-%d %H:%M:%S}+00"


def write_csv(path: Path, rows: Iterator[Cells], *, delimiter: str = ",", bom: bool = False) -> Path:
    """As a spreadsheet (with `bom` and ;) or a database would."""
    made = [*rows]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(made[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(made)
    path.write_text(text.getvalue(), encoding="utf-8-sig" if bom else "utf-8")
    return path


def write_json_lines(path: Path, rows: Iterator[Cells]) -> Path:
    """As a document database would."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path
