from datetime import timedelta

import pytest

from payments.billing.reminders import tell_ending_soon
from payments.effects.models import Effect
from tests.support.factories import NOON
from tests.support.members import make_member

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


class TestTellEndingSoon:
    def test_tells_of_an_end_within_three_days_once(self):
        make_member(cancel_at=NOON + 2 * DAY)

        assert tell_ending_soon(at=NOON) == 1
        assert tell_ending_soon(at=NOON + DAY) == 0
        assert Effect.objects.get().kind == "subscription.ending_soon"

    @pytest.mark.parametrize(
        "fields",
        [{"cancel_at": None}, {"cancel_at": NOON + 4 * DAY}, {"cancel_at": NOON - DAY},
         {"cancel_at": NOON + DAY, "status": "canceled"}],
        ids=str,
    )  # fmt: skip
    def test_says_nothing_of_others(self, fields):
        make_member(**fields)

        assert tell_ending_soon(at=NOON) == 0

    def test_tells_again_when_another_date_was_asked_for(self):
        row = make_member(cancel_at=NOON + 2 * DAY)
        tell_ending_soon(at=NOON)
        row.cancel_at = NOON + 30 * DAY
        row.save()

        assert tell_ending_soon(at=NOON + 28 * DAY) == 1
