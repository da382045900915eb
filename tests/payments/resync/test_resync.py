from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from payments.apply.apply import apply
from payments.apply.batch import FactSet
from payments.billing.models import Customer, Dispute, Payment, Refund, Subscription
from payments.facts import ObjectRefs, OrderFact
from payments.orders.models import CheckoutAttempt, Order, OrderChange, Reference
from payments.orders.opening import open_attempt
from payments.resync import HasMoved, KeepsMoving, resync_order, resync_person, resync_subscription, resync_user
from payments.resync import resync as module
from payments.resync.stripe_state import StripeState, state_of_order
from payments.stripe_api.gateway import GatewayRefused
from tests.support.factories import UserFactory
from tests.support.resync import all_rows, differences, heard, sold

pytestmark = pytest.mark.django_db


def in_words(value: object) -> str:
    """What is wrong, without the moment at which the tests were collected: several processes must name them alike."""
    return ",".join(value) if isinstance(value, dict) else getattr(value, "__name__", str(value))


LATER = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def buyer(registration):
    """Somebody with an open session of €49.00."""
    return sold(registration)


class TestResyncOrder:
    def test_learns_of_a_payment_of_which_no_event_came(self, buyer, options):
        buyer.pay()

        done = resync_order(buyer.registration.order, options=options())

        order = Order.objects.get()
        assert (order.status, order.amount_received) == ("PAID", 4900)
        assert ("status", "PENDING", "PAID") in done.changes
        buyer.registration.refresh_from_db()
        assert (buyer.registration.status, buyer.registration.holds_place) == ("PAID", True)

    def test_writes_nothing_in_a_dry_run(self, buyer, options):
        buyer.pay()
        before = all_rows()

        done = resync_order(buyer.registration.order, options=options(dry_run=True))

        assert ("status", "PENDING", "PAID") in done.changes
        assert differences(before, all_rows()) == []

    def test_tells_the_log_nothing_of_a_dry_run(self, buyer, options):
        buyer.pay()

        with capture_logs() as lines:
            resync_order(buyer.registration.order, options=options(dry_run=True))

        assert [line["event"] for line in lines if line["event"].partition(".")[0] in ("order", "registration")] == []

    def test_names_order_and_registration_in_the_log(self, buyer, options):
        buyer.pay()

        with capture_logs() as lines:
            resync_order(buyer.registration.order, options=options(by="ada"))

        told = [line for line in lines if line["event"] in ("order.changed", "registration.changed", "resync.done")]
        order, registration = buyer.registration.order, str(buyer.registration.public_id)
        assert {line["event"] for line in told} == {"order.changed", "registration.changed", "resync.done"}
        assert {(line["order_number"], line["registration"]) for line in told} == {(order.number, registration)}
        assert next(line["source"] for line in told) == "resync: ada"

    def test_touches_nothing_where_nothing_differs(self, buyer, options):
        buyer.pay("pm_card_chargeDeclinedInsufficientFunds")
        buyer.pay()
        buyer.stripe.v1.refunds.create({"charge": buyer.charge(), "amount": 900})
        heard()
        before = all_rows()

        done = resync_order(buyer.registration.order, options=options())

        assert done.changes == []
        assert differences(before, all_rows()) == []

    @pytest.mark.parametrize(
        ("model", "wrong"),
        [
            (Payment, {"received": 9900}),
            (Payment, {"received": 1000}),
            (Payment, {"refunded": 4900, "charge_refunded": 4900}),
            (Refund, {"status": "failed"}),
            (Refund, {"amount": 1}),
            (Order, {"status": "REFUNDED"}),
            (Order, {"status": "PENDING", "paid_at": None, "amount_received": 0, "amount_refunded": 0}),
        ],
        ids=in_words,
    )
    def test_puts_right_what_says_too_much_or_too_little(self, buyer, options, model, wrong):
        buyer.pay()
        buyer.stripe.v1.refunds.create({"charge": buyer.charge(), "amount": 900})
        heard()
        before = all_rows(exclude=OrderChange)
        model.objects.update(**wrong)

        resync_order(buyer.registration.order, options=options())

        assert differences(before, all_rows(exclude=OrderChange)) == []

    def test_brings_back_what_was_lost(self, buyer, options):
        buyer.pay("pm_card_createDispute")
        heard()
        before = (Dispute.objects.get().status, Order.objects.get().dispute_state)
        Dispute.objects.all().delete()
        Payment.objects.all().delete()
        Order.objects.update(status="PENDING", paid_at=None, amount_received=0, dispute_state="")

        resync_order(buyer.registration.order, options=options())

        assert (Dispute.objects.get().status, Order.objects.get().dispute_state) == before
        assert Order.objects.get().status == "PAID"

    def test_opens_an_order_again_whose_session_is_open(self, buyer, options):
        Order.objects.update(attempt_status="EXPIRED", status="EXPIRED")

        done = resync_order(buyer.registration.order, options=options())

        assert ("status", "EXPIRED", "PENDING") in done.changes

    def test_knows_a_decline_in_an_open_session(self, buyer, options):
        buyer.pay("pm_card_chargeDeclinedInsufficientFunds")

        resync_order(buyer.registration.order, options=options())

        assert (Order.objects.get().status, Order.objects.get().failure_code) == ("FAILED", "insufficient_funds")

    def test_says_what_stripe_does_not_know(self, buyer, options):
        buyer.registration.order.checkouts.update(session="cs_test_lost")

        done = resync_order(buyer.registration.order, options=options())

        assert done.missing == ["cs_test_lost"]

    def test_says_which_money_stripe_does_not_know(self, buyer, options):
        buyer.pay()
        heard()
        made = {"order": Order.objects.get(), "payment": "pi_1", "amount": 1, "currency": "eur", "status_at": LATER}
        Refund.objects.create(stripe_id="re_of_nobody", status="succeeded", **made)
        Dispute.objects.create(stripe_id="du_of_nobody", status="lost", phase=1, **made)

        done = resync_order(buyer.registration.order, options=options())

        assert done.missing == ["re_of_nobody", "du_of_nobody"]

    def test_leaves_a_further_try_alone_of_which_stripe_knows_nothing_yet(self, buyer, options):
        buyer.stripe.v1.checkout.sessions.expire(buyer.session)
        open_attempt(Order.objects.get(), at=options().at)

        done = resync_order(buyer.registration.order, options=options())

        assert ("status", "PENDING", "EXPIRED") not in done.changes
        assert (Order.objects.get().status, Order.objects.get().attempt_number) == ("PENDING", 2)

    @pytest.mark.parametrize(
        ("model", "wrong"),
        [
            (Payment, {"charge": "ch_of_nobody"}),
            (Payment, {"session": ""}),
            (Payment, {"currency": "usd"}),
            (Payment, {"paid_at": None}),
            (Refund, {"payment": "pi_of_nobody"}),
            (Refund, {"currency": "usd", "reason": "fraudulent"}),
            (Refund, {"status": "failed", "status_at": LATER}),
            (Dispute, {"status": "won", "phase": 2}),
            (Dispute, {"status": "", "status_at": LATER}),
            (Dispute, {"due_by": None, "reason": "", "currency": "usd"}),
        ],
        ids=in_words,
    )
    def test_puts_right_what_nobody_sees(self, buyer, options, model, wrong):
        buyer.pay("pm_card_createDispute")
        buyer.stripe.v1.disputes.update(buyer.dispute(), {"evidence": {"uncategorized_text": "winning_evidence"}})
        heard()
        dates = {Refund: ("status_at",), Dispute: ("status_at",)}
        before = all_rows(exclude=OrderChange, exclude_columns=dates)
        model.objects.update(**wrong)

        resync_order(buyer.registration.order, options=options())

        assert differences(before, all_rows(exclude=OrderChange, exclude_columns=dates)) == []

    def test_finds_by_its_names_what_it_has_lost(self, buyer, options):
        buyer.pay()
        heard()
        before = all_rows(exclude=OrderChange)
        CheckoutAttempt.objects.update(session="")
        Payment.objects.update(received=0)

        resync_order(buyer.registration.order, options=options())

        assert differences(before, all_rows(exclude=OrderChange)) == []

    def test_asks_again_when_an_event_was_faster(self, buyer, options, monkeypatch):
        buyer.pay()
        asked = []

        def slow(**told):
            state = state_of_order(**told)
            if not asked:
                heard()
            asked.append(state)
            return state

        monkeypatch.setattr(module, "state_of_order", slow)

        done = resync_order(buyer.registration.order, options=options())

        assert len(asked) == 2
        assert done.changes == []
        assert Order.objects.get().status == "PAID"

    def test_gives_up_on_what_moves_each_time(self, buyer, options, monkeypatch):
        def moving(**told):
            Order.objects.update(label=f"{Order.objects.get().label}+")
            return StripeState(
                [OrderFact(ObjectRefs(order=str(Order.objects.get().public_id)), "FAILED", options().at)]
            )

        monkeypatch.setattr(module, "state_of_order", moving)

        with pytest.raises(KeepsMoving):
            resync_order(buyer.registration.order, options=options())

    def test_changes_nothing_when_stripe_refuses(self, buyer, options, settings):
        before = all_rows()
        settings.STRIPE_SECRET_KEY = ""

        with pytest.raises(GatewayRefused):
            resync_order(buyer.registration.order, options=options())

        assert differences(before, all_rows()) == []


class TestResyncSubscription:
    def test_learns_all_of_a_subscription_of_which_no_event_came(self, life, options):
        life.is_subscribed()
        life.renews()

        done = resync_subscription(life.subscription, options=options())

        row = Subscription.objects.get()
        assert (row.status, row.plan.slug, row.needs_resync) == ("active", "monthly", False)
        assert list(Payment.objects.values_list("received", flat=True)) == [400, 400]
        assert ("status", "", "active") in done.changes

    def test_touches_nothing_where_nothing_differs(self, life, options):
        life.checks_out()
        life.renews()
        life.refunds(150)
        heard()
        assert not Subscription.objects.get().needs_resync
        before = all_rows()

        done = resync_subscription(life.subscription, options=options())

        assert done.changes == []
        assert differences(before, all_rows()) == []

    @pytest.mark.parametrize(
        ("model", "wrong"),
        [
            (Subscription, {"status": "canceled"}),
            (Subscription, {"status": "past_due"}),
            (Subscription, {"amount": 1, "plan": None, "fingerprint": "x"}),
            (Payment, {"received": 200}),
            (Payment, {"received": 4000}),
            (Payment, {"refunded": 0, "charge_refunded": 0}),
            (Refund, {"status": "failed"}),
        ],
        ids=in_words,
    )
    def test_puts_right_what_says_too_much_or_too_little(self, life, options, model, wrong):
        life.checks_out()
        life.refunds(150)
        heard()
        dates = {Subscription: ("stripe_updated_at", "from_created_event", "fingerprint")}
        before = all_rows(exclude=OrderChange, exclude_columns=dates)
        model.objects.update(**wrong)

        resync_subscription(life.subscription, options=options())

        assert differences(before, all_rows(exclude=OrderChange, exclude_columns=dates)) == []

    @pytest.mark.parametrize(
        ("model", "wrong"),
        [
            (Subscription, {"customer": None}),
            (Subscription, {"order": None}),
            (Subscription, {"trial_end": LATER, "interval": "year", "quantity": 7}),
            (Subscription, {"paid_until": LATER + timedelta(days=999)}),
            (Payment, {"off_stripe": 400}),
            (Payment, {"paid_at": LATER + timedelta(days=999)}),
        ],
        ids=in_words,
    )
    def test_puts_right_what_nobody_sees(self, life, options, model, wrong):
        life.checks_out()
        heard()
        dates = {Subscription: ("stripe_updated_at", "from_created_event")}
        before = all_rows(exclude=OrderChange, exclude_columns=dates)
        model.objects.update(**wrong)

        resync_subscription(life.subscription, options=options())

        assert differences(before, all_rows(exclude=OrderChange, exclude_columns=dates)) == []

    def test_gives_back_the_names_that_were_lost(self, life, options):
        life.checks_out()
        heard()
        before = all_rows()
        Reference.objects.filter(name__startswith="pi_").delete()

        done = resync_subscription(life.subscription, options=options())

        assert [(what[:8], after) for what, _before, after in done.changes] == [("name pi_", life.subscription)]
        assert differences(before, all_rows()) == []

    def test_knows_a_debit_that_came_back(self, life, options):
        life.checks_out(method="FR8420041010050500013M02607")
        life.passes(300)

        resync_order(life.orders[-1], options=options())

        assert Order.objects.get().status == "FAILED"

    def test_does_not_take_what_was_typed_into_checkout_for_news(self, life, options):
        life.checks_out()
        heard()
        Customer.objects.update(name="Ada King", city="Nantes", stripe_updated_at=LATER, located_at=LATER)

        resync_order(life.orders[-1], options=options())

        assert (Customer.objects.get().name, Customer.objects.get().city) == ("Ada King", "Nantes")

    def test_settles_a_doubt(self, life, options):
        life.checks_out()
        heard()
        Subscription.objects.update(needs_resync=True, has_conflict=True)

        done = resync_subscription(life.subscription, options=options())

        row = Subscription.objects.get()
        assert (done.changes, row.needs_resync, row.has_conflict) == ([], False, False)

    def test_learns_who_the_customer_is_by_now(self, life, options):
        life.is_subscribed()
        heard()
        life.api.customers.update(life.customer, {"name": "Ada King", "address": {"city": "Nantes", "country": "FR"}})

        resync_subscription(life.subscription, options=options())

        assert (Customer.objects.get().name, Customer.objects.get().city) == ("Ada King", "Nantes")

    def test_says_what_stripe_does_not_know(self, options):
        done = resync_subscription("sub_unknown", options=options())

        assert (done.changes, done.missing) == ([], ["sub_unknown"])


class TestResyncPerson:
    def test_finds_subscriptions_that_nobody_has_told_of(self, life, options):
        life.is_subscribed()
        Customer.objects.create(stripe_id=life.customer, email="ada@example.com")

        done = resync_person("ADA@example.com", options=options())

        assert [each.subject for each in done] == [life.customer, life.subscription]
        assert Subscription.objects.get().status == "active"

    def test_brings_every_order_in_line(self, buyer, options):
        buyer.pay()

        (done,) = resync_person(buyer.registration.email, options=options())

        assert done.subject == buyer.registration.order.number
        assert Order.objects.get().status == "PAID"


class TestOfAUser:
    def test_brings_in_line_what_was_bought_under_another_address_and_only_once(self, buyer, options):
        user = UserFactory(email="another@example.com")
        Order.objects.update(user=user)
        buyer.pay()

        (first,) = resync_user(user, options=options(by="boss@example.com: a call"))
        (second,) = resync_user(user, options=options())

        assert ("status", "PENDING", "PAID") in first.changes
        assert second.changes == []
        assert "resync: boss@example.com: a call" in OrderChange.objects.values_list("source", flat=True)


class TestDates:
    def test_an_event_that_comes_later_than_the_look_does_not_undo_it(self, buyer, options):
        buyer.pay()
        resync_order(buyer.registration.order, options=options())
        before = Order.objects.values("status", "amount_received", "amount_refunded").get()
        refs = ObjectRefs(order=str(buyer.registration.order.public_id))

        late = FactSet(
            [OrderFact(refs, "FAILED", options().at - timedelta(minutes=1))], source="evt", occurred_at=options().at
        )
        apply([late], at=options().at)

        assert Order.objects.values("status", "amount_received", "amount_refunded").get() == before


class TestExpected:
    """What somebody has agreed to is done, and nothing else."""

    def test_does_what_was_shown(self, buyer, options):
        buyer.pay()
        shown = resync_order(buyer.registration.order, options=options(dry_run=True))

        done = resync_order(buyer.registration.order, options=options(expected={shown.subject: shown.fingerprints}))

        assert done.changes == shown.changes
        assert Order.objects.get().status == "PAID"

    def test_does_nothing_where_something_else_differs(self, buyer, options):
        buyer.pay()
        shown = resync_order(buyer.registration.order, options=options(dry_run=True))
        buyer.stripe.v1.refunds.create({"charge": buyer.charge()})
        before = all_rows()

        with pytest.raises(HasMoved, match=shown.subject):
            resync_order(buyer.registration.order, options=options(expected={shown.subject: shown.fingerprints}))

        assert differences(before, all_rows()) == []

    def test_does_not_mind_what_has_been_put_right_since(self, buyer, options):
        buyer.pay()
        shown = resync_order(buyer.registration.order, options=options(dry_run=True))
        heard()

        done = resync_order(buyer.registration.order, options=options(expected={shown.subject: shown.fingerprints}))

        assert done.changes == []
