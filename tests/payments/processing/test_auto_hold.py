"""A type whose events all fail in the same way is held back by itself, and only then."""

from datetime import timedelta

import pytest

from payments.facts import NoFacts
from payments.handlers import registry
from payments.ledger.models import HeldType, PaymentEvent
from payments.processing.auto_hold import EQUAL_FAILURES
from payments.processing.drain import drain
from payments.processing.replay import release_held
from payments.statuses import EventStatus
from tests.support.road import NOON, event_of, keep

pytestmark = pytest.mark.django_db
TYPE = "customer.updated"
A_MINUTE = timedelta(minutes=1)


class Broken:
    """The handler of the type; it stumbles over what is in `over` (None: over everything)."""

    def __init__(self):
        self.over, self.error = None, KeyError("email")

    def __call__(self, event):
        if self.over is None or event.id in self.over:
            raise self.error
        yield NoFacts("fine")


@pytest.fixture
def broken(monkeypatch):
    handler = Broken()
    monkeypatch.setitem(registry.HANDLERS, TYPE, handler)
    return handler


def customers(count, *, name="evt", about=None, at=NOON):
    """So many events of the type, each about a customer of its own, or all about the same."""
    events = [
        {
            "id": f"evt_{name}{number}", "object": "event", "type": TYPE, "api_version": "2026-10-28.endive",
            "livemode": False, "created": int(at.timestamp()), "pending_webhooks": 1, "request": None,
            "data": {"object": {"id": about or f"cus_{name}{number}", "object": "customer", "metadata": {}}},
        }
        for number in range(count)
    ]  # fmt: skip
    keep(*events, at=at)
    return [event["id"] for event in events]


class TestHoldWhatKeepsFailing:
    def test_holds_the_type_after_so_many_failures_in_a_row_and_leaves_the_rest_untouched(self, broken):
        customers(EQUAL_FAILURES)
        drain(at=NOON)

        customers(2, name="later")
        drain(at=NOON)

        held = HeldType.objects.get()
        assert (held.type, held.held_by) == (TYPE, None)
        assert held.reason.startswith("held by itself: 20 failures in a row: 'email'")
        assert PaymentEvent.objects.filter(error_group=held.failure_group).count() == EQUAL_FAILURES
        assert PaymentEvent.objects.filter(status=EventStatus.HELD, attempts=0).count() == 2

    def test_lets_the_type_go_on_once_it_is_released_and_repaired(self, broken):
        customers(EQUAL_FAILURES)
        drain(at=NOON)
        broken.over = []

        customers(3, name="later")
        drain(at=NOON)
        released = release_held(type=TYPE, by=None, reason="repaired", at=NOON)
        drain(at=NOON + 20 * A_MINUTE)

        assert released == 3
        assert not HeldType.objects.exists()
        assert not PaymentEvent.objects.exclude(status=EventStatus.IGNORED).exists()

    def test_spares_the_type_of_one_thing_that_is_told_again_and_again(self, broken):
        customers(EQUAL_FAILURES + 5, about="cus_poison")

        drain(at=NOON)

        assert not HeldType.objects.exists()

    def test_spares_what_succeeds_in_between_however_long_the_queue_is(self, make_registration, settings):
        """The newest of a long queue still wait while the oldest are processed."""
        settings.DRAIN_BATCH_SIZE = 50
        rows = [make_registration(f"Buyer {number}") for number in range(4)]
        events = [
            event_of(rows[number % 4], "checkout.session.completed") for number in range(9 * EQUAL_FAILURES + 240)
        ]
        for event in events[: 9 * EQUAL_FAILURES : 9]:
            event["data"]["object"]["amount_total"] = "forty-nine"
        keep(*events, at=NOON)

        drain(at=NOON)

        assert PaymentEvent.objects.filter(status=EventStatus.FAILED).count() == EQUAL_FAILURES
        assert not HeldType.objects.exists()

    def test_spares_what_fails_now_and_then(self, broken):
        customers(EQUAL_FAILURES - 1)
        drain(at=NOON)
        # What failed before is not due yet.
        PaymentEvent.objects.update(next_attempt_at=NOON + 60 * A_MINUTE)

        customers(1, name="later", at=NOON + 11 * A_MINUTE)
        drain(at=NOON + 11 * A_MINUTE)

        assert not HeldType.objects.exists()

    def test_can_be_switched_off(self, broken, settings):
        settings.HOLD_FAILING_TYPES = False
        customers(EQUAL_FAILURES)

        drain(at=NOON)

        assert not HeldType.objects.exists()

    def test_is_not_asked_while_nothing_fails(self, broken, monkeypatch):
        broken.over = []
        customers(5)
        monkeypatch.setattr("payments.processing.drain.hold_what_keeps_failing", _must_not_be_asked)

        drain(at=NOON)

        assert not PaymentEvent.objects.exclude(status=EventStatus.IGNORED).exists()


def _must_not_be_asked(*_arguments, **_names):
    raise AssertionError("nothing has failed")


class TestHoldAll:
    def test_sets_every_type_aside_untouched(self, broken):
        broken.over = []
        customers(3)
        HeldType.objects.create(type="*", reason="all stops")

        drain(at=NOON)

        assert set(PaymentEvent.objects.values_list("status", "attempts")) == {(EventStatus.HELD, 0)}

    def test_is_released_oldest_first_without_what_is_held_for_another_reason(self, broken):
        broken.over = []
        customers(1)
        HeldType.objects.create(type="*", reason="all stops")
        HeldType.objects.create(type=TYPE, reason="its own")
        drain(at=NOON)

        first = release_held(type="*", by=None, reason="over", at=NOON)
        second = release_held(type=TYPE, by=None, reason="over", at=NOON + A_MINUTE)

        assert (first, second) == (0, 1)
        assert PaymentEvent.objects.get().next_attempt_at == NOON
