"""The first page of the staff: what needs a person, one button each for who may press it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from payments.billing.models import Dispute, Payment
from payments.ledger.models import HeldType
from payments.orders.models import OrderException
from payments.statuses import DisputePhase, DisputeStatus, ExceptionKind
from tests.support.factories import OrderFactory, RegistrationFactory, UserFactory
from tests.support.pages import text_of

TODO = reverse("admin:index")
MOST_QUERIES = 12
MOST_BYTES = 100_000


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def double(now):
    """€49.00 too much, three days ago."""
    order = OrderFactory(label="Pottery", status="PAID")
    Payment.objects.create(key="pi_1", order=order, received=4900, currency="eur", paid_at=now)
    return OrderException.objects.create(
        order=order, kind=ExceptionKind.SECOND_PAYMENT, subject="pi_1", opened_at=now - timedelta(days=3)
    )


@pytest.fixture
def dispute(now):
    return Dispute.objects.create(
        stripe_id="du_1", order=OrderFactory(label="Raku"), payment="pi_2", amount=900, currency="eur",
        status=DisputeStatus.NEEDS_RESPONSE, phase=DisputePhase.OPEN, status_at=now, due_by=now + timedelta(days=9),
    )  # fmt: skip


@pytest.fixture
def reader(client, db):
    """A browser of staff with only these rights."""

    def sign_in(*codenames):
        user = UserFactory(is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        return client

    return sign_in


class TestTodo:
    def test_says_each_thing_in_one_sentence_with_its_age(self, page, double):
        content = text_of(page.get(TODO))

        assert "€49.00 paid twice for Pottery — refund the second" in content
        assert "3 days" in content

    def test_says_it_in_french_too(self, page, double, dispute):
        content = text_of(page.get(TODO, headers={"accept-language": "fr"}))

        assert "49,00 € payé deux fois pour Pottery — remboursez le second" in content
        assert "9,00 € pour Raku : paiement contesté" in content

    def test_leads_to_the_page_that_asks_and_does_nothing_before(self, page, double):
        [line] = page.get(TODO).context["lines"]
        button = line.button

        answer = page.post(button.address, {"action": button.action, "_selected_action": button.pk, "index": "0"})

        assert "Refund this money?" in text_of(answer)
        double.refresh_from_db()
        assert double.is_open

    def test_has_the_evidence_one_click_away(self, page, dispute):
        [line] = page.get(TODO).context["lines"]

        answer = page.get(line.button.address)

        assert answer["Content-Type"] == "application/zip"

    def test_shows_no_button_to_who_may_not_press_it(self, reader, double, dispute):
        lines = reader("view_orderexception", "view_order", "view_subscription", "view_dispute").get(TODO)

        assert [line.button for line in lines.context["lines"]] == [None, None]

    def test_shows_nothing_of_what_one_may_not_see(self, reader, double):
        content = text_of(reader("view_orderexception").get(TODO, headers={"accept-language": "en"}))

        assert "Nothing needs you" in content
        assert not [words for words in ("Pottery", "payment confirmed") if words in content]

    def test_counts_in_the_menu_of_every_page(self, page, double, dispute):
        [entry] = [
            entry
            for section in page.get(reverse("admin:payments_order_changelist")).context["menu"]
            for entry in section.entries
            if entry.address == TODO
        ]

        assert entry.count == 2

    def test_asks_little_and_weighs_little_however_much_there_is(self, page, now, dispute):
        for n in range(60):
            OrderException.objects.create(
                order=OrderFactory(label="Pottery"), kind=ExceptionKind.SECOND_PAYMENT, subject=f"pi_{n}", opened_at=now
            )
        for n in range(3):
            row = RegistrationFactory()
            OrderException.objects.create(
                order=row.order, kind=ExceptionKind.NO_PLACE, subject=f"order:{n}", opened_at=now
            )
            HeldType.objects.create(type=f"charge.{n}", reason="odd")

        with CaptureQueriesContext(connection) as queries:
            response = page.get(TODO)

        assert (len(response.context["lines"]), "and 17 more" in text_of(response)) == (50, True)
        assert len(queries) <= MOST_QUERIES, [query["sql"] for query in queries]
        assert len(response.content) < MOST_BYTES


class TestNothing:
    def test_says_so_where_nothing_ever_needed_anybody(self, page):
        content = text_of(page.get(TODO))

        assert "Nothing needs you" in content
        assert "since" not in content

    def test_says_since_when_and_what_was_done_by_itself(self, page, double, now):
        OrderException.objects.update(is_open=False, closed_at=now)

        content = text_of(page.get(TODO))

        assert f"Nothing needs you since {date_format(timezone.localtime(now), 'TIME_FORMAT')}" in content
        assert "1 payment confirmed" in content
