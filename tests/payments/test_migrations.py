from importlib import import_module

import pytest
from django.apps import apps

from payments.billing.models import Plan

initial = import_module("payments.migrations.0001_initial")


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
