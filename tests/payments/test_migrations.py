from importlib import import_module

import pytest
from django.apps import apps

from payments.billing.models import Dispute, Plan
from tests.support.factories import NOON, OrderFactory

initial = import_module("payments.migrations.0001_initial")
dispute_stages = import_module("payments.migrations.0007_dispute_stages")


@pytest.mark.django_db
class TestSell:
    def test_offers_two_plans_from_the_start(self):
        Plan.objects.all().delete()

        initial.sell(apps, None)

        assert list(Plan.objects.values_list("slug", "amount", "currency", "interval")) == [
            ("monthly", 400, "eur", "month"), ("yearly", 3000, "eur", "year"),
        ]  # fmt: skip

    def test_leaves_alone_what_was_priced_otherwise(self):
        Plan.objects.update_or_create(slug="monthly", defaults={"name": "Gold", "amount": 900, "interval": "month"})

        initial.sell(apps, None)

        assert Plan.objects.get(slug="monthly").amount == 900


@pytest.mark.django_db
class TestTellInquiries:
    def test_tells_what_a_bank_asks_from_what_it_has_charged_back(self):
        order = OrderFactory()
        for status in ("warning_needs_response", "warning_under_review", "needs_response"):
            Dispute.objects.create(
                stripe_id=status, order=order, payment="pi_1", amount=1, currency="eur", status=status, phase=0,
                status_at=NOON,
            )  # fmt: skip

        dispute_stages.tell_inquiries(apps, None)

        phases = dict(Dispute.objects.values_list("status", "phase"))
        assert phases == {"warning_needs_response": -1, "warning_under_review": -1, "needs_response": 0}
