from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from accounts.models import User
from tests.support.factories import NOON


@pytest.mark.django_db
class TestPurgeAccounts:
    @pytest.mark.parametrize(
        ("arguments", "said", "left"), [(["--dry-run"], "Would delete: 1\n", 1), ([], "Deleted: 1\n", 0)]
    )
    def test_says_how_many(self, begun, arguments, said, left):
        User.objects.update(date_joined=NOON - timedelta(days=31))
        output = StringIO()

        call_command("purge_accounts", *arguments, stdout=output)

        assert output.getvalue() == said
        assert User.objects.count() == left
