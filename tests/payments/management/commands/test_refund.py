"""`manage.py refund`: says what will happen, asks, and asks for it once."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from config import command_line
from payments.effects.models import Effect
from tests.support.refunds import pay
from tests.support.subscriptions import NOON, make_customer, make_subscription, paid, refs, tell
from tests.support.subscriptions import told as tells


class Terminal:
    """Somebody sits there, or nobody."""

    def __init__(self, is_there):
        self.is_there = is_there

    def isatty(self):
        return self.is_there


@pytest.fixture
def order(registration):
    return pay(registration)


def told(*arguments, reason="kindness"):
    out = StringIO()
    call_command("refund", *arguments, "--because", reason, stdout=out)
    return out.getvalue()


def refunds():
    return list(Effect.objects.filter(kind="refund").values_list("data__amount", "data__reason", "data__by"))


def answers(monkeypatch, word):
    monkeypatch.setattr(command_line.sys, "stdin", Terminal(True))
    monkeypatch.setattr("builtins.input", lambda _question: word)


class TestRefund:
    def test_tells_what_will_happen_and_how_to_follow_it(self, order):
        text = told(order.number, "--yes")

        payment, effect = order.payments.get(), Effect.objects.get(kind="refund")
        assert f"{order.number} Pottery, camille.martin@example.com, Paid" in text
        assert f"{payment.key}: €49.00 left" in text
        assert "Goes back to the buyer: all that is left." in text
        assert f"effect {effect.key}" in text
        assert refunds() == [(None, "kindness", "manage.py refund")]

    def test_takes_no_empty_amount_for_all_of_it(self, order):
        with pytest.raises(CommandError, match="is no amount"):
            told(order.number, "--amount", "", "--yes")

        assert refunds() == []

    @pytest.mark.parametrize("amount", ["12.50", "12,5"])
    def test_takes_a_part_as_people_write_it(self, order, amount):
        assert "Goes back to the buyer: €12.50." in told(str(order.pk), "--amount", amount, "--yes")

        assert refunds() == [(1250, "kindness", "manage.py refund")]

    def test_asks_before_it_does(self, order, monkeypatch):
        answers(monkeypatch, " Yes ")

        told(order.number)

        assert len(refunds()) == 1


class TestRefundOfASubscription:
    @pytest.fixture
    def subscription(self, db):
        """Two months are paid."""
        row = make_subscription(customer=make_customer(email="ada@example.com"))
        for month in (1, 2):
            names = refs(invoice=f"in_{month}", payment_intent=f"pi_{month}")
            tell(tells(), paid(refs=names, paid_at=NOON + timedelta(days=30 * month)))
        return row

    def test_takes_the_latest_payment(self, subscription):
        text = told("sub_1", "--yes")

        assert "sub_1, no plan, ada@example.com, Active" in text
        assert "in_2: €4.00 left" in text
        assert "in_1" not in text
        assert "subscription sub_1" in text
        assert Effect.objects.get(kind="refund").data["payment"] == "in_2"

    def test_takes_the_payment_that_is_named(self, subscription):
        told("in_1", "--amount", "1.50", "--yes")

        assert Effect.objects.get(kind="refund").data["payment"] == "in_1"
        assert refunds() == [(150, "kindness", "manage.py refund")]

    @pytest.mark.parametrize("name", ["in_3", "sub_2"])
    def test_refuses_what_is_unknown(self, subscription, name):
        with pytest.raises(CommandError, match=name):
            told(name, "--yes")

    def test_refuses_the_same_twice(self, subscription):
        told("in_1", "--yes")

        with pytest.raises(CommandError, match="Nothing of sub_1 is left"):
            told("in_1", "--yes")


class TestRefundRefuses:
    def test_without_consent(self, order, monkeypatch):
        answers(monkeypatch, "y")

        with pytest.raises(CommandError, match="Nothing was refunded"):
            told(order.number)

        assert refunds() == []

    def test_to_guess_where_nobody_can_be_asked(self, order, monkeypatch):
        monkeypatch.setattr(command_line.sys, "stdin", Terminal(False))

        with pytest.raises(CommandError, match="--yes"):
            told(order.number)

        assert refunds() == []

    @pytest.mark.parametrize("name", ["O-999999", "nonsense", ""])
    def test_an_order_that_is_unknown(self, order, name):
        with pytest.raises(CommandError, match="There is no order"):
            told(name, "--yes")

    @pytest.mark.parametrize("amount", ["49.01", "0", "-1", "much", "1.005"])
    def test_an_amount_that_cannot_go_back(self, order, amount):
        with pytest.raises(CommandError):
            told(order.number, f"--amount={amount}", "--yes")

        assert refunds() == []

    def test_an_order_without_money(self, registration):
        with pytest.raises(CommandError, match="Nothing of"):
            told(registration.order.number, "--yes")

    def test_an_empty_reason(self, order):
        with pytest.raises(CommandError, match="reason"):
            told(order.number, "--yes", reason=" ")

        assert refunds() == []

    def test_the_same_twice(self, order):
        told(order.number, "--yes")

        with pytest.raises(CommandError, match="Nothing of"):
            told(order.number, "--yes")

        assert len(refunds()) == 1
