"""Checkout sessions being paid, as `payment_pages` and the buyer's page do it."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier

import pytest
import stripe
from django.db import connection, transaction

from stripe_emulator import store, timers
from stripe_emulator.behaviour.checkout import create_session, pay
from stripe_emulator.behaviour.payment_methods import get_or_create
from stripe_emulator.clock import now_for
from stripe_emulator.errors import StripeRefusal
from stripe_emulator.models import Event, StoredObject, Timer
from tests.support.checkout_sessions import (
    ADA,
    ASKING,
    CARD,
    DECLINED,
    answering,
    line,
    session_of,
    session_params,
    setup_params,
    told,
)
from tests.support.stripe_shapes import assert_pinned_shape

DAY = 24 * 3600


class TestPayingByCard:
    def test_completes_the_session(self, opened, paying):
        id = opened(metadata={"order": "7"})

        status, body = paying(id)

        assert status == 200
        assert (body["status"], body["payment_status"], body["url"]) == ("complete", "paid", None)
        assert body["payment_intent"].startswith("pi_")
        assert Timer.objects.filter(kind="checkout.session.expire").count() == 0

    def test_tells_it_in_the_order_of_stripe(self, opened, paying):
        id = opened()
        Event.objects.all().delete()

        paying(id)

        order = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]
        assert [each for each in told() if each in order] == order
        assert told()[-1] == "charge.updated"

    def test_gives_the_intent_metadata_of_its_own(self, stripe_api, opened, paying):
        id = opened(metadata={"order": "7"}, payment_intent_data={"metadata": {"place": "3"}, "description": "Course"})

        _, body = paying(id)

        intent = stripe_api.payment_intents.retrieve(body["payment_intent"])
        assert (intent.metadata.to_dict(), intent.description) == ({"place": "3"}, "Course")
        assert (intent.amount, intent.currency, intent.customer) == (3000, "eur", None)

    def test_learns_who_has_bought(self, stripe_api, opened, paying):
        method = stripe_api.payment_methods.create(
            {"type": "card", "card": {"token": "tok_visa"}, "billing_details": ADA}
        )

        _, body = paying(opened(), method.id)

        details = body["customer_details"]
        assert (details["email"], details["name"]) == ("ada@example.com", "Ada Lovelace")
        assert details["address"]["city"] == "Lyon"

    def test_keeps_the_address_that_the_seller_knew(self, opened, paying):
        _, body = paying(opened(customer_email="bob@example.com"))

        assert body["customer_details"]["email"] == "bob@example.com"

    def test_makes_a_customer_when_the_session_says_so(self, stripe_api, opened, paying):
        _, body = paying(opened(customer_creation="always", customer_email="bob@example.com"))

        assert stripe_api.customers.retrieve(body["customer"]).email == "bob@example.com"
        assert stripe_api.payment_intents.retrieve(body["payment_intent"]).customer == body["customer"]

    def test_leaves_a_session_in_the_pinned_shape(self, opened, paying):
        id = opened(automatic_tax={"enabled": False}, billing_address_collection="required")

        paying(id)

        assert_pinned_shape(session_of(id).data, stripe.checkout.Session)

    def test_is_found_by_its_intent(self, stripe_api, opened, paying):
        id = opened()
        opened()

        _, body = paying(id)

        found = stripe_api.checkout.sessions.list({"payment_intent": body["payment_intent"]})
        assert [each.id for each in found.data] == [id]


class TestBeingDeclined:
    def test_leaves_the_session_open(self, opened, paying):
        id = opened()

        status, body = paying(id, DECLINED)

        assert (status, body["error"]["decline_code"]) == (402, "insufficient_funds")
        assert session_of(id).data["status"] == "open"
        assert session_of(id).data["url"]
        assert "payment_intent.payment_failed" in told()
        assert "checkout.session.completed" not in told()

    def test_can_be_followed_by_a_better_try_with_the_same_intent(self, opened, paying):
        id = opened()
        paying(id, DECLINED)
        tried = session_of(id).data["payment_intent"]

        _, body = paying(id)

        assert (body["payment_status"], body["payment_intent"]) == ("paid", tried)
        assert told().count("payment_intent.created") == 1


class TestPayingAtOnce:
    @pytest.mark.django_db(transaction=True)
    def test_charges_once(self, opened):
        id = opened()
        at_the_till = Barrier(2)

        def pay_now(_):
            at_the_till.wait()
            with closing(connection), transaction.atomic():
                session = store.get("checkout.session", id, lock=True)
                at = now_for(session)
                pay(session, get_or_create(CARD, at=at, parent=session), at=at)

        with ThreadPoolExecutor(2) as buyers:
            tries = [buyers.submit(pay_now, number) for number in range(2)]

        refused = [each.exception() for each in tries if each.exception()]
        assert [type(each) for each in refused] == [StripeRefusal]
        assert StoredObject.objects.filter(kind="charge").count() == 1


class TestRefusing:
    def test_a_second_payment(self, opened, paying):
        id = opened()
        paying(id)

        status, body = paying(id)

        assert (status, "`complete`" in body["error"]["message"]) == (400, True)
        assert StoredObject.objects.filter(kind="charge").count() == 1

    def test_a_payment_that_comes_too_late(self, stripe_api, opened, paying):
        id = opened()
        stripe_api.checkout.sessions.expire(id)

        status, _ = paying(id)

        assert status == 400
        assert not StoredObject.objects.filter(kind="payment_intent").exists()

    def test_another_amount_than_the_buyer_saw(self, opened, paying):
        id = opened()

        status, body = paying(id, expected_amount=2999)

        assert (status, body["error"]["code"]) == (400, "checkout_amount_mismatch")
        assert session_of(id).data["status"] == "open"

    def test_a_payment_with_nothing(self, opened, paying):
        status, body = paying(opened(), "")

        assert (status, body["error"]["param"]) == (400, "payment_method")

    def test_a_way_to_pay_that_the_seller_excludes(self, opened, paying, debit):
        id = opened(excluded_payment_method_types=["sepa_debit"])

        status, body = paying(id, debit(settles=True))

        assert (status, body["error"]["param"]) == (400, "payment_method")

    def test_the_old_choice_of_ways_to_pay_under_the_pinned_version(self, db):
        params = session_params(payment_method_types=["card"])

        with pytest.raises(StripeRefusal) as refused:
            create_session(params, at=1, is_pinned=True)

        assert refused.value.code == "payment_method_types_no_longer_supported"


class TestPayingNothing:
    def test_needs_no_method_and_no_intent(self, opened, paying):
        id = opened(line_items=[line(0)])
        Event.objects.all().delete()

        status, body = paying(id, "")

        assert (status, body["status"], body["payment_status"]) == (200, "complete", "no_payment_required")
        assert body["payment_intent"] is None
        assert told() == ["checkout.session.completed"]


class TestAnsweringTheBank:
    def test_is_needed_before_the_session_is_paid(self, opened, paying):
        id = opened()

        status, body = paying(id, ASKING)

        assert (status, body["status"]) == (200, "open")
        assert answering(id, succeeded=True).data["payment_status"] == "paid"

    def test_with_no_leaves_the_session_open(self, opened, paying):
        id = opened()
        paying(id, ASKING)

        with pytest.raises(StripeRefusal) as refused:
            answering(id, succeeded=False)

        assert refused.value.code == "payment_intent_authentication_failure"
        assert session_of(id).data["status"] == "open"

    def test_can_be_given_up_for_another_card(self, opened, paying):
        id = opened()
        paying(id, ASKING)

        _, body = paying(id)

        assert body["payment_status"] == "paid"

    def test_is_refused_where_nothing_was_asked(self, opened):
        with pytest.raises(StripeRefusal) as refused:
            answering(opened(), succeeded=True)

        assert refused.value.code == "payment_intent_unexpected_state"


class TestPayingByDebit:
    def test_completes_the_session_before_the_money_is_there(self, opened, paying, debit):
        id = opened()

        _, body = paying(id, debit(settles=True))

        assert (body["status"], body["payment_status"]) == ("complete", "unpaid")
        assert told().count("checkout.session.completed") == 1

    @pytest.mark.parametrize(
        ("settles", "status", "event"),
        [
            (True, "paid", "checkout.session.async_payment_succeeded"),
            (False, "unpaid", "checkout.session.async_payment_failed"),
        ],
    )
    def test_is_settled_later(self, opened, paying, debit, settles, status, event):
        id = opened()
        paying(id, debit(settles=settles))

        timers.advance(DAY)

        assert session_of(id).data["payment_status"] == status
        assert [each for each in told() if "async_payment" in each] == [event]
        assert session_of(id).data["status"] == "complete"


class TestExpiring:
    def test_happens_by_itself(self, opened):
        id = opened()

        timers.advance(DAY)

        assert session_of(id).data["status"] == "expired"
        assert told().count("checkout.session.expired") == 1

    def test_does_not_happen_to_a_paid_session(self, opened, paying):
        id = opened()
        paying(id)

        timers.advance(2 * DAY)

        assert session_of(id).data["status"] == "complete"
        assert "checkout.session.expired" not in told()

    @pytest.mark.parametrize("method", [DECLINED, ASKING])
    def test_cancels_the_intent_that_was_tried(self, stripe_api, opened, paying, method):
        id = opened()
        paying(id, method)

        stripe_api.checkout.sessions.expire(id)

        intent = stripe_api.payment_intents.retrieve(session_of(id).data["payment_intent"])
        assert (intent.status, intent.cancellation_reason) == ("canceled", "automatic")
        assert told()[-2:] == ["checkout.session.expired", "payment_intent.canceled"]

    def test_ends_the_saving_of_a_card_too(self, stripe_api, opened, paying):
        id = opened(setup_params())
        paying(id, ASKING)

        timers.advance(DAY)

        assert stripe_api.setup_intents.retrieve(session_of(id).data["setup_intent"]).status == "canceled"
