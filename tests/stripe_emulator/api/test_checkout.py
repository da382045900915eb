"""Checkout sessions through the official client: made, shown, listed, expired."""

import time

import pytest
import stripe

from stripe_emulator.models import Event, StoredObject, Timer
from tests.support.checkout_sessions import line, monthly, session_params, setup_params, subscription_params
from tests.support.emulator import official_client, refusal_of
from tests.support.stripe_shapes import assert_pinned_shape

MINUTE, DAY = 60, 24 * 3600


@pytest.fixture
def sessions(stripe_api):
    return stripe_api.checkout.sessions


@pytest.fixture
def customer(stripe_api):
    return stripe_api.customers.create({"email": "ada@example.com"})


class TestCreate:
    def test_opens_a_page_for_a_day(self, sessions, settings):
        made = sessions.create(session_params())

        assert (made.status, made.payment_status, made.mode) == ("open", "unpaid", "payment")
        assert (made.amount_subtotal, made.amount_total, made.currency) == (3000, 3000, "eur")
        assert made.url == f"{settings.STRIPE_EMULATOR_URL}/pay/{made.id}"
        assert made.id.startswith("cs_test_")
        assert made.expires_at == made.created + DAY
        assert (made.payment_intent, made.customer, made.subscription) == (None, None, None)
        assert Timer.objects.get().due_at == made.expires_at

    def test_keeps_the_sellers_reference_and_metadata(self, sessions):
        made = sessions.create(session_params(client_reference_id="order-7", metadata={"order": "7"}))

        found = sessions.retrieve(made.id)

        assert (found.client_reference_id, found.metadata["order"]) == ("order-7", "7")

    @pytest.mark.parametrize(
        "params",
        [
            session_params(customer_email="ada@example.com"),
            session_params(line_items=[line(0)]),
            subscription_params(subscription_data={"trial_period_days": 7}),
            setup_params(),
        ],
        ids=["payment", "free", "subscription", "setup"],
    )
    def test_is_complete_in_the_pinned_shape(self, sessions, params):
        made = sessions.create(params)

        assert_pinned_shape(StoredObject.objects.get(stripe_id=made.id).data, stripe.checkout.Session)
        for row in StoredObject.objects.get(stripe_id=made.id).hidden["line_items"]:
            assert_pinned_shape(row, stripe.LineItem)
        for kind, shape in (("price", stripe.Price), ("product", stripe.Product)):
            for stored in StoredObject.objects.filter(kind=kind):
                assert_pinned_shape(stored.data, shape)

    @pytest.mark.parametrize(
        ("given", "shown"),
        [
            ({"adaptive_pricing": {"enabled": True}}, {"enabled": True}),
            ({"automatic_tax": {"enabled": False}}, {"enabled": False}),
            ({"billing_address_collection": "required"}, "required"),
            ({"customer_creation": "always"}, "always"),
            ({"locale": "fr"}, "fr"),
        ],
    )
    def test_shows_what_was_asked_for(self, sessions, given, shown):
        made = sessions.create(session_params(**given)).to_dict()

        (name,) = given
        assert _within(shown, made[name])

    def test_says_nothing_of_it_in_an_event(self, sessions):
        sessions.create(session_params())

        assert not Event.objects.filter(type__startswith="checkout.").exists()

    def test_sells_at_a_price_of_the_catalogue(self, stripe_api, sessions):
        price = stripe_api.prices.create({"product_data": {"name": "Book"}, "currency": "usd", "unit_amount": 700})

        made = sessions.create(session_params(line_items=[{"price": price.id, "quantity": 3}], expand=["line_items"]))

        (row,) = made.line_items.data
        assert (row.price.id, row.quantity, row.amount_total, row.description) == (price.id, 3, 2100, "Book")
        assert made.currency == "usd"

    def test_makes_prices_of_its_own_that_nobody_else_can_use(self, sessions):
        made = sessions.create(session_params(expand=["line_items"]))

        again = refusal_of(
            sessions.create, session_params(line_items=[{"price": made.line_items.data[0].price.id, "quantity": 1}])
        )

        assert again.code == "price_inactive"

    def test_knows_the_e_mail_address_of_the_customer(self, sessions, customer):
        made = sessions.create(session_params(customer=customer.id))

        assert (made.customer, made.customer_details.email) == (customer.id, "ada@example.com")

    def test_has_nothing_to_collect_when_all_is_free(self, sessions):
        made = sessions.create(session_params(line_items=[line(0)]))

        assert (made.amount_total, made.payment_status) == (0, "no_payment_required")

    def test_of_a_trial_is_over_what_is_paid_once(self, sessions):
        data = {"trial_period_days": 14}

        made = sessions.create(
            subscription_params(line_items=[monthly(), line(500, quantity=1)], subscription_data=data)
        )

        assert (made.amount_total, made.payment_method_collection) == (500, "always")

    def test_under_an_older_version_takes_the_ways_to_pay(self, db):
        old = official_client(version="2023-10-16").v1.checkout.sessions

        made = old.create(session_params(payment_method_types=["sepa_debit"]))

        assert made.payment_method_types == ["sepa_debit"]

    def test_offers_debits_in_euros_only(self, sessions):
        in_dollars = sessions.create(session_params(line_items=[line(currency="usd")]))

        assert in_dollars.payment_method_types == ["card"]
        assert sessions.create(session_params()).payment_method_types == ["card", "sepa_debit"]

    @pytest.mark.parametrize(
        ("wrong", "code", "param"),
        [
            ({"mode": None}, "parameter_missing", "mode"),
            ({"success_url": None}, "parameter_missing", "success_url"),
            ({"success_url": "seller.example"}, "url_invalid", "success_url"),
            ({"cancel_url": "javascript:alert(1)"}, "url_invalid", "cancel_url"),
            ({"line_items": None}, "parameter_missing", "line_items"),
            ({"line_items": [{"quantity": 1}]}, "parameter_missing", "line_items[0][price]"),
            ({"line_items": [{**line(), "price": "price_1"}]}, "parameter_missing", "line_items[0][price]"),
            ({"line_items": [{"price": "price_none", "quantity": 1}]}, "resource_missing", "line_items[0][price]"),
            ({"line_items": [{"price_data": line()["price_data"]}]}, "parameter_missing", "line_items[0][quantity]"),
            ({"line_items": [line(quantity=0)]}, "parameter_invalid_integer", "line_items[0][quantity]"),
            ({"line_items": [line(), line(currency="usd")]}, None, "line_items"),
            ({"currency": "usd"}, None, "line_items"),
            ({"line_items": [line(currency="zzz")]}, None, "line_items[0][price_data][currency]"),
            ({"line_items": [line(49, quantity=1)]}, "amount_too_small", "line_items"),
            ({"line_items": [line(9999, currency="huf", quantity=1)]}, "amount_too_small", "line_items"),
            ({"line_items": [line(99_999_999, quantity=2)]}, "amount_too_large", "line_items"),
            (
                {"line_items": [line(99_999_998, currency="bhd", quantity=1)]},
                "parameter_invalid_integer",
                "line_items[0][price_data][unit_amount]",
            ),
            ({"line_items": [monthly()]}, None, "line_items"),
            ({"mode": "subscription"}, None, "line_items"),
            ({"mode": "setup", "currency": "eur"}, None, "line_items"),
            ({"subscription_data": {"metadata": {"order": "7"}}}, None, "subscription_data"),
            ({"customer": "cus_none"}, "resource_missing", "customer"),
            ({"customer_email": "nobody"}, "email_invalid", "customer_email"),
            ({"client_reference_id": "x" * 201}, None, "client_reference_id"),
            ({"metadata": {"x" * 41: "y"}}, None, "metadata"),
            ({"metadata": {"note": "y" * 501}}, None, "metadata[note]"),
            ({"payment_intent_data": {"metadata": {"note": "y" * 501}}}, None, "metadata[note]"),
            ({"discounts": [{"coupon": "half"}]}, None, "discounts"),
            ({"invoice_creation": {"enabled": True}}, None, "invoice_creation"),
            ({"automatic_tax": {"enabled": True}}, None, "automatic_tax[enabled]"),
            ({"payment_method_types": ["card"]}, "parameter_unknown", "payment_method_types"),
            ({"ui_mode": "embedded_page"}, None, "ui_mode"),
        ],
    )
    def test_refuses_what_makes_no_sense_and_keeps_nothing(self, sessions, wrong, code, param):
        refusal = refusal_of(sessions.create, session_params(**wrong))

        assert (refusal.code, refusal.param) == (code, param)
        assert not StoredObject.objects.exists()

    @pytest.mark.parametrize(
        ("wrong", "param"),
        [
            ({"payment_intent_data": {"description": "x"}}, "payment_intent_data"),
            ({"customer_creation": "always"}, "customer_creation"),
            ({"subscription_data": {"trial_end": int(time.time()) + 47 * 3600}}, "subscription_data[trial_end]"),
            ({"subscription_data": {"trial_period_days": 0}}, "subscription_data[trial_period_days]"),
            (
                {"subscription_data": {"trial_period_days": 3, "trial_end": int(time.time()) + 9 * DAY}},
                "subscription_data[trial_end]",
            ),
            ({"line_items": [monthly(), line(recurring={"interval": "year"})]}, "line_items"),
        ],
    )
    def test_refuses_what_a_subscription_does_not_have(self, sessions, wrong, param):
        assert refusal_of(sessions.create, subscription_params(**wrong)).param == param

    def test_refuses_a_customer_and_an_address_at_once(self, sessions, customer):
        refusal = refusal_of(sessions.create, session_params(customer=customer.id, customer_email="b@example.com"))

        assert refusal.param == "customer_email"

    @pytest.mark.parametrize("after", [29 * MINUTE, DAY + MINUTE])
    def test_refuses_to_live_too_short_or_too_long(self, sessions, after):
        refusal = refusal_of(sessions.create, session_params(expires_at=int(time.time()) + after))

        assert refusal.param == "expires_at"

    def test_lives_as_long_as_it_is_told(self, sessions):
        moment = int(time.time()) + 31 * MINUTE

        assert sessions.create(session_params(expires_at=moment)).expires_at == moment


class TestList:
    def test_shows_those_that_are_asked_for(self, sessions, customer):
        sessions.create(session_params(customer_email="bob@example.com"))
        hers = sessions.create(session_params(customer=customer.id))
        sessions.expire(hers.id)

        for wanted in (
            {"customer": customer.id},
            {"status": "expired"},
            {"customer_details": {"email": "ada@example.com"}},
        ):
            assert [each.id for each in sessions.list(wanted).data] == [hers.id]
        assert sessions.list({"payment_intent": "pi_none"}).data == []
        assert len(sessions.list({"created": {"gte": hers.created - MINUTE}}).data) == 2


class TestLineItems:
    def test_are_not_there_unless_asked_for(self, sessions):
        assert "line_items" not in sessions.create(session_params())


class TestExpire:
    def test_closes_the_page(self, sessions):
        made = sessions.create(session_params())

        expired = sessions.expire(made.id)

        assert (expired.status, expired.url, expired.payment_status) == ("expired", None, "unpaid")
        assert Event.objects.get(type="checkout.session.expired").object_id == made.id
        assert not Timer.objects.exists()

    def test_works_once_only(self, sessions):
        made = sessions.create(session_params())
        sessions.expire(made.id)

        refusal = refusal_of(sessions.expire, made.id)

        assert isinstance(refusal, stripe.InvalidRequestError)
        assert "`expired`" in refusal.user_message
        assert Event.objects.filter(type="checkout.session.expired").count() == 1

    def test_refuses_a_session_that_is_not_there(self, sessions):
        assert refusal_of(sessions.expire, "cs_test_none").code == "resource_missing"


def _within(part, whole):
    """Whether the whole has everything of the part, at any depth."""
    if isinstance(part, dict):
        return all(_within(value, whole[name]) for name, value in part.items())
    return part == whole
