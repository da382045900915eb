import io
import json
from datetime import date

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from payments.figures.days import ONE_DAY, day_of
from payments.figures.models import DailyFigure
from tests.support.factories import OrderFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def order():
    """Begun ten days ago, and never counted."""
    return OrderFactory(created_at=timezone.now() - 10 * ONE_DAY)


def figures(*arguments):
    out = io.StringIO()
    call_command("figures", *arguments, stdout=out)
    return out.getvalue()


class TestFigures:
    def test_counts_everything_and_says_what_differed(self, order):
        told = figures()

        assert f"  {day_of(order.created_at)} begun registration: – → 1 (0)" in told
        assert DailyFigure.objects.get(figure="begun").count == 1
        assert "They say what the rows say." in figures("--check")

    def test_only_compares_when_asked_to(self, order):
        with pytest.raises(CommandError, match="differ from the rows"):
            figures("--check", "--json")

        assert not DailyFigure.objects.exists()

    def test_tells_programs(self, order):
        told = json.loads(figures("--json", "--since", str(day_of(order.created_at))))

        assert told["differences"][0]["counted"] == {"count": 1, "amount": 0}

    @pytest.mark.parametrize("since", ["yesterday", "2026-13-01", str(date.max)])
    def test_refuses_a_day_of_which_nothing_can_be_made(self, since):
        with pytest.raises(CommandError, match="--since"):
            figures("--since", since)
