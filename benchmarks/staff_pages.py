"""How long the staff's pages take with little and with years of rows behind them, and how much of it in the database.

`.venv/bin/python -m benchmarks.staff_pages [PERCENT]`
PERCENT: of 2 000 000 events, 500 000 orders and what belongs to them (tests/support/query_plans.py); else 100.
"""

import time
from statistics import median
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.staff_site import PAGES
from benchmarks import how_many
from payments.billing.models import Receipt
from payments.ledger.models import PaymentEvent, Redelivery
from payments.orders.models import Order
from tests.support.everything import make_everything
from tests.support.factories import ActivityFactory, make_staff
from tests.support.query_plans import COPIES, SIZES, multiply_rows
from tests.support.road import NOON

TIMES = 5
TERMS = ("ada@example.com", "O-000001", "evt_1", "pi_1", "latour")


def main() -> None:
    """Prints for each page the medians with few rows and with many, whole and in the database, the worst last."""
    percent = how_many("PERCENT", default=100)
    settings.ALLOWED_HOSTS = ["testserver"]
    call_command("migrate", verbosity=0)
    make_everything()
    ActivityFactory.create_batch(300)
    Receipt.objects.create(number=1, order=Order.objects.earliest("pk"), issued_at=NOON)
    Redelivery.objects.create(event=PaymentEvent.objects.earliest("pk"), request_id="r-again", received_at=NOON)
    client = Client()
    client.force_login(make_staff(email="boss@example.com"))
    few = {address: measure(client, address) for address in addresses()}
    began = time.perf_counter()
    multiply_rows({table: max(COPIES, rows * percent // 100) for table, rows in SIZES.items()})
    print(f"{PaymentEvent.objects.count():,} events made in {time.perf_counter() - began:.0f} s")
    many = {address: measure(client, address) for address in addresses()}
    for address in sorted(few, key=lambda each: many[each][1]):
        (whole, database), (whole_then, database_then) = few[address], many[address]
        print(
            f"{address[:70]:70} {whole:5.0f} → {whole_then:5.0f} ms ({whole_then / whole:.1f}×), "
            f"database {database:5.1f} → {database_then:6.1f} ms"
        )


def addresses() -> list[str]:
    """Lists, the page of the newest row of each, pages of our own, searches, and what programs watch."""
    found = [reverse(f"admin:{page.name}") for page in PAGES if "<" not in page.route]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found.append(reverse(f"{name}_changelist"))
        if row := model._default_manager.order_by("pk").first():
            found.append(reverse(f"{name}_change", args=[row.pk]))
    return [*found, *(f"{reverse('admin:find')}?q={term}" for term in TERMS), "/health", "/readyz", "/metrics"]


def measure(client: Client, address: str) -> tuple[float, float]:
    """Milliseconds of one request, whole and in the database; the first, which fills caches, does not count."""
    client.get(address)
    whole, database = [], []
    for _time in range(TIMES):
        watch, began = Watch(), time.perf_counter()
        with connection.execute_wrapper(watch):
            client.get(address)
        whole.append((time.perf_counter() - began) * 1000)
        database.append(watch.milliseconds)
    return median(whole), median(database)


class Watch:
    """Adds up how long statements take."""

    milliseconds = 0.0

    def __call__(self, execute: Any, *statement: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(*statement)
        finally:
            self.milliseconds += (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
