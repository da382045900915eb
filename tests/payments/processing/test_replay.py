"""Replay: preview and real are one; bound to what was shown; nothing goes out twice."""

import pytest

from payments.effects.models import Effect
from payments.ledger.models import EventAttempt, HeldType, PaymentEvent
from payments.orders.models import Order, Reference
from payments.processing.replay import ReplayMoved, ReplayRefused, replay_event, replay_events
from payments.statuses import EffectStatus, EventStatus
from tests.support.resync import all_rows, differences
from tests.support.road import NOON, event_of, hear, kept

COMPLETED = "checkout.session.completed"


@pytest.fixture
def given_up(registration):
    """Its event came and was given up; nobody has paid as far as we know."""
    [row] = kept(event_of(registration, COMPLETED))
    PaymentEvent.objects.update(status="DEAD", attempts=7, error_kind="KeyError", error="'x'", error_group="a" * 16)
    return row


def look(*events):
    return replay_events([event.pk for event in events], by=None, reason="", at=NOON, dry_run=True)


class TestPreview:
    def test_shows_every_change_and_what_goes_out_and_keeps_nothing(self, registration, given_up):
        before = all_rows()

        found = look(given_up)

        assert differences(before, all_rows()) == []
        told = {(each.what, each.before, each.after) for each in found.outcome.changes}
        assert ("Status", "Waiting for payment", "Paid") in told
        [mail] = found.outcome.effects
        assert mail.words.startswith("E-mail to camille.martin@example.com: “")
        assert (mail.fate, mail.is_new, found.events[0].status) == ("new", True, "PROCESSED")

    def test_of_what_was_processed_says_that_nothing_changes_and_nothing_is_sent_again(self, registration):
        (event,) = hear(event_of(registration, COMPLETED))
        Effect.objects.update(status=EffectStatus.DONE, delivered_at=NOON)

        found = look(event)

        assert found.outcome.changes == []
        assert [(each.is_new, each.fate[:12]) for each in found.outcome.effects] == [(False, "already sent")]

    def test_says_that_it_fails_again(self, registration):
        Reference.objects.all().delete()
        (event,) = hear(event_of(registration, COMPLETED))
        assert event.status == EventStatus.FAILED

        [again] = look(event).failed

        assert "nothing here is called order:" in again.error
        assert EventAttempt.objects.count() == 1


class TestReplay:
    def test_does_what_was_shown(self, registration, given_up, admin_user):
        shown = look(given_up)

        done = replay_events([given_up.pk], by=admin_user, reason=" repaired ", at=NOON, expected=shown.fingerprints)

        assert done.fingerprints == shown.fingerprints
        assert Order.objects.get().status == "PAID"
        attempt = EventAttempt.objects.get()
        assert (attempt.trigger, attempt.requested_by, attempt.requested_reason) == ("replay", admin_user, "repaired")

    def test_is_refused_when_something_else_would_come_of_it(self, registration, given_up, admin_user):
        shown = look(given_up)
        HeldType.objects.create(type=COMPLETED, reason="meanwhile")

        with pytest.raises(ReplayMoved):
            replay_events([given_up.pk], by=admin_user, reason="x", at=NOON, expected=shown.fingerprints)

        assert PaymentEvent.objects.get().status == EventStatus.DEAD

    def test_of_several_goes_in_the_order_in_which_they_happened(self, registration, make_registration):
        late, early = kept(
            event_of(registration, COMPLETED, at=NOON),
            event_of(make_registration("Al"), COMPLETED, at=NOON.replace(hour=9)),
        )

        done = replay_events([late.pk, early.pk], by=None, reason="x", at=NOON)

        assert [each.pk for each in done.events] == [early.pk, late.pk]
        assert list(EventAttempt.objects.order_by("pk").values_list("event", flat=True)) == [early.pk, late.pk]

    def test_knows_no_event_that_is_gone(self, db):
        with pytest.raises(ReplayRefused, match="not here any more"):
            replay_events([1], by=None, reason="x", at=NOON)

    def test_keeps_errors_in_english_whoever_asks(self, registration, settings):
        settings.LANGUAGE_CODE = "fr"
        Reference.objects.all().delete()
        (event,) = hear(event_of(registration, COMPLETED))

        replay_event(event=event, by=None, reason="x", at=NOON)

        assert {row.error_group for row in PaymentEvent.objects.all()} == {event.error_group}
