from datetime import UTC, datetime, timedelta

import pytest

from payments.billing.models import Customer, Subscription
from payments.orders.models import Order, OrderException
from payments.purchasing import PaymentUnderWay
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from payments.subscribing import AlreadySubscribed, start, subscribe
from stripe_emulator.models import StoredObject
from tests.support.resync import heard
from tests.support.subscriber import make_user, pay, unreachable
from tests.support.subscriptions import make_plan


def now():
    return datetime.now(UTC)


def sessions(**contains):
    return StoredObject.objects.filter(kind="checkout.session", data__contains=contains)


class TestSubscribe:
    def test_leads_to_a_page_that_begins_the_subscription(self, ada, monthly):
        pay(subscribe(user=ada, plan=monthly, at=now()))
        heard()

        row = Subscription.objects.get()
        assert (row.status, row.plan, row.amount, row.interval) == ("active", monthly, 400, "month")
        assert row.customer.user == ada
        assert row.order.status == "PAID"
        assert (row.order.user, row.order.plan, row.order.kind, row.order.email) == (ada, monthly, "plan", ada.email)

    def test_names_the_person_and_the_plan_at_stripe(self, ada, yearly):
        subscribe(user=ada, plan=yearly, at=now())

        session = sessions().get()
        customer = StoredObject.objects.get(stripe_id=session.data["customer"])
        assert (customer.data["email"], customer.data["metadata"]["userId"]) == (ada.email, str(ada.pk))
        assert session.data["mode"] == "subscription"
        assert session.hidden["subscription_data"]["metadata"]["plan"] == "yearly"
        assert session.hidden["line_items"][0]["price"]["recurring"]["interval"] == "year"

    def test_asks_for_the_plans_price_where_stripe_has_one(self, ada, stripe_api):
        recurring = {"interval": "month"}
        price = stripe_api.prices.create(
            {"unit_amount": 400, "currency": "eur", "recurring": recurring, "product_data": {"name": "Gold"}}
        )
        plan = make_plan(slug="gold", price=price.id)

        subscribe(user=ada, plan=plan, at=now())

        assert sessions().get().hidden["line_items"][0]["price"]["id"] == price.id

    def test_asks_staff_about_a_price_that_stripe_does_not_take(self, ada):
        plan = make_plan(slug="gold", price="price_archived")

        with pytest.raises(GatewayRefused):
            subscribe(user=ada, plan=plan, at=now())

        question = OrderException.objects.get()
        assert (question.kind, question.subject) == ("CHECKOUT_REFUSED", "price:plan:gold")

    def test_opens_one_page_however_often_it_is_asked_for(self, ada, monthly):
        first = subscribe(user=ada, plan=monthly, at=now())

        assert subscribe(user=ada, plan=monthly, at=now() + timedelta(minutes=1)) == first
        assert Order.objects.count() == 1

    def test_closes_the_page_of_another_plan(self, ada, monthly, yearly):
        subscribe(user=ada, plan=monthly, at=now())
        subscribe(user=ada, plan=yearly, at=now())

        assert [each.data["status"] for each in sessions().order_by("number")] == ["expired", "open"]
        assert list(Order.objects.order_by("pk").values_list("plan__slug", "status")) == [
            ("monthly", "EXPIRED"), ("yearly", "PENDING"),
        ]  # fmt: skip

    def test_begins_anew_when_the_price_has_changed_meanwhile(self, ada, monthly):
        subscribe(user=ada, plan=monthly, at=now())
        monthly.amount = 500
        monthly.save()

        subscribe(user=ada, plan=monthly, at=now())

        assert list(Order.objects.order_by("pk").values_list("amount", "status")) == [
            (400, "EXPIRED"),
            (500, "PENDING"),
        ]

    def test_makes_the_customer_once(self, ada, monthly, yearly):
        subscribe(user=ada, plan=monthly, at=now())
        subscribe(user=ada, plan=yearly, at=now())

        assert Customer.objects.get().user == ada

    def test_makes_another_customer_for_who_was_deleted_at_stripe(self, ada, monthly, yearly, stripe_api):
        subscribe(user=ada, plan=monthly, at=now())
        stripe_api.customers.delete(Customer.objects.get().stripe_id)

        pay(subscribe(user=ada, plan=yearly, at=now()))

        former, customer = Customer.objects.order_by("pk")
        assert former.deleted_at is not None
        assert sessions(customer=customer.stripe_id).get().data["status"] == "complete"

    def test_makes_another_customer_where_stripe_has_forgotten_everything(self, ada, monthly):
        Customer.objects.create(stripe_id="cus_forgotten", user=ada)

        assert subscribe(user=ada, plan=monthly, at=now())

        assert Customer.objects.get(deleted_at=None).stripe_id != "cus_forgotten"


class TestSecondSubscription:
    @pytest.mark.usefixtures("subscribed")
    def test_is_refused(self, ada, monthly, yearly):
        for plan in (monthly, yearly):
            with pytest.raises(AlreadySubscribed):
                subscribe(user=ada, plan=plan, at=now())
        assert Order.objects.count() == 1

    @pytest.mark.parametrize("wanted", [0, 1])
    def test_is_refused_before_the_first_was_heard_of(self, ada, plans, wanted):
        pay(subscribe(user=ada, plan=plans[0], at=now()))

        with pytest.raises(AlreadySubscribed) as refusal:
            subscribe(user=ada, plan=plans[wanted], at=now())

        assert refusal.value.subscription.plan == plans[0]
        assert sessions().count() == 1

    def test_is_refused_when_the_first_was_made_at_stripe(self, ada, monthly, stripe_api):
        subscribe(user=ada, plan=monthly, at=now())
        customer = Customer.objects.get().stripe_id
        price = sessions().get().hidden["line_items"][0]["price"]["id"]
        card = stripe_api.payment_methods.attach("pm_card_visa", {"customer": customer}).id
        stripe_api.subscriptions.create(
            {"customer": customer, "items": [{"price": price}], "default_payment_method": card}
        )

        with pytest.raises(AlreadySubscribed):
            subscribe(user=ada, plan=monthly, at=now())

    def test_can_begin_when_the_first_has_ended_without_our_hearing(self, ada, monthly, subscribed, stripe_api):
        stripe_api.subscriptions.cancel(subscribed)
        Subscription.objects.update(needs_resync=True)

        assert subscribe(user=ada, plan=monthly, at=now())

        assert Subscription.objects.get().status == "canceled"

    def test_of_somebody_else_is_their_own(self, subscribed, monthly):
        assert subscribe(user=make_user("bob@example.com"), plan=monthly, at=now())

    def test_waits_while_another_tab_goes_on_deciding(self, ada, monthly, monkeypatch):
        monkeypatch.setattr(start, "_find_or_open_order", lambda user, plan, *, at: None)

        with pytest.raises(PaymentUnderWay):
            subscribe(user=ada, plan=monthly, at=now())


class TestSubscribeWithoutStripe:
    def test_leaves_nothing_that_a_second_try_would_trip_over(self, ada, monthly, monkeypatch):
        with unreachable(monkeypatch), pytest.raises(GatewayUnavailable):
            subscribe(user=ada, plan=monthly, at=now())

        assert subscribe(user=ada, plan=monthly, at=now())
        assert (Order.objects.count(), sessions().count()) == (1, 1)
