"""Buyers of a whole activity, each with a fate of their own, played through the emulator's API as clients see it."""

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from django.utils import timezone
from stripe import CardError, StripeClient

from payments.apply.apply import apply
from payments.apply.batch import FactSet
from payments.checkout.open_checkout import open_checkout
from payments.facts import ObjectRefs, OrderFact
from payments.statuses import OrderStatus
from registrations.models import Activity, Registration
from registrations.services.register import ActivityFull, register

Fate = Callable[["Buyer"], None]


class Buyer:
    """One registration, its open session and the official client."""

    def __init__(self, registration: Registration, session: str, stripe: StripeClient) -> None:
        self.registration, self.session, self.stripe = registration, session, stripe

    def pay(self, method: str = "pm_card_visa") -> None:
        """Confirm as the Checkout page does; a decline is an answer like another."""
        with suppress(CardError):
            self.stripe.raw_request("post", f"/v1/payment_pages/{self.session}/confirm", payment_method=method)

    def charge(self) -> str:
        session = self.stripe.v1.checkout.sessions.retrieve(self.session, {"expand": ["payment_intent"]})
        return str(session.payment_intent.latest_charge)  # type: ignore[union-attr]

    def dispute(self) -> str:
        return self.stripe.v1.disputes.list({"charge": self.charge()}).data[0].id


def pays(buyer: Buyer) -> None:
    buyer.pay()


def is_declined_first(buyer: Buyer) -> None:
    buyer.pay("pm_card_chargeDeclinedInsufficientFunds")
    buyer.pay()


def leaves(buyer: Buyer) -> None:
    buyer.stripe.v1.checkout.sessions.expire(buyer.session)


def leaves_after_a_decline(buyer: Buyer) -> None:
    buyer.pay("pm_card_chargeDeclinedInsufficientFunds")
    leaves(buyer)


def is_refunded(buyer: Buyer) -> None:
    buyer.pay()
    buyer.stripe.v1.refunds.create({"charge": buyer.charge()})


def is_refunded_in_parts(buyer: Buyer) -> None:
    buyer.pay()
    for amount in (500, 700):
        buyer.stripe.v1.refunds.create({"charge": buyer.charge(), "amount": amount})


def loses_a_dispute(buyer: Buyer) -> None:
    """Lost for us: the buyer's bank takes the money back."""
    buyer.pay("pm_card_createDispute")
    buyer.stripe.v1.disputes.close(buyer.dispute())


def disputes(buyer: Buyer) -> None:
    buyer.pay("pm_card_createDispute")


def loses_the_place_and_pays(buyer: Buyer) -> None:
    """Our side hears that the session has ended, gives every place to rivals, and the money comes after all."""
    at, row = timezone.now(), buyer.registration
    refs = ObjectRefs(order=str(row.order.public_id))
    fact = OrderFact(refs, OrderStatus.EXPIRED, at)
    apply([FactSet([fact], source="test", occurred_at=at)], at=at)
    with suppress(ActivityFull):
        for number in range(row.activity.capacity + 1):
            register(activity=row.activity, name=f"Rival {number}", email=f"r.{row.email}", language="fr", at=at)
    buyer.pay()


FATES: dict[Fate, int] = {
    pays: 60,
    is_declined_first: 12,
    leaves: 6,
    leaves_after_a_decline: 4,
    is_refunded: 7,
    is_refunded_in_parts: 5,
    loses_a_dispute: 3,
    disputes: 3,
}


# Where there are fewer places than buyers.
SCARCE: dict[Fate, int] = {
    pays: 35,
    loses_the_place_and_pays: 25,
    leaves: 20,
    is_declined_first: 10,
    is_refunded: 10,
}


def sell(count: int, *, activity: Activity, stripe: StripeClient, fates: dict[Fate, int] = FATES) -> list[Registration]:
    """So many buyers, one after the other; the n-th has the same fate whenever this is played.

    Returns those who got a place, at least for a while; the others were told that there is none.
    """
    dice = random.Random(2026)
    chosen = dice.choices(list(fates), weights=list(fates.values()), k=count)
    registrations = []
    for number, fate in enumerate(chosen):
        at = timezone.now()
        name, email = f"Buyer {number}", f"buyer{number}@{activity.slug}.example"
        try:
            registration = register(activity=activity, name=name, email=email, language="fr", at=at)
        except ActivityFull:
            continue
        opened = open_checkout(order_id=registration.order_id, at=at + timedelta(seconds=1))
        fate(Buyer(registration, opened.session, stripe))
        registrations.append(registration)
    return registrations
