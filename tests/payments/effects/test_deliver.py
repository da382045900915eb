from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from structlog.testing import capture_logs

from payments.effects.deliver import (
    BACK_OFF,
    CUT_OFF,
    LOST_AFTER,
    NOBODY_DELIVERS,
    WORKER_DIED,
    OutcomeUnknown,
    Skip,
    deliver_all,
    deliver_due,
    delivers,
    recover_claimed,
)
from payments.effects.enqueue import EffectRequest, enqueue
from payments.effects.models import Effect
from payments.statuses import EffectStatus
from tests.support.factories import NOON

LATER = NOON + timedelta(hours=1)


def ask_for(*keys, kind="parcel", not_before=None):
    with transaction.atomic():
        enqueue([EffectRequest(key, kind, None, {"to": key}, not_before=not_before) for key in keys], at=NOON)


def claimed(key, *, kind="parcel", at):
    """An effect that a worker has in hand since `at`."""
    ask_for(key, kind=kind)
    Effect.objects.filter(key=key).update(status=EffectStatus.CLAIMED, claimed_at=at, attempts=1)


def only():
    return Effect.objects.get()


@pytest.fixture
def parcels(kinds):
    """The keys of the parcels that were delivered, in this order."""
    delivered = []

    @delivers("parcel")
    def send_parcel(effect):
        delivered.append(effect.key)

    return delivered


@pytest.fixture
def trouble(kinds):
    """A deliverer that raises or returns what the test appends; nothing appended: it goes well."""
    answers = []

    @delivers("parcel")
    def send_parcel(effect):
        answer = answers.pop(0) if answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer

    return answers


@pytest.mark.django_db
class TestDeliverDue:
    def test_delivers_what_is_due_and_writes_it_down(self, parcels):
        ask_for("a")

        assert deliver_due(at=LATER) == 1

        effect = only()
        assert parcels == ["a"]
        assert (effect.status, effect.delivered_at, effect.attempts) == (EffectStatus.DONE, LATER, 1)

    def test_delivers_nothing_twice(self, parcels):
        ask_for("a")
        deliver_due(at=LATER)

        assert deliver_due(at=LATER + timedelta(days=1)) == 0
        assert parcels == ["a"]

    def test_leaves_what_is_not_due_yet(self, parcels):
        ask_for("later", not_before=LATER)
        ask_for("now")

        deliver_due(at=LATER - timedelta(microseconds=1))

        assert parcels == ["now"]

    def test_begins_with_what_has_waited_longest_and_keeps_to_the_limit(self, parcels):
        ask_for("second", not_before=NOON + timedelta(minutes=2))
        ask_for("first", not_before=NOON + timedelta(minutes=1))
        ask_for("third", not_before=NOON + timedelta(minutes=3))

        assert deliver_due(at=LATER, limit=2) == 2
        assert parcels == ["first", "second"]

    def test_shows_the_effect_as_claimed_to_its_deliverer(self, kinds):
        seen = []
        delivers("parcel")(lambda effect: seen.append((effect.data, only().status, only().claimed_at)))
        ask_for("a")

        deliver_due(at=LATER)

        assert seen == [({"to": "a"}, EffectStatus.CLAIMED, LATER)]

    def test_skips_what_no_longer_holds_and_says_why(self, trouble):
        ask_for("a")
        trouble.append(Skip("It was refunded."))

        deliver_due(at=LATER)

        effect = only()
        assert (effect.status, effect.outcome) == (EffectStatus.SKIPPED, "It was refunded.")
        assert effect.delivered_at is None

    def test_looks_again_if_it_was_noted_anew_while_it_was_about_to_skip(self, trouble):
        def skip_too_late():
            with transaction.atomic():
                enqueue([EffectRequest("a", "parcel", None)], at=LATER)
            return Skip("It was refunded.")

        ask_for("a")
        trouble.append(skip_too_late)

        deliver_due(at=LATER)

        assert only().status == EffectStatus.DONE
        assert only().attempts == 2

    def test_waits_for_a_version_that_delivers_this_kind(self, kinds):
        ask_for("a", kind="pigeon")

        with capture_logs() as logs:
            deliver_due(at=LATER)

        assert (only().status, only().outcome) == (EffectStatus.PENDING, NOBODY_DELIVERS)
        assert only().not_before == LATER + BACK_OFF[0]
        assert [(line["event"], line["log_level"]) for line in logs] == [("effect.refused", "warning")]


@pytest.mark.django_db
class TestRefusal:
    def test_is_tried_again_later_and_later_then_given_up(self, trouble):
        ask_for("a")
        trouble += [ValueError(f"no {n}") for n in range(6)]
        waits, at = [], LATER

        while only().status == EffectStatus.PENDING:
            deliver_due(at=at)
            waits.append(only().not_before - at)
            at = only().not_before

        assert tuple(waits[:-1]) == BACK_OFF
        assert [wait.total_seconds() for wait in waits[:-1]] == [30, 120, 600, 3600, 21600]
        assert (only().status, only().attempts, only().outcome) == (EffectStatus.DEAD, 6, "ValueError: no 5")

    def test_is_not_tried_before_its_time(self, trouble):
        ask_for("a")
        trouble.append(ValueError("no"))
        deliver_due(at=LATER)

        assert deliver_due(at=LATER + BACK_OFF[0] - timedelta(microseconds=1)) == 0
        assert deliver_due(at=LATER + BACK_OFF[0]) == 1
        assert (only().status, only().outcome) == (EffectStatus.DONE, "")

    def test_costs_only_the_effect_that_is_refused(self, trouble):
        ask_for("a", "b", "c")
        trouble.append(ValueError("no"))

        deliver_due(at=LATER)

        assert Counter(Effect.objects.values_list("status", flat=True)) == {"DONE": 2, "PENDING": 1}

    def test_keeps_what_the_other_side_said_whatever_it_said(self, trouble):
        ask_for("a")
        trouble.append(ValueError("\0" + "x" * 1000))

        deliver_due(at=LATER)

        assert only().outcome.startswith("ValueError: xxx")

    def test_with_an_unknown_outcome_is_not_repeated_by_itself(self, trouble):
        ask_for("a")
        trouble.append(OutcomeUnknown("gone"))

        deliver_due(at=LATER)

        assert (only().status, only().outcome) == (EffectStatus.UNCERTAIN, CUT_OFF)
        assert deliver_due(at=LATER + timedelta(days=1)) == 0

    def test_with_an_unknown_outcome_is_repeated_where_that_does_no_harm(self, kinds):
        @delivers("money", repeatable=True)
        def pay(effect):
            if effect.attempts == 1:
                raise OutcomeUnknown("gone")

        ask_for("a", kind="money")
        deliver_due(at=LATER)

        deliver_due(at=LATER + BACK_OFF[0])

        assert only().status == EffectStatus.DONE


@pytest.mark.django_db
class TestDeliverAll:
    def test_goes_on_until_nothing_is_due(self, parcels):
        ask_for(*(f"p{n}" for n in range(25)))

        assert deliver_all(clock=lambda: LATER) == 25

    def test_reads_the_clock_for_each_effect(self, parcels):
        ask_for("a", "b")
        ticks = iter(LATER + timedelta(minutes=n) for n in range(10))

        deliver_all(clock=lambda: next(ticks))

        claimed_at = Effect.objects.order_by("key").values_list("claimed_at", flat=True)
        assert list(claimed_at) == [LATER, LATER + timedelta(minutes=1)]

    def test_stops_after_the_effect_at_hand_when_asked_to(self, parcels):
        ask_for("a", "b", "c")

        deliver_all(clock=lambda: LATER, should_stop=lambda: len(parcels) == 1)

        assert len(parcels) == 1
        assert Effect.objects.filter(status=EffectStatus.PENDING).count() == 2


@pytest.mark.django_db
class TestRecoverClaimed:
    def test_shows_a_mail_of_a_dead_worker_as_uncertain(self, parcels):
        claimed("a", at=NOON)

        assert recover_claimed(at=NOON + LOST_AFTER) == 1

        assert (only().status, only().outcome) == (EffectStatus.UNCERTAIN, WORKER_DIED)
        assert deliver_due(at=LATER + timedelta(days=1)) == 0

    def test_lets_what_may_be_repeated_be_delivered_again(self, kinds):
        delivers("money", repeatable=True)(lambda effect: None)
        claimed("a", kind="money", at=NOON)

        assert recover_claimed(at=NOON + LOST_AFTER) == 1

        assert only().status == EffectStatus.PENDING
        assert deliver_due(at=NOON + LOST_AFTER) == 1
        assert only().status == EffectStatus.DONE

    def test_leaves_what_somebody_may_still_have_in_hand(self, parcels):
        claimed("a", at=NOON)

        assert recover_claimed(at=NOON + LOST_AFTER - timedelta(seconds=1)) == 0
        assert only().status == EffectStatus.CLAIMED

    def test_has_the_last_word_over_a_worker_that_was_only_slow(self, kinds):
        delivers("parcel")(lambda effect: recover_claimed(at=LATER + LOST_AFTER) and None)
        ask_for("a")

        deliver_due(at=LATER)

        assert only().status == EffectStatus.UNCERTAIN


@pytest.mark.django_db(transaction=True)
class TestManyDeliverers:
    def test_deliver_each_effect_exactly_once(self, parcels):
        ask_for(*(f"p{n}" for n in range(200)))

        def work(_):
            try:
                return deliver_all(clock=lambda: LATER)
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            shares = list(pool.map(work, range(8)))

        assert Counter(parcels) == {f"p{n}": 1 for n in range(200)}
        assert sum(shares) == 200
        assert set(Effect.objects.values_list("status", "attempts")) == {(EffectStatus.DONE, 1)}

    def test_never_wait_for_an_effect_that_another_has_in_hand(self, parcels):
        ask_for("a", "b")
        with transaction.atomic():
            Effect.objects.select_for_update().get(key="a")

            with ThreadPoolExecutor(1) as pool:
                count = pool.submit(self.deliver_elsewhere).result(10)

        assert count == 1
        assert parcels == ["b"]

    @staticmethod
    def deliver_elsewhere():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            return deliver_all(clock=lambda: LATER)
        finally:
            connection.close()
