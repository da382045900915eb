"""What Stripe refuses to open or to change is a question for staff, one for each cause, until it works again."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop

from payments.apply.apply import save_exceptions
from payments.billing.models import Plan
from payments.orders.models import Order, OrderException
from payments.products import Question, Value, product_of, sum_of
from payments.statuses import ExceptionKind
from payments.stripe_api.gateway import GatewayRefused

PRICE_REFUSED = gettext_noop(
    "%(name)s for %(amount)s cannot be bought by anybody. Stripe says: %(words)s Put the price right: this question "
    "closes as soon as it can be bought again."
)
REFUSED = gettext_noop(
    "%(name)s: Stripe refuses it. It says: %(words)s This question closes as soon as it works again."
)


@dataclass(frozen=True, slots=True)
class Cause:
    """What is refused, be it to one buyer or to all: `subject` is the same for all. `amount` in minor units."""

    subject: str
    name: str
    amount: int | None = None
    currency: str = ""

    @classmethod
    def of_order(cls, order: Order) -> "Cause":
        """The price of what the order buys."""
        name = order.label or order.number
        return cls(f"price:{product_of(order).price_name(order)}", name, order.amount, order.currency)

    @classmethod
    def of_plan(cls, plan: Plan) -> "Cause":
        """The price of the plan, whether one subscribes to it or changes to it."""
        return cls(f"price:plan:{plan.slug}", plan.name, plan.amount, plan.currency)


@contextmanager
def asking_about_refusals(cause: Cause, *, at: datetime) -> Iterator[None]:
    """Inside, Stripe is asked for it: its refusal is told to staff, its agreement closes the question.

    What the bank of the one who pays declines is no refusal of Stripe's. Not to be used inside a transaction.
    """
    try:
        yield
    except GatewayRefused as refusal:
        if not refusal.is_declined:
            ask_about_refusal(cause, refusal, at=at)
        raise
    close_refusal(cause, at=at)


@transaction.atomic
def ask_about_refusal(cause: Cause, refusal: GatewayRefused, *, at: datetime) -> None:
    """Open the question, or bring it in line with what Stripe says now."""
    values: dict[str, Value] = {"name": cause.name, "words": refusal.message[:250]}
    if cause.amount is not None:
        values["amount"] = sum_of(cause.amount, cause.currency)
    detail = REFUSED if cause.amount is None else PRICE_REFUSED
    question = Question(ExceptionKind.CHECKOUT_REFUSED, cause.subject[:255], None, True, detail, values)
    save_exceptions([question], at=at)


def close_refusal(cause: Cause, *, at: datetime) -> None:
    """It works: whatever was asked about it has an answer."""
    asked = OrderException.objects.filter(kind=ExceptionKind.CHECKOUT_REFUSED, subject=cause.subject[:255])
    if asked.filter(is_open=True).exists():
        with transaction.atomic():
            save_exceptions([Question(ExceptionKind.CHECKOUT_REFUSED, cause.subject[:255], None, False)], at=at)
