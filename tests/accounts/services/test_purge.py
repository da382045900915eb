from datetime import timedelta

import pytest

from accounts.models import User
from accounts.services.purge import PATIENCE, purge_accounts
from tests.support.factories import NOON, RegistrationFactory, UserFactory

pytestmark = pytest.mark.django_db
LATER = NOON + PATIENCE + timedelta(seconds=1)


class TestPurgeAccounts:
    def test_deletes_what_nobody_has_confirmed(self, begun):
        assert purge_accounts(at=LATER) == 1

        assert not User.objects.exists()

    def test_waits_for_thirty_days(self, begun):
        assert purge_accounts(at=NOON + timedelta(days=30)) == 0

        assert User.objects.get() == begun

    @pytest.mark.usefixtures("camille", "closed")
    def test_leaves_everybody_else(self):
        User.objects.create_user("staff@example.com", is_staff=True)
        UserFactory(email_confirmed_at=None)

        assert purge_accounts(at=LATER) == 0

    def test_only_counts_in_a_dry_run(self, begun):
        assert purge_accounts(at=LATER, dry_run=True) == 1

        assert User.objects.get() == begun

    def test_leaves_a_registration_to_its_guest(self, begun):
        row = RegistrationFactory(user=begun)

        purge_accounts(at=LATER)

        row.refresh_from_db()
        assert row.user is None
