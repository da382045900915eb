import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from payments.figures.days import day_of
from payments.figures.models import DailyFigure, FiguresState
from payments.figures.rollup import refresh_figures
from tests.support.factories import RegistrationFactory, UserFactory, make_staff
from tests.support.road import event_of, hear

pytestmark = pytest.mark.django_db
PAGE = "/admin/dashboard/"
TOO_LARGE = 40_000


@pytest.fixture
def paid_today(settings):
    settings.LANGUAGE_CODE = "en"
    now = timezone.now()
    row = RegistrationFactory(activity__title="Pottery", order__created_at=now)
    hear(event_of(row, "checkout.session.completed", at=now), at=now)
    hear(event_of(row, "refund.created", at=now, amount=500, status="succeeded"), at=now)
    refresh_figures(at=now)


def read(client, query="", language="en"):
    return client.get(f"{PAGE}{query}", headers={"Accept-Language": language})


@pytest.fixture
def staff(client):
    client.force_login(make_staff())
    return client


class TestDashboard:
    def test_shows_what_came_and_leads_to_it(self, staff, paid_today):
        page = read(staff).content.decode()

        assert "€44.00" in page
        assert "1 of 1 paid" in page
        assert "/admin/payments/payment/?currency=eur" in page
        assert 'class="errornote"' not in page

    def test_speaks_french(self, staff, paid_today):
        page = read(staff, language="fr").content.decode()

        assert "44,00\N{NO-BREAK SPACE}€" in page
        assert "Chiffre d’affaires" in page

    @pytest.mark.parametrize("query", ["?timeframe=1d", "?format=xml"])
    def test_refuses_what_it_does_not_know(self, staff, query):
        assert read(staff, query).status_code == 400

    def test_gives_the_same_as_csv_and_json(self, staff, paid_today):
        csv = read(staff, "?timeframe=7d&format=csv")

        assert csv["Content-Disposition"].endswith('.csv"')
        assert csv.content.decode().splitlines()[-1].endswith(",eur,49.00,5.00,0.00,0.00,44.00,1")
        assert read(staff, "?format=json").json()["revenue"]["net"] == {"eur": 4400}

    def test_says_that_no_worker_counts(self, staff, paid_today):
        FiguresState.objects.update(refreshed_at=timezone.now() - timezone.timedelta(hours=1))

        assert "no worker is running" in read(staff).content.decode()

    def test_is_for_those_who_may_see_it_and_leads_them_nowhere_else(self, client, paid_today):
        clerk = UserFactory(is_staff=True)
        client.force_login(clerk)
        assert read(client).status_code == 403

        clerk.user_permissions.add(Permission.objects.get(codename="view_dashboard"))
        page = read(client).content.decode()
        assert "€44.00" in page
        assert "/admin/payments/payment/" not in page

    def test_stays_small_and_cheap_with_many_days_and_currencies(self, staff, django_assert_max_num_queries):
        today = day_of(timezone.now())
        DailyFigure.objects.bulk_create(
            DailyFigure(
                day=today - timezone.timedelta(days=number), figure=figure, currency=currency, part=part, count=7,
                amount=1_234_500,
            )
            for number in range(90)
            for currency in ("eur", "usd", "chf")
            for figure, part in [("received", ""), ("refunded", ""), *(("city", f"Ville {each}") for each in range(9))]
        )  # fmt: skip
        read(staff)

        with django_assert_max_num_queries(12):
            page = staff.get(f"{PAGE}?timeframe=90d", headers={"Accept-Encoding": "gzip"})
        assert len(page.content) < TOO_LARGE
        assert reverse("admin:dashboard") == PAGE
