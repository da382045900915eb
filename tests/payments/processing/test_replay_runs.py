"""A replay of many: in order, batch by batch, until the first that fails again; killed or canceled, nothing is lost."""

from datetime import timedelta

import pytest
from django.core import mail

from payments.effects.deliver import deliver_all
from payments.effects.models import Effect
from payments.handlers import registry
from payments.ledger.models import EventAttempt, PaymentEvent
from payments.processing import replay_runs as module
from payments.processing.drain import drain
from payments.processing.failure_groups import failure_groups
from payments.processing.models import ReplayRun, ReplayState
from payments.processing.replay import ReplayRefused
from payments.processing.replay_runs import PAUSE, Selection, advance_replay, cancel_run, continue_run, start_run
from tests.support.deep import so_many
from tests.support.factories import RegistrationFactory
from tests.support.road import NOON, event_of, keep

COMPLETED = "checkout.session.completed"
MANY = so_many(6, deep=1_000)
LATER = NOON + timedelta(hours=1)
# When all batches are through.
AFTERWARDS = LATER + timedelta(days=1)


class Handler:
    """Fails for these sessions: a fault that can be repaired, and made again."""

    def __init__(self, handle):
        self.handle, self.broken = handle, True

    def __call__(self, event):
        if self.broken is True or event.object["id"] in (self.broken or ()):
            raise KeyError("amount_total")
        return self.handle(event)


@pytest.fixture
def handler(monkeypatch):
    handler = Handler(registry.HANDLERS[COMPLETED])
    monkeypatch.setitem(registry.HANDLERS, COMPLETED, handler)
    return handler


@pytest.fixture
def failed(handler, activity, settings):
    """Events of as many people, a minute apart, which all failed in the same way; their type is not held back."""
    settings.HOLD_FAILING_TYPES = False
    activity.capacity = MANY
    activity.save()
    rows = RegistrationFactory.create_batch(MANY, activity=activity)
    events = [event_of(row, COMPLETED, at=NOON + timedelta(minutes=n)) for n, row in enumerate(rows)]
    keep(*reversed(events))
    drain(at=NOON + timedelta(days=1))
    handler.broken = None
    return [event["id"] for event in events]


@pytest.fixture
def run(failed, admin_user):
    [group] = failure_groups()
    assert group.count == MANY
    return start_run(Selection(group=group.key), by=admin_user, reason="repaired", at=LATER)


def finish(run):
    """As the workers do, each turn when its time has come."""
    at = LATER
    while advance_replay(at=at):
        at += PAUSE
    run.refresh_from_db()


class TestReplayOfAGroup:
    def test_heals_all_in_order_and_sends_nothing_twice(self, run, failed, admin_user):
        finish(run)
        deliver_all(clock=lambda: AFTERWARDS)

        assert (run.state, run.healed, run.failed, run.left) == (ReplayState.DONE, MANY, 0, 0)
        assert failure_groups() == []
        attempts = EventAttempt.objects.filter(trigger="replay").order_by("pk")
        assert list(attempts.values_list("event__stripe_event_id", flat=True)) == failed
        assert {attempt.requested_by for attempt in attempts[:3]} == {admin_user}
        assert (len(mail.outbox), Effect.objects.count()) == (MANY, MANY)

        finish(start_run(Selection(ids=tuple(failed)), by=admin_user, reason="once more", at=LATER))
        deliver_all(clock=lambda: AFTERWARDS)

        assert (len(mail.outbox), Effect.objects.count()) == (MANY, MANY)

    def test_stops_at_the_first_that_fails_again_and_touches_nothing_behind_it(self, run, failed, handler):
        third = PaymentEvent.objects.get(stripe_event_id=failed[2])
        handler.broken = [third.object_id]

        finish(run)

        assert (run.state, run.healed, run.failed, run.failed_event) == (ReplayState.STOPPED, 2, 1, third)
        behind = PaymentEvent.objects.filter(stripe_event_id__in=failed[3:])
        assert {(row.status, row.attempts) for row in behind} == {("FAILED", 1)}

    def test_goes_on_behind_it(self, run, failed, handler, admin_user):
        handler.broken = [PaymentEvent.objects.get(stripe_event_id=failed[0]).object_id]
        finish(run)

        continue_run(run, by=admin_user, reason="the others are right", at=LATER)
        finish(run)

        assert (run.state, run.healed, run.failed) == (ReplayState.DONE, MANY - 1, 1)
        assert failure_groups()[0].count == 1

    def test_keeps_going_where_that_was_said(self, failed, handler):
        handler.broken = [PaymentEvent.objects.get(stripe_event_id=failed[0]).object_id]
        run = start_run(Selection(ids=tuple(failed)), by=None, reason="x", at=LATER, stops_at_error=False)

        finish(run)

        assert (run.state, run.healed, run.failed) == (ReplayState.DONE, MANY - 1, 1)

    def test_goes_batch_by_batch_with_a_pause_between(self, run, monkeypatch):
        monkeypatch.setattr(module, "BATCH_SIZE", 2)

        first, too_early = advance_replay(at=LATER), advance_replay(at=LATER)

        assert (first.position, first.state, too_early) == (2, "RUNNING", None)

    def test_loses_nothing_with_a_worker_that_dies(self, run, monkeypatch):
        def killed(*_args, **_kwargs):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(module, "_count", killed)
            with pytest.raises(KeyboardInterrupt):
                advance_replay(at=LATER)
        run.refresh_from_db()
        assert (run.position, EventAttempt.objects.filter(trigger="replay").count()) == (0, 0)

        finish(run)

        assert (run.state, run.healed) == (ReplayState.DONE, MANY)

    def test_can_be_canceled_and_gone_on_with(self, run, admin_user, monkeypatch):
        monkeypatch.setattr(module, "BATCH_SIZE", 2)
        advance_replay(at=LATER)

        cancel_run(run, by=admin_user, at=LATER)

        assert advance_replay(at=LATER + PAUSE) is None
        with pytest.raises(ReplayRefused, match="ended already"):
            cancel_run(run, by=admin_user, at=LATER)
        continue_run(run, by=admin_user, reason="go on", at=LATER)
        finish(run)
        assert (run.state, run.healed) == (ReplayState.DONE, MANY)


class TestStartRun:
    def test_begins_the_same_replay_once(self, run, admin_user):
        again = start_run(Selection(**{**run.selection}), by=admin_user, reason="pressed twice", at=LATER)

        assert (again, ReplayRun.objects.count()) == (run, 1)

    @pytest.mark.parametrize(
        ("selection", "reason", "words"),
        [
            (Selection(), "x", "not everything"),
            (Selection(ids=("evt_none",)), "x", "no such events"),
            (Selection(ids=("evt_none",)), " ", "needs a reason"),
        ],
    )
    def test_refuses(self, db, selection, reason, words):
        with pytest.raises(ReplayRefused, match=words):
            start_run(selection, by=None, reason=reason, at=NOON)


class TestSelection:
    def test_means_failures_unless_it_says_otherwise(self, failed):
        PaymentEvent.objects.filter(stripe_event_id=failed[0]).update(status="PROCESSED", error_group="")

        assert Selection(types=(COMPLETED,)).rows().count() == MANY - 1
        assert Selection(ids=(failed[0],)).rows().count() == 1
        assert Selection(statuses=("PROCESSED",), types=(COMPLETED,)).rows().count() == 1
        assert Selection(since=NOON + timedelta(days=2)).rows().count() == 0
