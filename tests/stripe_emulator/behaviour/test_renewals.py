"""Subscriptions over simulated months and years."""

from datetime import UTC, datetime

import pytest

from stripe_emulator import timers
from stripe_emulator.models import Event
from tests.support.billing import (
    DAY,
    HOUR,
    advance_past,
    invoices_of,
    last_event,
    period_of,
    price_of,
    subscribe,
    types_since,
)


def month_and_day(moment: int) -> tuple[int, int]:
    day = datetime.fromtimestamp(moment, tz=UTC)
    return (day.year * 12 + day.month, day.day)


class TestRenewals:
    def test_follow_each_other_in_order_with_dates_of_the_simulated_future(self, stripe_api, customer, price):
        made = subscribe(stripe_api, customer, price)

        timers.advance(3 * 31 * DAY + 2 * HOUR)

        invoices = invoices_of(stripe_api, made)
        assert [each.status for each in invoices] == ["paid"] * 4
        assert [each.billing_reason for each in invoices] == ["subscription_create", *["subscription_cycle"] * 3]
        periods = [each.lines.data[0].period for each in invoices]
        assert periods[0].start == made.created
        assert [period.end for period in periods[:-1]] == [period.start for period in periods[1:]]
        assert [each.created for each in invoices] == [period.start for period in periods]
        month, _ = month_and_day(made.created)
        assert [month_and_day(period.start)[0] - month for period in periods] == [0, 1, 2, 3]
        assert period_of(stripe_api, made) == (periods[-1].start, periods[-1].end)

    def test_are_paid_by_charges_of_that_time(self, stripe_api, customer, price):
        made = subscribe(stripe_api, customer, price)

        advance_past(stripe_api, made)

        renewal = invoices_of(stripe_api, made)[-1]
        (payment,) = stripe_api.invoice_payments.list({"invoice": renewal.id}).data
        intent = stripe_api.payment_intents.retrieve(payment.payment.payment_intent)
        assert payment.status_transitions.paid_at == renewal.status_transitions.paid_at == renewal.created + HOUR
        assert intent.created == renewal.created + HOUR
        assert renewal.number.endswith("-0002")

    def test_tell_all_in_stripe_s_order(self, stripe_api, customer, price):
        made = subscribe(stripe_api, customer, price)
        before = last_event()

        advance_past(stripe_api, made)

        wanted = [
            "customer.subscription.updated",
            "invoice.created",
            "invoice.finalized",
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "invoice.paid",
            "invoice.payment_succeeded",
            "invoice_payment.paid",
        ]
        events = Event.objects.filter(number__gt=before).order_by("number")
        assert [each.type for each in events if each.type in wanted] == wanted
        assert set(events[0].previous) == {"items", "latest_invoice"}
        assert [each.created for each in events] == sorted(each.created for each in events)
        assert {each.request_id for each in events} == {""}

    def test_come_once_a_year_for_a_yearly_price(self, stripe_api, customer):
        made = subscribe(stripe_api, customer, price_of(stripe_api, 9000, interval="year"))

        timers.advance(2 * 366 * DAY)

        months = [month_and_day(each.created)[0] for each in invoices_of(stripe_api, made)]
        assert months == [months[0], months[0] + 12, months[0] + 24]

    def test_of_what_begins_after_an_advance_count_from_now(self, stripe_api, customer, price):
        timers.advance(400 * DAY)
        made = subscribe(stripe_api, customer, price)

        timers.advance(20 * DAY)

        assert len(invoices_of(stripe_api, made)) == 1

    def test_take_along_what_waits_for_the_next_invoice(self, stripe_api, customer, price):
        made = subscribe(stripe_api, customer, price)
        stripe_api.invoice_items.create({"customer": customer.id, "amount": 300, "currency": "eur"})

        advance_past(stripe_api, made)

        assert invoices_of(stripe_api, made)[-1].amount_paid == 1800

    def test_bill_a_changed_item(self, stripe_api, customer, price):
        made = subscribe(stripe_api, customer, price)
        item = made["items"].data[0]
        stripe_api.subscriptions.update(made.id, {"items": [{"id": item.id, "quantity": 3}]})

        advance_past(stripe_api, made)

        # Three of the next period, and the two more of the first.
        assert invoices_of(stripe_api, made)[-1].amount_paid == 4500 + 3000

    @pytest.mark.parametrize(
        ("behavior", "status"), [("void", "void"), ("keep_as_draft", "draft"), ("mark_uncollectible", "uncollectible")]
    )
    def test_collect_nothing_while_that_is_paused(self, stripe_api, customer, price, behavior, status):
        made = subscribe(stripe_api, customer, price)
        stripe_api.subscriptions.update(made.id, {"pause_collection": {"behavior": behavior}})

        advance_past(stripe_api, made)

        assert invoices_of(stripe_api, made)[-1].status == status
        assert stripe_api.subscriptions.retrieve(made.id).status == "active"

    def test_end_with_the_customer(self, stripe_api, customer, price):
        made = subscribe(stripe_api, customer, price)
        stripe_api.customers.delete(customer.id)

        timers.advance(32 * DAY)

        assert stripe_api.subscriptions.retrieve(made.id).status == "canceled"
        assert len(invoices_of(stripe_api, made)) == 1


class TestEnd:
    def test_comes_with_the_period_when_it_is_scheduled(self, stripe_api, customer, price):
        made = subscribe(stripe_api, customer, price)
        stripe_api.subscriptions.update(made.id, {"cancel_at_period_end": True})
        _, end = period_of(stripe_api, made)

        timers.advance(32 * DAY)

        ended = stripe_api.subscriptions.retrieve(made.id)
        assert (ended.status, ended.ended_at) == ("canceled", end)
        assert ended.canceled_at < end
        assert types_since()[-1] == "customer.subscription.deleted"
        assert len(invoices_of(stripe_api, made)) == 1

    def test_does_not_come_when_that_was_taken_back(self, stripe_api, customer, price):
        made = subscribe(stripe_api, customer, price)
        stripe_api.subscriptions.update(made.id, {"cancel_at_period_end": True})
        stripe_api.subscriptions.update(made.id, {"cancel_at_period_end": False})

        timers.advance(32 * DAY)

        assert stripe_api.subscriptions.retrieve(made.id).status == "active"

    def test_comes_at_the_moment_that_was_told(self, stripe_api, customer, price):
        made = subscribe(stripe_api, customer, price)
        moment = made.created + 10 * DAY
        stripe_api.subscriptions.update(made.id, {"cancel_at": moment})

        timers.advance(11 * DAY)

        assert stripe_api.subscriptions.retrieve(made.id).ended_at == moment

    def test_leaves_no_renewal_behind(self, stripe_api, customer, price):
        made = subscribe(stripe_api, customer, price)
        stripe_api.subscriptions.cancel(made.id)

        timers.advance(70 * DAY)

        assert len(invoices_of(stripe_api, made)) == 1


class TestTrial:
    def test_is_announced_and_then_paid(self, stripe_api, customer, price):
        made = subscribe(stripe_api, customer, price, trial_period_days=10)

        timers.advance(10 * DAY + 2 * HOUR)

        announced = Event.objects.get(type="customer.subscription.trial_will_end")
        renewed = stripe_api.subscriptions.retrieve(made.id)
        assert announced.created == made.trial_end - 3 * DAY
        assert renewed.status == "active"
        assert period_of(stripe_api, made)[0] == made.trial_end == renewed.billing_cycle_anchor
        assert [each.amount_paid for each in invoices_of(stripe_api, made)] == [0, 1500]
