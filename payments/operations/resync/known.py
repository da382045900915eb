"""What is known here of what Stripe is asked about: where to begin, and what must not be left out."""

from collections.abc import Collection

from django.db.models import Q

from payments.billing.models import Dispute, Payment, Refund
from payments.operations.resync.truth import Rows
from payments.orders.models import CheckoutAttempt, Order, Reference


def names_of(order: Order) -> list[str]:
    """Every name that leads to the order: what one row has lost another may still know."""
    return list(Reference.objects.filter(order=order).values_list("name", flat=True))


def sessions_of(order: Order, *, also: Collection[str]) -> list[str]:
    """Its sessions, the oldest first, and those among other names."""
    attempts = CheckoutAttempt.objects.filter(order=order).exclude(session="").order_by("number")
    others = sorted(name for name in also if name.startswith("cs_"))
    return list(dict.fromkeys([*attempts.values_list("session", flat=True), *others]))


def rows_of(owned: Q, *, also: Collection[str] = ()) -> Rows:
    """The money that is known here; `also`: names that may be payments as well."""
    payments = {*also, *Payment.objects.filter(owned, received__gt=0).values_list("key", flat=True)}
    refunds = Refund.objects.filter(owned).values_list("stripe_id", flat=True)
    disputes = Dispute.objects.filter(owned).values_list("stripe_id", flat=True)
    return Rows(sorted(payments), list(refunds), list(disputes))
