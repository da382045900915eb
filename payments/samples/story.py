"""What sample events are about: one order, one attempt to pay it, and Stripe ids that stay the same all along."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q

from payments.names import is_demo, order_called, read_key, read_number, registration_of
from payments.orders.models import Order
from payments.products import all_products
from payments.statuses import AWAITING_PAYMENT, OPEN_STATUSES, PLAN, WAS_PAID

Json = dict[str, Any]
OLD_SHAPE, CURRENT_SHAPE = "2023-10-16", "current"
SHAPES = (OLD_SHAPE, CURRENT_SHAPE)
USUAL_DECLINE = "insufficient_funds"
MADE_UP_LENGTH = 23
# What has a made-up id, and the first of those of which an order may have several (Variation.number).
MADE_UP = ("session", "payment_intent", "charge", *(
    f"{what} {number}" for what in ("declined", "refund", "dispute") for number in range(1, 21)
))  # fmt: skip
AFTER_PAYMENT = ("charge.", "radar.", "refund.")


@dataclass(frozen=True, slots=True)
class SampleSubject:
    """The order that the events tell of. A Stripe id that is not given is made up, always the same one."""

    order: str
    registration: str
    site: str
    attempt: int
    amount: int
    currency: str
    email: str
    name: str
    livemode: bool = False
    session: str = ""
    payment_intent: str = ""
    charge: str = ""
    began_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Variation:
    """What may differ from the usual story. None and "" leave it as usual."""

    amount: int | None = None
    """What the event speaks of, in minor units: paid, refunded (a charge: in all) or disputed."""
    status: str = ""
    """Stripe's word: `payment_status` of a session, `status` of a refund or dispute."""
    decline_code: str = USUAL_DECLINE
    number: int = 1
    """Which decline, refund, dispute or warning of this order: another number has another id."""


@dataclass(frozen=True, slots=True)
class Story:
    """A subject as seen at one moment in one shape of the API."""

    subject: SampleSubject
    shape: str
    at: datetime
    variation: Variation = field(default_factory=Variation)

    @property
    def amount(self) -> int:
        return self.subject.amount if self.variation.amount is None else self.variation.amount

    @property
    def session(self) -> str:
        mode = "live" if self.subject.livemode else "test"
        return self.subject.session or f"cs_{mode}_a1{self._made_up('session', 56)}"

    @property
    def payment_intent(self) -> str:
        return self.subject.payment_intent or f"pi_3{self._made_up('payment_intent')}"

    @property
    def charge(self) -> str:
        """The charge that paid."""
        return self.subject.charge or f"ch_3{self._made_up('charge')}"

    @property
    def declined_charge(self) -> str:
        return f"ch_3{self._made_up(f'declined {self.variation.number}')}"

    @property
    def refund(self) -> str:
        return f"re_3{self._made_up(f'refund {self.variation.number}')}"

    @property
    def dispute(self) -> str:
        return f"du_1{self._made_up(f'dispute {self.variation.number}')}"

    @property
    def fraud_warning(self) -> str:
        return f"issfr_1{self._made_up(f'fraud warning {self.variation.number}')}"

    @property
    def metadata(self) -> dict[str, str]:
        """What we write into Session and PaymentIntent."""
        return {
            "orderId": self.subject.order,
            "registrationId": self.subject.registration,
            "attempt": str(self.subject.attempt),
            "site": self.subject.site,
        }

    def is_old(self) -> bool:
        return self.shape == OLD_SHAPE

    def now(self) -> int:
        """The moment of the event in whole seconds, as Stripe counts."""
        return int(self.at.timestamp())

    def after(self, **passed: int) -> int:
        """So long after the session began, yet never later than the event itself."""
        began = self.subject.began_at or self.at
        return min(int((began + timedelta(**passed)).timestamp()), self.now())

    def by_shape(self, *, old: Json, current: Json) -> Json:
        """The fields that only one of the two shapes has."""
        return old if self.is_old() else current

    def _made_up(self, what: str, length: int = MADE_UP_LENGTH) -> str:
        return _digest(self.subject.order, self.subject.attempt, what)[:length]


def is_made_up(name: str, *, order_number: str) -> bool:
    """Whether a sample event about the order of this number has brought the Stripe id: then Stripe does not know it.

    So it is with every id of demo data.
    """
    if is_demo(name):
        return True
    order = Order.objects.filter(pk=read_number(order_number) or 0).first()
    if order is None:
        return False
    attempts = range(1, order.attempt_number + 1)
    seeds = ((str(order.public_id), attempt, what) for attempt in attempts for what in MADE_UP)
    return any(_digest(*seed)[:MADE_UP_LENGTH] in name for seed in seeds)


def _digest(order: str, attempt: int, what: str) -> str:
    return hashlib.sha256(f"{order}:{attempt}:{what}".encode()).hexdigest()


class NoOrder(LookupError):
    """There is no such order, or none that this event could be about; the text says what to do."""


def pick_payable(*, order: str | None = None, registration: str | None = None) -> Order:
    """The order with this number, id or registration; none given: the newest that can be paid. Raises NoOrder."""
    if order is not None or registration is not None:
        return pick_order("", order=order, registration=registration)
    sold = [product.kind for product in all_products()]
    # Who subscribes to a plan that is gone would be charged once.
    waiting = Order.objects.filter(status__in=AWAITING_PAYMENT, amount__gt=0, kind__in=sold)
    newest = waiting.exclude(kind=PLAN, plan=None).order_by("created_at", "pk").last()
    if newest is None:
        raise NoOrder("No order waits for a payment: register on the site, or name an order.")
    return newest


def pick_order(event_type: str, *, order: str | None = None, registration: str | None = None) -> Order:
    """The order with this number, id or registration; none given: the newest that fits. Raises NoOrder."""
    if order is not None:
        return _by_order(order.strip())
    if registration is not None:
        return _by_registration(registration.strip())
    return _newest_for(event_type)


def subject_of(order: Order, *, registration: str = "") -> SampleSubject:
    """The order as its newest Checkout session and the money we know tell of it."""
    checkout = order.checkouts.order_by("number").last()
    attempt = checkout.number if checkout else order.attempt_number
    payment = order.payments.order_by("paid_at", "pk").last()
    return SampleSubject(
        order=str(order.public_id),
        registration=registration or registration_of(order),
        site=settings.SITE_NAME,
        attempt=attempt,
        amount=order.amount,
        currency=order.currency,
        email=order.email,
        name=order.email.partition("@")[0],
        livemode=settings.STRIPE_LIVEMODE,
        session=checkout.session if checkout else "",
        payment_intent=_stripe_id(payment.key if payment else "") or _tried_intent(order, attempt),
        charge=payment.charge if payment else "",
        began_at=checkout.created_at if checkout else order.created_at,
    )


def _by_order(given: str) -> Order:
    key = read_key(given)
    condition = Q(pk=key) if key else order_called(given)
    found = Order.objects.filter(condition).first() if condition else None
    if found is None:
        raise NoOrder(f"There is no order {given!r}: give its number (O-000012) or its public id.")
    return found


def _by_registration(given: str) -> Order:
    names = [f"registration:{given}", f"registration:{given.lower()}"]
    found = Order.objects.filter(references__name__in=names).first()
    if found is None:
        raise NoOrder(f"There is no registration {given!r}: give its public id, or its id in the old system.")
    return found


def _newest_for(event_type: str) -> Order:
    if not Order.objects.exists():
        raise NoOrder("There is no order yet: run `manage.py seed_demo`, or register for an activity on the site.")
    is_later = event_type.startswith(AFTER_PAYMENT)
    # What was free, or began a subscription, is paid too, but has no money of its own that could go back.
    fitting = Q(status__in=WAS_PAID, amount_received__gt=0) if is_later else Q(status__in=OPEN_STATUSES)
    newest = Order.objects.filter(fitting).order_by("created_at", "pk").last()
    if newest is None and is_later:
        raise NoOrder("No order is paid yet: send payment_intent.succeeded first, or name an order with --order.")
    if newest is None:
        raise NoOrder("No order waits for payment: register on the site, or name an order with --order.")
    return newest


def _tried_intent(order: Order, attempt: int) -> str:
    """The PaymentIntent that this attempt is known to have, if Stripe named one."""
    known = order.references.filter(name__startswith="pi_", attempt=attempt).order_by("name")
    return known.values_list("name", flat=True).last() or ""


def _stripe_id(key: str) -> str:
    return key if key.startswith("pi_") else ""
