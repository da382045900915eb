import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from payments.billing.models import Dispute
from payments.diagnosis.diagnose import diagnose
from payments.ledger.models import PURGED_AT, EventSource, PaymentEvent
from payments.ledger.read_event import read_event
from payments.ledger.record import RecordOutcome, record_event
from payments.orders.models import OrderException
from payments.processing.purge import LEAST_DAYS, PurgeRefused, purge_payloads
from payments.processing.replay import ReplayRefused, replay_event
from payments.processing.replay_runs import Selection, advance_replay, start_run
from payments.statuses import DisputePhase, ExceptionKind
from tests.support.factories import make_staff
from tests.support.road import NOON, event_of, hear

COMPLETED, SUCCEEDED = "checkout.session.completed", "payment_intent.succeeded"
LATER, A_YEAR = NOON + timedelta(days=500), timedelta(days=365)

pytestmark = pytest.mark.django_db


def purge(**options):
    return purge_payloads(**{"older_than": A_YEAR, "at": LATER, **options})


@pytest.fixture
def paid(registration):
    """Its two events are processed, and nothing is open."""
    return hear(event_of(registration, COMPLETED), event_of(registration, SUCCEEDED))


def payload_of(event):
    return PaymentEvent.objects.get(pk=event.pk).payload


class TestPurge:
    def test_takes_what_the_person_said_and_leaves_what_became_of_it(self, paid, registration):
        (event, _) = paid
        before = PaymentEvent.objects.values().get(pk=event.pk)

        done = purge()

        after = PaymentEvent.objects.values().get(pk=event.pk)
        assert (done.purged, done.kept) == (2, {})
        assert registration.email in str(before.pop("payload"))
        assert registration.email not in str(after.pop("payload"))
        assert after == before
        assert purge().purged == 0

    def test_changes_nothing_in_a_dry_run(self, paid):
        assert purge(dry_run=True).purged == 2
        assert PURGED_AT not in payload_of(paid[0])

    def test_leaves_what_is_young(self, paid):
        assert purge(at=NOON + A_YEAR).purged == 0
        with pytest.raises(PurgeRefused, match="35 days"):
            purge(older_than=timedelta(days=LEAST_DAYS - 1))

    @pytest.mark.parametrize("state", ["RECEIVED", "FAILED", "DEAD", "HELD"])
    def test_keeps_what_is_not_finished(self, paid, state):
        PaymentEvent.objects.filter(pk=paid[0].pk).update(status=state)

        done = purge()

        assert done.purged == 1
        assert done.kept == {"not finished (waiting, failing, given up or held back)": 1}

    def test_keeps_what_names_something_unknown_and_what_is_being_replayed(self, paid, registration):
        (stranger,) = hear(event_of(registration, COMPLETED))
        PaymentEvent.objects.filter(pk=stranger.pk).update(status="IGNORED", ignored_reason="unmatched")
        start_run(Selection(types=(SUCCEEDED,), statuses=("PROCESSED",)), by=None, reason="why not", at=NOON)

        assert purge().kept == {"names something that is not known yet": 1, "it is being replayed": 1}

    def test_keeps_what_an_open_question_or_dispute_is_about(self, paid, registration):
        question = OrderException.objects.create(kind=ExceptionKind.UNKNOWN_ORDER, subject="pi_x", opened_at=NOON)
        PaymentEvent.objects.filter(pk=paid[0].pk).update(order=None, mentions=["pi_x"])
        hear(event_of(registration, "charge.dispute.created"))

        assert purge().kept == {"an open question is about it": 1, "a dispute is not decided yet": 2}

        OrderException.objects.filter(pk=question.pk).update(is_open=False)
        Dispute.objects.update(phase=DisputePhase.CLOSED)
        assert purge().purged == 3


class TestAfterwards:
    @pytest.fixture
    def purged(self, paid):
        purge()
        return PaymentEvent.objects.get(pk=paid[0].pk)

    def test_a_duplicate_is_recognized(self, paid, purged):
        incoming = read_event(paid[0].payload, body_sha256="0" * 64, expected_livemode=False, expected_account="")

        again = record_event(incoming, source=EventSource.BACKFILL, request_id="", at=LATER)

        assert (again.outcome, again.id) == (RecordOutcome.DUPLICATE, purged.pk)
        assert PURGED_AT in payload_of(purged)

    def test_a_replay_is_refused_and_changes_nothing(self, purged):
        with pytest.raises(ReplayRefused, match=r"payload of evt_.* was purged: ask Stripe"):
            replay_event(event=purged, by=None, reason="why not", at=LATER)

        run = start_run(Selection(ids=(purged.stripe_event_id,)), by=None, reason="why not", at=LATER)
        run = advance_replay(at=LATER, only=run)
        run.refresh_from_db()
        purged.refresh_from_db()
        assert (run.state, run.healed, run.failed, run.passed_over) == ("DONE", 0, 0, 1)
        assert (purged.status, purged.attempts) == ("PROCESSED", 1)

    def test_the_diagnosis_says_so(self, purged):
        told = diagnose(purged.stripe_event_id, at=LATER)

        assert any("The payload of evt_" in each.sentence and "was purged" in each.sentence for each in told.findings)

    def test_the_pages_show_the_skeleton(self, purged, client):
        client.force_login(make_staff())

        for row in (purged, purged.order):
            page = client.get(reverse(f"admin:payments_{row._meta.model_name}_change", args=[row.pk]))
            assert page.status_code == 200


class TestCommand:
    def test_tells_how_many_went_and_why_others_stay(self, paid):
        PaymentEvent.objects.filter(pk=paid[0].pk).update(status="DEAD")
        PaymentEvent.objects.update(received_at=NOON - 2 * A_YEAR)
        out = io.StringIO()

        call_command("purge", "--dry-run", stdout=out)

        told = out.getvalue()
        assert told.startswith("1 payloads of events received before")
        assert "1 stay: not finished" in told
        assert told.endswith("Dry run: nothing was changed.\n")

    @pytest.mark.parametrize("days", ["7", "9999999999"])
    def test_refuses_an_age_of_which_nothing_can_be_made(self, days):
        with pytest.raises(CommandError, match="days"):
            call_command("purge", "--older-than", days)
