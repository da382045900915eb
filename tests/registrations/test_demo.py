"""A shop full of demo data is one that the product could have filled itself: nothing of ours finds fault with it."""

from datetime import timedelta
from functools import cache

import pytest
from django.core import mail
from django.utils import timezone
from structlog.testing import capture_logs

from payments.effects.deliver import deliver_all
from payments.effects.models import Effect
from payments.figures.rollup import compare_all
from payments.ledger.models import PaymentEvent
from payments.orders.models import Order, OrderException
from payments.processing.replay import process_again
from payments.reconcile.reconcile import reconcile
from payments.reconcile.window import Window
from payments.resync import ResyncOptions
from payments.samples import plots
from payments.samples.crowd import MOMENT
from payments.sql import watching
from payments.statuses import OPEN_STATUSES, EffectStatus, EventStatus, OrderStatus
from payments.stripe_api.lookups import ThrottledStripe
from registrations import demo
from registrations.models import Activity, Registration
from registrations.services.check_places import find_violations
from tests.support.subscriber import emulate

SIZE = 120
SPAN = timedelta(days=200)
# The same for every test, and it takes a second.
tell_once = cache(demo.tell_all)


@pytest.fixture(autouse=True)
def told(db, monkeypatch):
    """What can happen to a registration."""
    templates = tell_once()
    monkeypatch.setattr(demo, "tell_all", lambda: templates)


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def filled(now):
    """So many registrations since half a year."""
    return sum(orders for orders, _rows in demo.make(count=SIZE, since=now - SPAN, at=now))


@pytest.mark.usefixtures("filled")
class TestMake:
    def test_makes_as_many_as_asked_for_each_with_its_order_and_its_place(self, filled):
        assert filled == demo.count_demo() == Registration.objects.count() == Order.objects.count() == SIZE
        assert find_violations() == []
        assert Activity.objects.filter(places_taken__gt=0).exists()

    def test_makes_activities_that_are_found_by_their_words_and_shown_with_a_picture(self):
        found = Activity.objects.all().matching("ÂTELIER quai")

        assert found.exists()
        assert not Activity.objects.filter(picture=None).exists()
        assert not Activity.objects.filter(ends_at=None).exists()

    def test_lets_only_what_began_a_moment_ago_wait_and_everything_else_be_over(self, now):
        earlier = Order.objects.filter(created_at__lt=now - MOMENT)

        assert earlier.exists()
        assert not earlier.filter(status__in=OPEN_STATUSES).exists()
        assert Order.objects.filter(status=OrderStatus.PAID).count() > SIZE // 2

    def test_tells_of_nothing_that_has_not_happened_yet(self, now):
        assert not PaymentEvent.objects.filter(processed_at__gt=now).exists()
        assert not Order.objects.filter(created_at__gt=now).exists()
        assert not Effect.objects.filter(delivered_at__gt=now).exists()

    def test_leaves_nothing_to_send_nor_to_ask(self):
        assert set(Effect.objects.values_list("status", flat=True)) == {EffectStatus.DONE}
        assert deliver_all(clock=timezone.now) == 0
        assert mail.outbox == []
        assert not OrderException.objects.exists()

    def test_marks_the_days_whose_figures_have_moved(self, now):
        assert [each for _days, differences in compare_all(heal=False, at=now) for each in differences] == []

    def test_makes_events_of_which_none_changes_anything_when_it_is_replayed(self, now):
        before = list(Order.objects.order_by("pk").values())

        with watching() as seen:
            process_again(PaymentEvent.objects.values_list("pk", flat=True), by=None, reason="a test", at=now)

        assert set(PaymentEvent.objects.values_list("status", flat=True)) == {EventStatus.PROCESSED}
        assert list(Order.objects.order_by("pk").values()) == before
        assert (seen.changes, seen.questions) == ([], [])

    def test_gives_a_reconciliation_with_stripe_nothing_to_find(self, now, monkeypatch):
        emulate(monkeypatch)
        options = ResyncOptions(at=now, by="a test", stripe=ThrottledStripe(calls_per_second=1_000_000))

        run = reconcile(window=Window(now - SPAN, now), options=options, clock=lambda: now)

        assert (run.error, run.findings) == ("", [])

    def test_goes_on_after_what_is_there(self, now):
        for _batch in demo.make(count=20, since=now - SPAN, at=now):
            pass

        assert demo.count_demo() == SIZE + 20
        assert find_violations() == []


class TestTellAll:
    def test_leaves_nothing_of_what_it_has_told(self, monkeypatch):
        monkeypatch.undo()
        monkeypatch.setattr(plots, "PLOTS", [plot for plot in plots.PLOTS if plot.name == "refunded"])

        with capture_logs() as lines:
            told = demo.tell_all()

        assert [plot.name for each in told.values() for plot in each] == ["refunded", "free of charge"]
        assert not any(model.objects.exists() for model in (Order, PaymentEvent, Effect, Activity))
        assert lines == []


class TestBoundedTries:
    def test_ends_where_nobody_is_left_who_could_register(self, now, monkeypatch):
        monkeypatch.setattr(demo, "person", lambda _number: demo.Person("Ada", "ada@demo.example", "Lyon", "fr"))

        with pytest.raises(demo.NoneFree, match="In 100 tries nobody was found"):
            list(demo.make(count=5, since=now - SPAN, at=now))

        assert demo.count_demo() == 0

    def test_ends_where_every_address_of_an_activity_is_taken(self, now, monkeypatch):
        monkeypatch.setattr(demo, "SLUG", "always-the-same")
        Activity.objects.create(slug="always-the-same", title="", price=0, capacity=1, starts_at=now)

        with pytest.raises(demo.NoneFree, match="100 runs of addresses"):
            list(demo.make(count=5, since=now - SPAN, at=now))
