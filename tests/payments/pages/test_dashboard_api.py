import pytest
from django.contrib.auth.models import Permission

from payments.figures.models import DailyFigure, FiguresState
from tests.support.factories import NOON, UserFactory

pytestmark = pytest.mark.django_db
ADDRESS = "/api/admin/payments-dashboard"


@pytest.fixture
def clerk(client):
    """Staff with this one right."""
    user = UserFactory(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_dashboard"))
    client.force_login(user)
    return client


def code_of(response):
    return response.status_code, response.json()["error"]["code"]


class TestDashboardView:
    def test_tells_the_figures(self, clerk):
        FiguresState.objects.create(
            pk=1, refreshed_at=NOON, stock={"users": 4, "premium": 1, "subscriptions": []}, stock_at=NOON
        )

        told = clerk.get(f"{ADDRESS}?timeframe=7d").json()

        assert told["summary"] == {"totalUsers": 4, "premiumUsers": 1, "freeUsers": 3}
        assert told["period"]["timeframe"] == "7d"

    def test_tells_thirty_days_where_nothing_has_been_counted_yet(self, clerk):
        DailyFigure.objects.all().delete()

        told = clerk.get(f"{ADDRESS}/").json()

        assert (told["period"]["timeframe"], told["revenue"]["daily"]) == ("30d", [])

    def test_names_the_timeframes_that_there_are(self, clerk):
        response = clerk.get(f"{ADDRESS}?timeframe=1y", headers={"Accept-Language": "en"})

        assert code_of(response) == (400, "invalid")
        assert response.json()["error"]["fields"] == {"timeframe": ["Must be one of: 7d, 30d, 90d."]}
        assert response.json()["requestId"]

    def test_is_for_staff_who_may_see_the_dashboard(self, client):
        assert code_of(client.get(ADDRESS)) == (403, "not_authenticated")

        client.force_login(UserFactory(is_staff=True))
        assert code_of(client.get(ADDRESS)) == (403, "forbidden")

        buyer = UserFactory()
        buyer.user_permissions.add(Permission.objects.get(codename="view_dashboard"))
        client.force_login(buyer)
        assert code_of(client.get(ADDRESS)) == (403, "forbidden")
