"""Very many accesses of which every hundredth is wrong: exactly those are healed, in one pass."""

from datetime import timedelta

import pytest
from django.db import connection

from modules_access.models import ModuleAccess
from modules_access.repair import repair
from payments.effects.models import Effect
from tests.support.deep import so_many
from tests.support.factories import NOON
from tests.support.learners import by_source, everything, make_learners, sabotage

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)
HOW_MANY = so_many(20_000, deep=100_000)


@pytest.fixture(scope="class")
def _estimates(django_db_setup, django_db_blocker):
    """What ANALYZE found stays when the rows are rolled back, and lists believe it: it looks again after that."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ANALYZE")


@pytest.mark.slow
@pytest.mark.usefixtures("_estimates")
class TestRepairOfVeryMany:
    def test_heals_exactly_what_is_wrong_and_nothing_the_second_time(self):
        make_learners(HOW_MANY)
        said = by_source()
        done = sabotage()
        wrong = everything()
        mails = set(Effect.objects.values_list("key", flat=True))
        assert (ModuleAccess.objects.count() + done.deleted, done.total) == (len(said), HOW_MANY // 100)

        first = repair(at=LATER, dry_run=False, by="a test")
        healed = everything()
        second = repair(at=LATER, dry_run=False, by="a test")

        assert (first.total, second.total) == (done.total, 0)
        assert by_source() == said
        assert {pk for pk, row in wrong.items() if healed[pk] != row} == done.changed
        assert everything() == healed
        assert set(Effect.objects.values_list("key", flat=True)) == mails
