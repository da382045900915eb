"""Stripe's balance in the place of every call that reads it, and the objects that move it."""

from typing import Any

import pytest

from payments.stripe_api import balance
from tests.support.fake_gateway import FakeBalance, balance_entry
from tests.support.road import NOON

AT = int(NOON.timestamp())


def balance_for(monkeypatch: pytest.MonkeyPatch) -> FakeBalance:
    """From now on payouts and entries are read from here."""
    stripe = FakeBalance()
    for name in ("payouts_since", "look_up_payout", "entries_since", "entries_of"):
        monkeypatch.setattr(balance, name, getattr(stripe, name))
    return stripe


def charged(name: str = "1", *, amount: int = 4900, fee: int = 99, **different: Any) -> dict[str, Any]:
    """The entry of the charge ch_<name>, of the payment pi_<name>; what is `different` is the charge's."""
    charge = {
        "id": f"ch_{name}", "object": "charge", "payment_intent": f"pi_{name}", "amount": amount, "currency": "eur",
        "created": AT, "metadata": {}, **different,
    }  # fmt: skip
    return balance_entry(charge, amount=amount, fee=fee)


def given_back(name: str = "1", *, amount: int = 1200) -> dict[str, Any]:
    """The entry of the refund re_<name>, of the same payment."""
    refund = {
        "id": f"re_{name}", "object": "refund", "charge": f"ch_{name}", "payment_intent": f"pi_{name}",
        "amount": amount, "currency": "eur", "created": AT,
    }  # fmt: skip
    return balance_entry(refund, amount=-amount, type="refund")
