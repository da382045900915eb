from datetime import UTC, datetime, timedelta

import pytest

from payments.billing.models import Subscription
from payments.orders.models import OrderException
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from payments.subscribing import (
    NoCustomer,
    NoSubscription,
    NotChangeable,
    can_change,
    cancel_at_period_end,
    change_plan,
    open_portal,
    resume,
)
from stripe_emulator.models import StoredObject
from tests.support.resync import heard
from tests.support.subscriber import unreachable
from tests.support.subscriptions import make_plan


def now():
    return datetime.now(UTC)


def updates(stripe_id):
    return StoredObject.objects.get(stripe_id=stripe_id).data


class TestChangePlan:
    def test_holds_at_once(self, ada, yearly, subscribed):
        row = change_plan(user=ada, plan=yearly, at=now())

        assert (row.plan, row.amount, row.interval) == (yearly, 3000, "year")
        assert row.period_end > now() + timedelta(days=360)

    def test_says_the_same_as_the_events_that_follow(self, ada, yearly, subscribed):
        change_plan(user=ada, plan=yearly, at=now())
        heard()

        row = Subscription.objects.get()
        assert (row.plan, row.needs_resync, row.has_conflict) == (yearly, False, False)
        # What was paid for the month a moment ago is taken off.
        assert sorted(row.payments.values_list("received", flat=True)) == [400, 2600]

    def test_is_one_change_for_two_clicks(self, ada, yearly, subscribed):
        change_plan(user=ada, plan=yearly, at=now())
        change_plan(user=ada, plan=yearly, at=now())

        assert StoredObject.objects.filter(kind="invoice").count() == 2

    def test_leads_there_and_back(self, ada, monthly, yearly, subscribed):
        change_plan(user=ada, plan=yearly, at=now())
        change_plan(user=ada, plan=monthly, at=now())
        row = change_plan(user=ada, plan=yearly, at=now())

        assert row.plan == yearly
        assert updates(subscribed)["items"]["data"][0]["price"]["unit_amount"] == 3000

    def test_takes_the_plans_price_where_stripe_has_one(self, ada, subscribed, stripe_api):
        product = StoredObject.objects.get(kind="product").stripe_id
        recurring = {"interval": "month"}
        price = stripe_api.prices.create(
            {"unit_amount": 900, "currency": "eur", "recurring": recurring, "product": product}
        )

        row = change_plan(user=ada, plan=make_plan(slug="gold", amount=900, price=price.id), at=now())

        assert (row.price, row.plan.slug) == (price.id, "gold")

    def test_changes_nothing_when_the_bank_declines(self, ada, monthly, yearly, subscribed, stripe_api):
        card = stripe_api.payment_methods.attach(
            "pm_card_chargeCustomerFail", {"customer": updates(subscribed)["customer"]}
        )
        stripe_api.subscriptions.update(subscribed, {"default_payment_method": card.id})

        with pytest.raises(GatewayRefused) as refusal:
            change_plan(user=ada, plan=yearly, at=now())

        assert refusal.value.is_declined
        assert Subscription.objects.get().plan == monthly
        assert updates(subscribed)["items"]["data"][0]["price"]["unit_amount"] == 400

    def test_asks_staff_where_stripe_refuses_the_price(self, ada, yearly, subscribed):
        yearly.price = "price_archived"
        yearly.save()

        with pytest.raises(GatewayRefused):
            change_plan(user=ada, plan=yearly, at=now())

        question = OrderException.objects.get()
        assert (question.kind, question.subject) == ("CHECKOUT_REFUSED", "price:plan:yearly")
        assert "No such price" in question.detail_text

    def test_asks_nobody_where_the_bank_declines(self, ada, yearly, subscribed, stripe_api):
        card = stripe_api.payment_methods.attach(
            "pm_card_chargeCustomerFail", {"customer": updates(subscribed)["customer"]}
        )
        stripe_api.subscriptions.update(subscribed, {"default_payment_method": card.id})

        with pytest.raises(GatewayRefused):
            change_plan(user=ada, plan=yearly, at=now())

        assert not OrderException.objects.exists()

    def test_is_refused_without_a_subscription(self, ada, yearly):
        with pytest.raises(NoSubscription):
            change_plan(user=ada, plan=yearly, at=now())

    def test_is_refused_while_it_is_going_to_end(self, ada, yearly, subscribed):
        cancel_at_period_end(user=ada, at=now())

        with pytest.raises(NotChangeable):
            change_plan(user=ada, plan=yearly, at=now())

    def test_can_be_tried_again_after_stripe_was_away(self, ada, yearly, subscribed, monkeypatch):
        with unreachable(monkeypatch), pytest.raises(GatewayUnavailable):
            change_plan(user=ada, plan=yearly, at=now())

        assert change_plan(user=ada, plan=yearly, at=now()).plan == yearly


class TestCanChange:
    @pytest.mark.parametrize(
        ("own", "plan", "can"),
        [
            ({}, {}, True),
            ({"status": "trialing"}, {}, True),
            ({"status": "past_due"}, {}, False),
            ({"cancel_at": datetime(2030, 1, 1, tzinfo=UTC)}, {}, False),
            ({}, {"is_on_sale": False}, False),
            ({}, {"currency": "usd"}, False),
        ],
    )
    def test_goes_by_both(self, monthly, own, plan, can):
        row = Subscription(**{"plan": monthly, "status": "active", "currency": "eur", **own})

        assert can_change(row, make_plan(slug="other", **plan)) is can

    def test_leads_to_another_plan_only(self, monthly):
        assert not can_change(Subscription(plan=monthly, status="active", currency="eur"), monthly)


class TestCancelAtPeriodEnd:
    def test_plans_the_end_and_takes_nothing(self, ada, subscribed):
        row = cancel_at_period_end(user=ada, at=now())

        assert (row.status, row.cancel_at) == ("active", row.period_end)
        assert updates(subscribed)["cancel_at_period_end"] is True

    def test_is_done_once(self, ada, subscribed):
        first = cancel_at_period_end(user=ada, at=now())

        assert cancel_at_period_end(user=ada, at=now()).stripe_updated_at == first.stripe_updated_at

    def test_is_refused_without_a_subscription(self, ada):
        with pytest.raises(NoSubscription):
            cancel_at_period_end(user=ada, at=now())


class TestResume:
    def test_lets_it_go_on(self, ada, subscribed):
        cancel_at_period_end(user=ada, at=now())

        assert resume(user=ada, at=now()).cancel_at is None
        assert updates(subscribed)["cancel_at_period_end"] is False

    def test_takes_back_an_end_on_another_day_as_well(self, ada, subscribed, stripe_api):
        stripe_api.subscriptions.update(subscribed, {"cancel_at": int(now().timestamp()) + 86400})
        heard()

        assert resume(user=ada, at=now()).cancel_at is None
        assert updates(subscribed)["cancel_at"] is None

    def test_leaves_alone_what_goes_on_anyway(self, ada, subscribed):
        assert resume(user=ada, at=now()).cancel_at is None

    def test_and_canceling_again_are_two_wishes(self, ada, subscribed):
        cancel_at_period_end(user=ada, at=now())
        resume(user=ada, at=now())

        assert cancel_at_period_end(user=ada, at=now()).cancel_at is not None


class TestOpenPortal:
    def test_leads_the_customer_in_and_back(self, ada, subscribed):
        url = open_portal(user=ada, return_path="/account/", language="fr", at=now())

        session = StoredObject.objects.get(kind="billing_portal.session").data
        assert session["url"] == url
        assert session["customer"] == ada.customers.get().stripe_id
        assert (session["return_url"].endswith("/account/"), session["locale"]) == (True, "fr")

    def test_is_still_open_to_who_has_canceled(self, ada, subscribed, stripe_api):
        stripe_api.subscriptions.cancel(subscribed)

        assert open_portal(user=ada, return_path="/account/", language="fr", at=now())

    def test_is_not_there_for_who_never_subscribed(self, ada):
        with pytest.raises(NoCustomer):
            open_portal(user=ada, return_path="/account/", language="fr", at=now())
