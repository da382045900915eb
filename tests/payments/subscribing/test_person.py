"""Stripe writes to the address that is known here: whoever changes it, Stripe is told."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from payments.billing.models import Customer
from payments.effects.deliver import deliver_due
from payments.effects.models import Effect
from payments.orders.models import OrderException
from payments.statuses import EffectStatus
from stripe_emulator.models import StoredObject
from tests.support.factories import make_staff
from tests.support.subscriber import unreachable


@pytest.fixture
def page(db):
    client = Client(headers={"accept-language": "en"})
    client.force_login(make_staff())
    return client


def call(page, user, **fields):
    """What staff save about the person."""
    own = {
        "email": user.email,
        "name": user.name,
        "language": user.language,
        "is_active": "on",
        "reason": "Asked by phone.",
    }
    page.post(reverse("admin:accounts_user_change", args=[user.pk]), {**own, **fields})
    user.refresh_from_db()


def deliver(*, later=timedelta(0)):
    Effect.objects.exclude(kind="customer.update").delete()
    deliver_due(at=datetime.now(UTC) + later)


def known(user):
    data = StoredObject.objects.get(stripe_id=user.customers.get().stripe_id).data
    return data["email"], data["name"]


class TestTellStripeWho:
    def test_tells_the_address_and_the_name_that_staff_have_saved(self, page, ada, subscribed):
        call(page, ada, email="lovelace@example.com", name="Ada Lovelace")
        deliver()

        assert known(ada) == ("lovelace@example.com", "Ada Lovelace")
        customer = Customer.objects.get()
        assert (customer.email, customer.name) == ("lovelace@example.com", "Ada Lovelace")

    def test_tells_the_name_that_the_person_has_saved(self, client, ada, subscribed):
        client.force_login(ada)

        client.post(reverse("account"), {"name": "Countess Lovelace", "language": "en"})
        deliver()

        assert known(ada)[1] == "Countess Lovelace"

    def test_tells_of_the_way_back_to_the_old_address_as_well(self, page, ada, subscribed, time_machine):
        for hours, email in enumerate(("new@example.com", "ada@example.com")):
            time_machine.move_to(datetime.now(UTC) + timedelta(hours=hours + 1))
            call(page, ada, email=email)
            deliver_due(at=datetime.now(UTC))

        assert known(ada)[0] == "ada@example.com"

    def test_is_silent_where_nothing_has_changed(self, page, ada, subscribed):
        call(page, ada, name="Ada")
        deliver()
        Effect.objects.all().delete()

        call(page, ada, language="fr")

        assert not Effect.objects.filter(kind="customer.update").exists()

    def test_is_silent_about_who_has_bought_nothing_that_renews_itself(self, page, ada):
        call(page, ada, email="new@example.com")

        assert not Effect.objects.exists()

    def test_is_tried_again_when_stripe_was_away(self, page, ada, subscribed, monkeypatch):
        call(page, ada, email="new@example.com")
        with unreachable(monkeypatch):
            deliver()
        assert Effect.objects.get().status == EffectStatus.PENDING

        deliver(later=timedelta(minutes=1))

        assert known(ada)[0] == "new@example.com"

    def test_is_a_question_when_stripe_refuses(self, page, ada, subscribed):
        call(page, ada, email="new@example.com")
        StoredObject.objects.filter(kind="customer").delete()

        deliver()

        question = OrderException.objects.get(kind="NOT_DELIVERED")
        assert "new@example.com" in question.detail_text
        assert "No such customer" in question.detail_text

    def test_leaves_alone_a_customer_who_is_deleted_there(self, page, ada, subscribed):
        call(page, ada, email="new@example.com")
        Customer.objects.update(deleted_at=datetime.now(UTC))

        deliver()

        assert Effect.objects.get().status == EffectStatus.SKIPPED
