"""The staff's pages cost the same however long the shop has sold: no large table is read from end to end."""

from datetime import timedelta
from itertools import islice

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.staff_site import PAGES
from config.health import must_be_migrated
from payments.alerts.rules import all_rules
from payments.billing.models import Dispute, Receipt
from payments.effects.models import Effect
from payments.ledger.models import PaymentEvent, Redelivery
from payments.orders.models import Order
from payments.statuses import EffectStatus
from tests.support.database import shared_rows
from tests.support.everything import make_everything, make_payout
from tests.support.factories import ActivityFactory
from tests.support.modules import make_module
from tests.support.query_plans import SIZES, captured, grow_tables, shrink_tables, troubles
from tests.support.road import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("years")]
SCREENS = {model._meta.label_lower: screen for model, screen in admin.site._registry.items()}
MOST_STATEMENTS = 12
CHOICES_TRIED = 12  # of one filter: all but those of the modules, which are alike
TERMS = ("evt_1", "pi_1", "O-000001", "ada@example.com", "ada", "latour", "b7a0d2c5-0f5c-4b1c-9f43-1f2cf1d8a111")


@pytest.fixture(scope="module")
def years(django_db_setup, django_db_blocker):
    """A little of everything, ten thousand times, and PostgreSQL believes that it is millions."""
    with shared_rows(django_db_blocker):
        make_everything()
        ActivityFactory.create_batch(300)
        for number in range(300):
            make_payout(f"po_of_day_{number}")
        for number in range(50):
            make_module(f"module-{number}")
        Receipt.objects.create(number=1, order=Order.objects.get(registration__name="Zoë Martin"), issued_at=NOON)
        Redelivery.objects.create(event=PaymentEvent.objects.first(), request_id="r-again", received_at=NOON)
        Effect.objects.exclude(pk=Effect.objects.first().pk).update(status=EffectStatus.DONE)
        grow_tables()
        yield
    with django_db_blocker.unblock():
        shrink_tables()


@pytest.fixture
def ask(page):
    """Open an address as somebody who may do everything; what is wrong with its statements."""
    # Each process asks these once.
    ContentType.objects.get_for_models(Dispute)
    must_be_migrated()

    def ask(address):
        with captured() as statements:
            response = page.get(address)
        assert response.status_code in (200, 302), address
        found = troubles(statements)
        if statements.count > MOST_STATEMENTS:
            found.append("\n    ".join([f"{statements.count} statements", *statements.seen]))
        return [f"{address}: {trouble}" for trouble in found]

    return ask


def choices(response):
    """What each filter of the list offers."""
    changelist = response.context.get("cl")
    # The shop is one row: its form stands in the place of a list.
    for spec in changelist.filter_specs if changelist else ():
        yield from (choice["query_string"] for choice in islice(spec.choices(changelist), CHOICES_TRIED))


@pytest.mark.parametrize("label", sorted(SCREENS))
class TestScreen:
    def test_reads_no_large_table(self, page, ask, label):
        name = f"admin:{label.replace('.', '_')}"
        address = reverse(f"{name}_changelist")
        asked = [address, *(f"{address}{query}" for query in dict.fromkeys(choices(page.get(address))))]
        asked += [f"{address}?q={term}" for term in TERMS if SCREENS[label].search_fields]
        if row := SCREENS[label].model._default_manager.first():
            asked.append(reverse(f"{name}_change", args=[row.pk]))

        found = [trouble for each in asked for trouble in ask(each)]

        assert found == [], "\n\n".join(found)


class TestPages:
    def test_of_our_own_read_no_large_table(self, ask):
        addresses = [reverse(f"admin:{page.name}") for page in PAGES if "<" not in page.route]
        addresses += [f"{reverse(page)}?q={term}" for page in ("admin:find", "admin:diagnose") for term in TERMS]

        found = [trouble for each in addresses for trouble in ask(each)]

        assert found == [], "\n\n".join(found)


class TestWatching:
    @pytest.mark.parametrize("address", ["/health", "/readyz", "/metrics"])
    def test_by_programs_reads_no_large_table(self, client, address):
        # What modules export is added up once an hour by each process, and accesses once in 15 seconds.
        client.get(address)
        with captured() as statements:
            assert client.get(address).status_code == 200

        assert troubles(statements) == []

    def test_by_the_rules_reads_none_but_what_is_looked_at_every_ten_minutes(self):
        for rule in all_rules():
            with captured() as statements:
                rule.look(at=timezone.now())

            assert rule.every >= timedelta(minutes=10) or troubles(statements) == [], rule.name


class TestTroubles:
    """The check itself finds what it is for."""

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT id FROM payments_order WHERE city = 'Lyon'",
            "SELECT count(*) FROM payments_order",
            "SELECT id FROM payments_order ORDER BY amount LIMIT 10",
            "SELECT id FROM payments_order WHERE city = 'Lyon' ORDER BY id LIMIT 10",
        ],
    )
    def test_are_reads_of_everything(self, sql):
        with captured() as statements, connection.cursor() as cursor:
            cursor.execute(sql)

        assert len(troubles(statements)) == 1

    def test_are_none_where_an_index_leads_to_the_rows(self):
        with captured() as statements, connection.cursor() as cursor:
            cursor.execute("SELECT id FROM payments_order WHERE email = %s", ["ada@example.com"])
            cursor.execute("SELECT id FROM payments_order ORDER BY id DESC LIMIT 10")

        assert troubles(statements) == []

    def test_knows_every_table_that_it_makes_large(self):
        assert SIZES.keys() <= set(connection.introspection.table_names())
