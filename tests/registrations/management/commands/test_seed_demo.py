"""The demo data: people in every activity, however many places a visitor may hold at once; and a whole shop of them."""

import io
from datetime import UTC, datetime, timedelta
from itertools import islice

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from structlog.testing import capture_logs

from modules_access.demo import count_demo as count_purchases
from payments.ledger.models import HeldType
from payments.locks import KEY_OF_NAME
from payments.orders.models import Order
from payments.samples import crowd, plots
from payments.samples.seeding import LOCK
from payments.statuses import OrderStatus
from registrations import demo
from registrations.demo import count_demo
from registrations.management.commands.seed_demo import ACTIVITIES, PEOPLE, seed
from registrations.models import Activity, Registration, Sale

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class TestSeed:
    def test_fills_every_activity_that_shows_people_whatever_a_visitor_may_hold(self, settings):
        settings.HOLDS_PER_ADDRESS = settings.HOLDS_PER_CLIENT = 1

        made = seed(at=NOON)

        assert len(made) == len(PEOPLE) * sum(spec.has_people for spec in ACTIVITIES)

    def test_confirms_the_free_places_so_that_one_activity_is_full(self):
        seed(at=NOON)

        kiln = Activity.objects.get(slug="kiln")
        assert kiln.places_taken == kiln.capacity
        statuses = Registration.objects.filter(activity=kiln).values_list("order__status", flat=True)
        assert set(statuses) == {OrderStatus.PAID}

    def test_shows_every_state_of_sale_in_three_cities_and_people_who_wait(self):
        seed(at=NOON)

        rows = Activity.objects.with_waiting()
        states = {row.sale_at(NOON, has_waiting=row.has_waiting) for row in rows}
        assert states == set(Sale) - {Sale.PAUSED}
        assert len({row.city for row in rows}) == 3
        assert all(row.picture and row.ends_at > row.starts_at and row.summary for row in rows)
        assert Activity.objects.coming(at=NOON).filter(price=0).exists()
        assert any(0 < row.places_left < 3 for row in rows)
        assert Activity.objects.awaited().get().slug == "kiln"

    def test_makes_nothing_a_second_time(self):
        seed(at=NOON)

        assert seed(at=NOON) == []


@pytest.fixture
def few_plots(monkeypatch):
    """Paid, or waits: where what happens to an order does not matter."""
    monkeypatch.setattr(plots, "PLOTS", [plot for plot in plots.PLOTS if plot.name in ("paid", "waits for money")])


def seeded(*arguments: str) -> str:
    out = io.StringIO()
    call_command("seed_demo", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.usefixtures("few_plots")
class TestSize:
    def test_fills_the_shop_and_says_what_with_in_text_and_in_one_line_of_the_log(self):
        with capture_logs() as lines:
            text = seeded("--size", "40", "--since", "2026-01-01")

        (line,) = [each for each in lines if each["event"] == "demo.seeded"]
        assert text.splitlines()[:2] == ["40 registrations made.", "4 purchases made."]
        assert line["size"] == 40
        assert line["tables"]["registrations_registration"] == 40
        assert sum(line["tables"].values()) == line["rows"]
        assert f"{line['rows']} rows in " in text

    def test_makes_only_what_is_missing_when_it_is_run_again(self):
        seeded("--size", "10")

        text = seeded("--size", "30")

        assert "20 registrations made, 10 were there already." in text
        assert (count_demo(), count_purchases()) == (30, 3)
        assert "0 registrations made, 30 were there already." in seeded("--size", "30")

    def test_keeps_whole_batches_when_it_is_interrupted_and_goes_on_from_there(self, monkeypatch):
        monkeypatch.setattr(crowd, "BATCH", 10)
        in_batches = demo.in_batches

        def interrupted(*args, **kwargs):
            yield from islice(in_batches(*args, **kwargs), 2)
            raise KeyboardInterrupt

        monkeypatch.setattr(demo, "in_batches", interrupted)
        with pytest.raises(CommandError, match=r"20 registrations made(.|\n)*run it again for the rest"):
            seeded("--size", "30")

        assert Registration.objects.count() == Order.objects.count() == 20

    def test_spreads_the_orders_from_the_day_on_that_is_named(self):
        since = timezone.localdate() - timedelta(days=30)

        seeded("--size", "50", "--since", since.isoformat())

        first = Order.objects.earliest("created_at").created_at
        assert timedelta(days=10) < timezone.now() - first < timedelta(days=31)


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            (["--size", "0"], "'0' is no number from 1 up"),
            (["--size=-5"], "'-5' is no number from 1 up"),
            (["--size", "abc"], "'abc' is no number from 1 up"),
            (["--size", "10000001"], "at most 10000000"),
            (["--size", "5", "--since", "2999-01-01"], "2999-01-01 lies in the future"),
            (["--size", "5", "--since", "1999-12-31"], "1999-12-31 lies before 2000"),
            (["--size", "5", "--since", "2024-02-30"], "'2024-02-30' is no day such as 2026-11-01"),
            (["--size", "5", "--since", "tomorrow"], "'tomorrow' is no day such as 2026-11-01"),
            (["--since", "2024-01-01"], "belong to --size"),
            (["--in-production"], "belong to --size"),
        ],
    )
    def test_says_what_is_wrong_and_makes_nothing(self, arguments, why):
        with pytest.raises(CommandError, match=why):
            seeded(*arguments)

        assert not Order.objects.exists()

    def test_leaves_a_real_shop_alone_unless_it_is_told_twice(self, settings):
        settings.PRODUCTION = True

        with pytest.raises(CommandError, match="This is production"):
            seeded("--size", "5")
        assert not Order.objects.exists()

        seeded("--size", "5", "--in-production")
        assert count_demo() == 5

    def test_is_not_run_twice_at_the_same_time(self):
        parameters = connection.get_connection_params()
        names = {
            name: parameters[name] for name in ("host", "port", "user", "password", "dbname") if name in parameters
        }
        with psycopg.connect(**names, autocommit=True) as other:
            other.execute(f"SELECT pg_advisory_lock({KEY_OF_NAME})", [LOCK])

            with pytest.raises(CommandError, match="by another run"):
                seeded("--size", "5")
            other.execute("SELECT pg_advisory_unlock_all()")

    def test_says_which_events_are_held_back(self):
        HeldType.objects.create(type="charge.refunded", reason="looks odd")

        with pytest.raises(CommandError, match=r"charge\.refunded is HELD"):
            seeded("--size", "5")

        assert not Order.objects.exists()
