"""From a signed thin event to the order that it names: nobody else ever tells of that payment."""

import pytest
from django.utils import timezone

from payments.apply.references import resolve
from payments.effects.deliver import deliver_all
from payments.effects.models import Effect
from payments.ledger.models import PaymentEvent
from payments.orders.models import Order
from payments.processing.drain import drain
from payments.processing.replay import replay_events
from payments.resync import UnknownName, untold
from payments.resync.unknown import resync_called
from payments.stripe_api import lookups
from payments.stripe_api.gateway import Answer, RateLimited
from payments.subscribing import subscribe
from tests.support.emulator import official_client
from tests.support.resync import heard, sold
from tests.support.signing import event_not_made, signed_post, thin_event
from tests.support.subscriber import make_plans, make_user, pay


@pytest.fixture
def buyer(registration):
    """Has paid at Stripe, and no event has told of it."""
    buyer = sold(registration)
    buyer.pay()
    return buyer


def intent_of(buyer):
    return str(buyer.stripe.v1.checkout.sessions.retrieve(buyer.session).payment_intent)


def deliver(client, event):
    answer = signed_post(client, event)
    drain()
    deliver_all(clock=timezone.now)
    return answer


class TestEventThatStripeCouldNotMake:
    def test_is_made_up_for_by_asking_about_its_object(self, client, buyer):
        name = intent_of(buyer)

        answer = deliver(client, event_not_made({"related_object": {"id": name, "type": "payment_intent", "url": "x"}}))

        assert (answer.status_code, answer.json()["duplicate"]) == (200, False)
        assert Order.objects.get().status == "PAID"
        row = PaymentEvent.objects.get()
        assert (row.status, row.object_id, row.mentions) == ("PROCESSED", name, [name])
        assert Effect.objects.get(kind="look_up").status == "DONE"

    def test_is_asked_for_whole_where_its_delivery_names_nothing(self, client, buyer, monkeypatch):
        event, asked = event_not_made(), []

        def look_up(name):
            asked.append(name)
            return Answer(event_not_made({"related_object": {"id": intent_of(buyer)}}), timezone.now())

        monkeypatch.setattr(lookups, "look_up_thin_event", look_up)

        deliver(client, event)

        assert asked == [event["id"]]
        assert Order.objects.get().status == "PAID"

    @pytest.mark.parametrize("impact", [{"related_object": None}, {"related_object_id": "pi_1", "account": "acct_x"}])
    def test_is_left_where_the_whole_one_names_nothing_of_ours(self, client, monkeypatch, impact):
        monkeypatch.setattr(lookups, "look_up_thin_event", lambda _name: Answer(event_not_made(impact), timezone.now()))

        deliver(client, event_not_made())

        assert (Effect.objects.get().status, Effect.objects.get().outcome) == ("SKIPPED", untold.NOT_OURS.reason)

    def test_is_left_where_stripe_knows_nothing_by_that_name(self, client):
        deliver(client, event_not_made({"related_object_id": "pi_nobody"}))

        assert Effect.objects.get().status == "SKIPPED"

    def test_is_asked_about_later_where_stripe_has_no_time(self, client, buyer, monkeypatch):
        def busy(_call):
            raise RateLimited("too many", retry_after=60)

        with monkeypatch.context() as patched:
            patched.setattr(lookups, "ask_one", busy)
            deliver(client, event_not_made({"related_object_id": intent_of(buyer)}))

        assert (Effect.objects.get().status, Effect.objects.get().attempts) == ("PENDING", 1)
        Effect.objects.update(not_before=timezone.now())
        deliver_all(clock=timezone.now)
        assert Order.objects.get().status == "PAID"

    def test_is_asked_about_once_however_often_it_comes_or_is_replayed(self, client, buyer):
        event = event_not_made({"related_object_id": intent_of(buyer)})

        for _ in range(2):
            deliver(client, event)
        replayed = replay_events(
            PaymentEvent.objects.values_list("pk", flat=True), by=None, reason="to see", at=timezone.now()
        )

        assert Effect.objects.filter(kind="look_up").count() == 1
        [effect] = replayed.outcome.effects
        assert effect.words == "Stripe is asked about what it could not tell"
        assert not effect.is_new

    def test_moves_nothing_with_a_wrong_signature(self, client, buyer):
        event = event_not_made({"related_object_id": intent_of(buyer)})

        assert signed_post(client, event, secret="whsec_wrong").status_code == 400
        assert not PaymentEvent.objects.exists()


class TestOtherThinEvent:
    @pytest.mark.parametrize("event_type", ["v1.checkout.session.completed", "v2.core.account.updated"])
    def test_is_kept_and_ignored(self, client, buyer, event_type):
        related = {"id": buyer.session, "type": "checkout.session", "url": "/v1/checkout/sessions/x"}

        answer = deliver(client, thin_event(event_type, related_object=related))

        row = PaymentEvent.objects.get()
        assert (answer.status_code, row.status) == (200, "IGNORED")
        assert row.ignored_reason.startswith("a thin event, which does not say what has changed")
        assert not Effect.objects.filter(kind="look_up").exists()
        assert Order.objects.get().status == "PENDING"

    def test_without_any_object_costs_its_batch_nothing(self, client, registration):
        for data in (None, {}, {"object": None}):
            assert deliver(client, thin_event(data=data)).status_code == 200

        assert set(PaymentEvent.objects.values_list("status", flat=True)) == {"IGNORED"}


class TestResyncCalled:
    @pytest.mark.parametrize("what", ["session", "intent", "charge", "refund", "dispute"])
    def test_finds_the_order_by_whatever_is_its_own(self, registration, options, what):
        buyer = sold(registration)
        buyer.pay("pm_card_createDispute" if what == "dispute" else "pm_card_visa")
        if what == "refund":
            refund = buyer.stripe.v1.refunds.create({"charge": buyer.charge()}).id
        heard() if what in ("charge", "refund", "dispute") else None
        names = {
            "session": lambda: buyer.session, "intent": lambda: intent_of(buyer), "charge": buyer.charge,
            "refund": lambda: refund, "dispute": buyer.dispute,
        }  # fmt: skip

        [done] = resync_called(names[what](), options=options())

        assert done.subject == registration.order.number

    @pytest.mark.parametrize("what", ["invoice", "subscription", "customer"])
    def test_finds_a_subscription_or_a_customer(self, options, what):
        plan, _yearly = make_plans()
        user = make_user()
        pay(subscribe(user=user, plan=plan, at=timezone.now()))
        stripe = official_client().v1
        name = {
            "invoice": lambda: stripe.invoices.list().data[0].id,
            "subscription": lambda: stripe.subscriptions.list().data[0].id,
            "customer": lambda: user.customers.get().stripe_id,
        }[what]()

        done = resync_called(name, options=options())

        assert {each.subject for each in done} >= {stripe.subscriptions.list().data[0].id}
        assert user.customers.get().subscriptions.get().status == "active"

    @pytest.mark.parametrize(
        ("name", "why"),
        [("pi_nobody", "neither here nor at Stripe"), ("price_1", "by a name of that kind"), ("", "of that kind")],
    )
    def test_says_why_it_finds_nothing(self, options, name, why):
        with pytest.raises(UnknownName, match=why):
            resync_called(name, options=options())

    def test_says_whose_it_is_not(self, options):
        stranger = official_client().v1.customers.create({"email": "x@example.com"})

        with pytest.raises(UnknownName, match="it names no order of ours"):
            resync_called(stranger.id, options=options())
        assert not resolve([]).known
