from importlib import import_module

import pytest
from django.apps import apps

from accounts.models import User
from tests.support.factories import NOON, UserFactory

email_confirmed = import_module("accounts.migrations.0002_email_confirmed")


@pytest.mark.django_db
class TestEmailConfirmed:
    def test_vouches_for_staff_only(self):
        UserFactory(email="staff@example.com", is_staff=True, date_joined=NOON)
        UserFactory(email="customer@example.com", date_joined=NOON)

        email_confirmed.vouch_for_staff(apps, None)

        confirmed = dict(User.objects.values_list("email", "email_confirmed_at"))
        assert confirmed == {"staff@example.com": NOON, "customer@example.com": None}
