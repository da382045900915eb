"""Draining the queue (docs/adr/0003-ledger-is-the-queue.md): a bad event costs only itself."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils.translation import override

from payments.billing.models import Subscription
from payments.effects.models import Effect
from payments.ledger.models import EventAttempt, HeldType, PaymentEvent, Trigger
from payments.orders.models import Order, OrderException, Reference
from payments.processing.drain import drain, sweep
from payments.processing.process import BACK_OFF
from payments.processing.replay import ReplayRefused, release_held, replay_event
from payments.statuses import EventStatus
from registrations.services.register import register
from tests.support.road import NOON, event_of, hear, keep
from tests.support.subscriptions import make_plan, subscription_object

pytestmark = pytest.mark.django_db

COMPLETED = "checkout.session.completed"
LATER = NOON + timedelta(hours=2)
# Nothing here is called so.
STRANGER = {
    "order": "7b0c3f0e-43c1-4c53-9a5e-0d2f4f1f7a11",
    "registration": "5a0c3f0e-43c1-4c53-9a5e-0d2f4f1f7a12",
}


def register_as(external_id, activity):
    """Somebody whom the old system called so."""
    return register(
        activity=activity, name="A", email="a@example.com", language="fr", at=NOON, external_id=external_id
    )  # fmt: skip


def naming(registration: str, **metadata: str) -> dict:
    """€49.00 were paid in a session of the old system, for the registration that it called so."""
    session = {
        "id": "cs_old", "object": "checkout.session", "mode": "payment", "status": "complete",
        "payment_status": "paid", "payment_intent": "pi_old", "amount_total": 4900, "currency": "eur",
        "metadata": {"registrationId": registration, **metadata},
    }  # fmt: skip
    return made_of(session, COMPLETED)


def made_of(source: dict, event_type: str, *, id: str = "evt_made") -> dict:
    """An event of this type about the object."""
    told = {"id": id, "type": event_type, "created": int(NOON.timestamp()), "livemode": False, "api_version": ""}
    return {**told, "data": {"object": source}}


def poisoned(registration) -> dict:
    """An event that handler and fold accept, and the database refuses (see `refuse_poison`)."""
    event = event_of(registration, "refund.created")
    event["data"]["object"]["id"] = "re_poison"
    return event


@pytest.fixture
def refuse_poison(db):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE payments_refund ADD CONSTRAINT no_poison CHECK (stripe_id <> 're_poison')")


def malformed(registration) -> dict:
    event = event_of(registration, COMPLETED)
    event["data"]["object"]["amount_total"] = "forty-nine"
    return event


class TestDrain:
    def test_marks_what_it_processed_with_one_row_of_history(self, registration):
        (event,) = hear(event_of(registration, COMPLETED))

        attempt = event.attempt_rows.get()
        assert (event.status, event.attempts, event.order_id) == (
            EventStatus.PROCESSED,
            1,
            registration.order_id,
        )
        assert (attempt.outcome, attempt.trigger) == ("PROCESSED", Trigger.DELIVERY)
        assert {"what": "status", "before": "PENDING", "after": "PAID"} in attempt.changes

    def test_keeps_and_ignores_a_type_without_handler(self, registration):
        event = event_of(registration, COMPLETED) | {"type": "price.created"}

        (row,) = hear(event)

        assert (row.status, row.ignored_reason) == (EventStatus.IGNORED, "no handler for this type")

    def test_ignores_what_another_site_made(self, registration):
        (row,) = hear(event_of(registration, COMPLETED, subject={"site": "another", **STRANGER}))

        assert (row.status, row.ignored_reason) == (EventStatus.IGNORED, "made by another site")
        assert Order.objects.get().status == "PENDING"

    def test_keeps_the_subscription_of_an_event_beside_it(self):
        make_plan()
        keep(made_of(subscription_object(metadata={}), "customer.subscription.updated"))

        drain(at=LATER)

        event = PaymentEvent.objects.get()
        assert (event.subscription, event.order) == (Subscription.objects.get(), None)

    def test_lets_a_malformed_event_cost_only_itself(self, registration, make_registration):
        other = make_registration("Alex Smith")

        bad, good = hear(malformed(registration), event_of(other, COMPLETED))

        assert (bad.status, bad.error_kind) == (EventStatus.FAILED, "MalformedObject")
        assert good.status == EventStatus.PROCESSED

    def test_lets_an_event_that_the_database_refuses_cost_only_itself(
        self, registration, make_registration, refuse_poison
    ):
        others = [make_registration(f"Person {number}") for number in range(9)]
        good = [event_of(other, COMPLETED) for other in others]

        rows = hear(*good[:4], event_of(registration, COMPLETED), poisoned(registration), *good[4:])

        assert [row.status for row in rows].count(EventStatus.PROCESSED) == 10
        assert (rows[5].status, rows[5].error_kind) == (EventStatus.FAILED, "IntegrityError")
        assert Order.objects.filter(status="PAID").count() == 10

    def test_lets_an_event_that_a_product_cannot_follow_cost_only_itself(
        self, registration, make_registration, monkeypatch
    ):
        def stumble(row, order):
            if order.pk == registration.order_id:
                raise KeyError("a mistake in the product")

        monkeypatch.setattr("registrations.product.message_for", stumble)
        others = [make_registration(f"Person {number}") for number in range(9)]

        bad, *good = hear(*[event_of(row, COMPLETED) for row in (registration, *others)])

        assert (bad.status, bad.error_kind) == (EventStatus.FAILED, "KeyError")
        assert {event.status for event in good} == {EventStatus.PROCESSED}
        assert Order.objects.filter(status="PAID").count() == 9

    def test_asks_only_for_what_is_due(self, registration):
        keep(event_of(registration, COMPLETED), at=LATER)

        assert drain(at=NOON) == 0

    def test_stops_between_batches_when_asked(self, registration, settings):
        settings.DRAIN_BATCH_SIZE = 1
        keep(event_of(registration, COMPLETED), event_of(registration, "payment_intent.succeeded"))

        done = drain(at=LATER, should_stop=iter([False, True]).__next__)

        assert done == 1

    def test_costs_as_many_statements_for_a_hundred_as_for_ten(
        self, make_activity, make_registration, django_assert_max_num_queries
    ):
        crowd = make_activity(slug="crowd", capacity=100)
        people = [make_registration(f"Person {number}", of=crowd) for number in range(100)]
        keep(*[event_of(person, COMPLETED) for person in people], at=NOON)

        with django_assert_max_num_queries(32):
            drain(at=LATER)

        assert Order.objects.filter(status="PAID").count() == 100


class TestBackOff:
    def test_waits_longer_each_time_and_then_gives_up_with_one_alert(self, registration):
        keep(malformed(registration), at=NOON)
        at = NOON
        waits = []
        for _ in BACK_OFF:
            drain(at=at)
            event = PaymentEvent.objects.get()
            waits.append(event.next_attempt_at - at)
            at = event.next_attempt_at

        drain(at=at)

        assert tuple(waits) == BACK_OFF
        assert PaymentEvent.objects.get().status == EventStatus.DEAD
        assert EventAttempt.objects.count() == 7
        assert Effect.objects.filter(kind="alert.event_dead").count() == 1

    def test_puts_money_for_an_order_that_never_appears_in_front_of_staff(self, registration):
        event = event_of(registration, COMPLETED)
        event["data"]["object"]["metadata"] = {"registrationId": "old-42"}
        event["data"]["object"]["client_reference_id"] = None
        keep(event, at=NOON)
        PaymentEvent.objects.update(attempts=6)

        drain(at=NOON)

        question = OrderException.objects.get()
        assert (question.kind, question.subject, question.is_open) == ("UNKNOWN_ORDER", event["id"], True)
        names = ", ".join(PaymentEvent.objects.get().references)
        for language, amount in {"en": "€49.00", "fr": "49,00 €"}.items():
            with override(language):
                told = question.detail_text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
                assert told.startswith(amount)
                assert "registration:old-42" in names
                assert names in told

    def test_asks_staff_no_more_once_the_order_appeared(self, registration, admin_user):
        event = event_of(registration, COMPLETED)
        Reference.objects.all().delete()
        keep(event, at=NOON)
        PaymentEvent.objects.update(attempts=6)
        drain(at=NOON)
        Reference.objects.create(name=f"order:{registration.order.public_id}", order=registration.order)

        replay_event(event=PaymentEvent.objects.get(), by=admin_user, reason="Imported now.", at=LATER)
        drain(at=LATER)

        assert OrderException.objects.get().is_open is False
        assert Order.objects.get().status == "PAID"


class TestUnmatched:
    def test_waits_for_the_name_and_is_then_applied(self, registration):
        (refund,) = hear(event_of(registration, "refund.created"))
        early = (refund.status, refund.ignored_reason)

        hear(event_of(registration, COMPLETED))

        refund.refresh_from_db()
        assert early == (EventStatus.IGNORED, "unmatched")
        assert (refund.status, refund.order.status) == (EventStatus.PROCESSED, "REFUNDED")

    def test_is_resolved_by_what_the_same_batch_teaches(self, registration):
        refund, _paid = hear(event_of(registration, "refund.created"), event_of(registration, COMPLETED))

        assert (refund.attempts, refund.status) == (1, EventStatus.PROCESSED)

    def test_is_found_by_the_sweep_after_a_crash(self, registration):
        (refund,) = hear(event_of(registration, "refund.created"))
        hear(event_of(registration, COMPLETED))
        PaymentEvent.objects.filter(pk=refund.pk).update(
            status="IGNORED", ignored_reason="unmatched", processed_at=LATER
        )

        assert sweep(at=LATER) == 1
        assert PaymentEvent.objects.get(pk=refund.pk).status == EventStatus.RECEIVED

    def test_stays_quiet_while_nothing_is_known(self, registration):
        hear(event_of(registration, "refund.created"))

        assert sweep(at=LATER) == 0


class TestOwnership:
    """What we know by its own id is ours; the site's name decides only about what we do not know."""

    def test_an_order_of_ours_is_paid_whatever_site_is_named(self, registration, settings):
        settings.SITE_NAME, settings.SITE_URL = "renamed", "https://elsewhere.example"

        hear(event_of(registration, COMPLETED, subject={"site": "payments"}))

        assert Order.objects.get().status == "PAID"

    @pytest.mark.parametrize("event_type", ["charge.refunded", "refund.created", "charge.dispute.created"])
    def test_money_of_a_known_payment_is_ours_whatever_site_is_named(self, registration, event_type):
        hear(event_of(registration, COMPLETED), event_of(registration, "payment_intent.succeeded"))
        event = event_of(registration, event_type)
        event["data"]["object"]["metadata"] = {"site": "another"}

        (row,) = hear(event)

        assert (row.status, row.order) == (EventStatus.PROCESSED, registration.order)

    def test_an_imported_id_is_ours_whatever_site_is_named(self, activity):
        register_as("old-42", activity)

        hear(naming("old-42", site="the-old-site"))

        assert Order.objects.get().status == "PAID"

    @pytest.mark.parametrize("event_type", [COMPLETED, "payment_intent.succeeded"])
    def test_another_sites_order_pays_nothing_here_though_both_took_over_one_old_system(self, activity, event_type):
        row = register_as("old-42", activity)
        theirs = {"site": "another", "order": STRANGER["order"], "registration": "old-42"}

        (event,) = hear(event_of(row, event_type, subject=theirs))

        assert (event.status, event.ignored_reason) == (EventStatus.IGNORED, "made by another site")
        assert Order.objects.get().status == "PENDING"
        assert not Reference.objects.filter(name__startswith="cs_").exists()

    def test_a_subscription_with_the_former_price_of_the_settings_is_ours(self, settings):
        settings.STRIPE_PRICES = {"gold": "price_monthly"}
        plan = make_plan("gold", price="")
        hear(made_of(subscription_object(metadata={}), "customer.subscription.updated"))
        settings.STRIPE_PRICES = {"gold": "price_newer"}

        another = subscription_object(id="sub_2", customer="cus_2", metadata={})
        hear(made_of(another, "customer.subscription.updated", id="evt_another"))

        assert list(Subscription.objects.values_list("stripe_id", "plan")) == [("sub_1", plan.pk), ("sub_2", plan.pk)]


class TestUntakenMoney:
    """Money that names something of ours and finds nothing stands on the desk at once."""

    def test_is_asked_about_at_the_first_failure(self, registration):
        (event,) = hear(naming("old-42"))

        question = OrderException.objects.get()
        assert event.status == EventStatus.FAILED
        assert (question.kind, question.subject, question.is_open) == ("UNKNOWN_ORDER", event.stripe_event_id, True)
        assert "registration:old-42" in question.detail_text
        assert "€49.00" in question.detail_text

    def test_is_asked_about_where_only_our_site_is_named(self, registration):
        event = event_of(registration, "refund.created")
        event["data"]["object"] |= {"metadata": {"site": "payments"}, "charge": "ch_x", "payment_intent": "pi_x"}

        (row,) = hear(event)

        assert (row.status, row.ignored_reason) == (EventStatus.IGNORED, "unmatched")
        assert OrderException.objects.get().is_open

    @pytest.mark.parametrize(
        ("event_type", "subject"),
        [("checkout.session.expired", {}), (COMPLETED, {"site": "another"})],
        ids=["no money", "another site"],
    )
    def test_is_no_question_otherwise(self, registration, event_type, subject):
        hear(event_of(registration, event_type, subject={**STRANGER, **subject}))

        assert not OrderException.objects.exists()

    def test_is_no_question_any_more_once_what_it_names_is_here(self, activity):
        (event,) = hear(naming("old-42"))
        register_as("old-42", activity)

        drain(at=LATER)

        event.refresh_from_db()
        assert (event.status, Order.objects.get().status) == (EventStatus.PROCESSED, "PAID")
        assert OrderException.objects.get().is_open is False


class TestWaking:
    """Whatever makes or imports what a waiting event names queues that event again."""

    @pytest.mark.parametrize("status", [EventStatus.FAILED, EventStatus.DEAD])
    def test_an_event_that_failed_or_was_given_up(self, activity, status):
        (event,) = hear(naming("old-42"))
        PaymentEvent.objects.update(status=status, next_attempt_at=LATER + timedelta(days=1))

        register_as("old-42", activity)
        drain(at=LATER)

        event.refresh_from_db()
        assert (event.status, event.trigger) == (EventStatus.PROCESSED, Trigger.RETRY)
        assert event.attempt_rows.last().trigger == Trigger.REFERENCE

    def test_an_event_that_was_taken_for_another_sites(self, activity):
        hear(naming("old-42", site="the-old-site"))

        register_as("old-42", activity)
        drain(at=LATER)

        assert Order.objects.get().status == "PAID"

    def test_when_a_registration_is_given_its_old_id_later(self, registration):
        hear(naming("old-42"))

        registration.external_id = "old-42"
        registration.save()
        drain(at=LATER)

        assert Order.objects.get().status == "PAID"

    def test_leaves_alone_what_waits_for_something_else(self, activity):
        hear(naming("old-43"))

        register_as("old-42", activity)

        assert PaymentEvent.objects.get().status == EventStatus.FAILED


class TestImported:
    def test_id_of_the_old_system_finds_the_registration(self, activity):
        register_as("old-42", activity)

        hear(naming("old-42"))

        assert Order.objects.get().status == "PAID"


class TestHold:
    def test_sets_events_aside_and_brings_them_back(self, registration, admin_user):
        HeldType.objects.create(type=COMPLETED, reason="A handler is being repaired.")
        (event,) = hear(event_of(registration, COMPLETED))
        held = event.status

        release_held(type=COMPLETED, by=admin_user, reason="It is repaired.", at=LATER)
        drain(at=LATER)

        event.refresh_from_db()
        assert (held, event.status, event.attempts) == (EventStatus.HELD, EventStatus.PROCESSED, 1)


class TestReplay:
    def test_runs_the_event_again_and_sends_nothing_twice(self, registration, admin_user):
        (event,) = hear(event_of(registration, COMPLETED))
        effects = Effect.objects.count()

        replay_event(event=event, by=admin_user, reason="The place was missing.", at=LATER)
        drain(at=LATER)

        last = event.attempt_rows.order_by("-number").first()
        assert (last.trigger, last.requested_by, last.requested_reason) == (
            "replay",
            admin_user,
            "The place was missing.",
        )
        assert (last.outcome, last.changes, Effect.objects.count()) == ("PROCESSED", [], effects)

    def test_repairs_a_product_that_lost_track(self, registration, admin_user):
        (event,) = hear(event_of(registration, COMPLETED))
        type(registration).objects.filter(pk=registration.pk).update(status="PENDING")

        replay_event(event=event, by=admin_user, reason="Status was wrong.", at=LATER)
        drain(at=LATER)

        registration.refresh_from_db()
        assert registration.status == "PAID"

    def test_lets_test_money_pay_for_nothing_real(self, registration, admin_user, settings):
        (event,) = hear(event_of(registration, COMPLETED, subject={"livemode": not settings.STRIPE_LIVEMODE}))

        replay_event(event=event, by=admin_user, reason="Somebody hoped.", at=LATER)
        drain(at=LATER)

        event.refresh_from_db()
        assert (event.status, event.ignored_reason) == (EventStatus.IGNORED, "wrong livemode")
        assert Order.objects.get().status == "PENDING"

    def test_needs_a_reason(self, registration, admin_user):
        (event,) = hear(event_of(registration, COMPLETED))

        with pytest.raises(ReplayRefused, match="reason"):
            replay_event(event=event, by=admin_user, reason="  ", at=LATER)


class TestQueueIndex:
    def test_serves_the_claim(self, registration):
        hear(event_of(registration, COMPLETED))
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
            cursor.execute(
                "EXPLAIN SELECT id FROM payments_paymentevent WHERE status IN ('RECEIVED', 'FAILED') "
                "AND next_attempt_at <= now() ORDER BY next_attempt_at, id LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED"
            )
            plan = "\n".join(row[0] for row in cursor.fetchall())

        assert "event_due" in plan
        assert "Sort" not in plan
