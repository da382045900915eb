"""One sentence on how something stands, in both languages."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from payments.billing.models import Dispute, Payment, Subscription
from payments.orders.models import OrderException
from payments.statuses import ExceptionKind
from payments.timeline import standing
from tests.support.factories import NOON, OrderFactory
from tests.support.subscriptions import make_plan, make_subscription

pytestmark = pytest.mark.django_db
DAY = NOON + timedelta(days=7)


def stands(row, language="en"):
    with translation.override(language):
        return standing(row).replace("\N{NO-BREAK SPACE}", " ")


def paid(amount, *, refunded=0, **columns):
    order = OrderFactory(status="PAID", amount=amount, amount_refunded=refunded)
    Payment.objects.create(key="pi_1", order=order, currency="eur", received=amount, refunded=refunded, **columns)
    return order


def dispute(order, status, phase, **columns):
    return Dispute.objects.create(
        stripe_id="du_1", order=order, payment="pi_1", amount=4900, currency="eur", status=status, phase=phase,
        status_at=NOON, **columns,
    )  # fmt: skip


class TestAnOrder:
    @pytest.mark.parametrize(
        ("columns", "english", "french"),
        [
            ({}, "Waiting for the payment of €49.00", "En attente du paiement de 49,00 €"),
            ({"status": "PROCESSING"}, "Payment of €49.00 under way", "Paiement de 49,00 € en cours"),
            ({"status": "EXPIRED"}, "Expired, nothing was paid", "Expirée, rien n’a été payé"),
            (
                {"status": "FAILED", "failed_attempt": 1, "failed_charge": "ch_1", "failure_code": "expired_card"},
                "Payment of €49.00 failed (expired_card)", "Le paiement de 49,00 € a échoué (expired_card)",
            ),
            ({"amount": 0}, "Free of charge, waiting for confirmation", "Gratuit, en attente de confirmation"),
            ({"amount": 0, "status": "PAID"}, "Free of charge, confirmed", "Gratuit, confirmé"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )  # fmt: skip
    def test_that_is_not_paid_with_money_says_what_it_waits_for(self, columns, english, french):
        order = OrderFactory(**columns)

        assert (stands(order), stands(order, "fr")) == (english, french)

    def test_that_is_paid_says_what_went_back_and_how_the_dispute_ended(self):
        order = paid(6000, refunded=500)
        dispute(order, "won", 2)

        assert stands(order) == "Paid €60.00, €5.00 refunded, dispute won"
        assert stands(order, "fr") == "Payé 60,00 €, remboursé 5,00 €, litige gagné"

    def test_that_is_disputed_says_until_when_to_answer(self):
        order = paid(4900)
        dispute(order, "needs_response", 0, due_by=DAY)

        assert stands(order) == "Paid €49.00, €49.00 disputed, answer due by March 9, 2026"
        assert stands(order, "fr") == "Payé 49,00 €, 49,00 € en litige, réponse attendue avant le 9 mars 2026"

    def test_that_got_other_money_than_expected_says_so_and_what_is_asked(self):
        order = OrderFactory()
        Payment.objects.create(key="pi_1", order=order, currency="usd", received=3000)
        OrderException.objects.create(order=order, kind=ExceptionKind.AMOUNT_MISMATCH, subject="pi_1", opened_at=NOON)

        assert stands(order) == "Received $30.00, expected €49.00, open question: Amount or currency differs"

    def test_costs_one_query(self):
        order = paid(4900)

        with CaptureQueriesContext(connection) as queries:
            standing(order)

        assert len(queries) == 1


class TestASubscription:
    def subscribe(self, **columns):
        row = make_subscription(plan=make_plan("gold"))
        usual = {"amount": 400, "currency": "eur", "interval": "month", "status": "active", "period_end": DAY}
        Subscription.objects.filter(pk=row.pk).update(**{**usual, **columns})
        return Subscription.objects.get(pk=row.pk)

    def test_that_goes_on_says_when_it_renews(self):
        row = self.subscribe()

        assert stands(row) == "Active, €4.00 a month, renews on March 9, 2026"
        assert stands(row, "fr") == "Actif, 4,00 € par mois, renouvellement le 9 mars 2026"

    def test_whose_end_is_planned_says_when(self):
        assert stands(self.subscribe(cancel_at=DAY)) == "Active, €4.00 a month, ends on March 9, 2026"

    def test_that_is_overdue_says_since_when(self):
        row = self.subscribe(status="past_due", unpaid_since=NOON)

        assert stands(row).startswith("Payment overdue since March 2, 2026, €4.00 a month")

    def test_that_has_ended_says_when(self):
        assert stands(self.subscribe(status="canceled", ended_at=NOON)) == "Ended on March 2, 2026"
