"""What Stripe says of an order or a subscription at this moment, beside what stands here; nothing is changed by it.

Found out by the very resync that would put it right, rolled back: there is no second comparison.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.utils.translation import gettext as _

from payments.orders.labels import NO_VALUE, name_of, value_of
from payments.orders.models import Order
from payments.resync import KeepsMoving, Resynced, ResyncOptions, resync_order, resync_subscription
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable, in_a_hurry
from payments.stripe_api.snapshots import MalformedObject
from payments.timeline.statements import Owner, Statement

log = structlog.get_logger(__name__)
TROUBLES = (GatewayUnavailable, GatewayRefused, MalformedObject, KeepsMoving)
OF_ORDER = ("status", "amount_received", "amount_refunded", "dispute_state", "city", "country")
OF_SUBSCRIPTION = ("status", "amount", "period_end", "cancel_at", "canceled_at", "ended_at", "pause")


@dataclass(frozen=True, slots=True)
class ComparedValue:
    """One value, in words: what it is, what stands here, what Stripe says."""

    what: str
    here: str
    there: str

    @property
    def differs(self) -> bool:
        """Whether Stripe says otherwise."""
        return self.here != self.there


@dataclass(frozen=True, slots=True)
class AtStripe:
    """The answer. `asked_at`: when; `missing`: names that Stripe does not know; `trouble`: why nothing is known."""

    asked_at: datetime
    values: Sequence[ComparedValue] = ()
    missing: Sequence[str] = ()
    trouble: str = ""

    @property
    def differing(self) -> int:
        """How many values differ."""
        return sum(each.differs for each in self.values)


def look_at_stripe(told: Statement, *, at: datetime) -> AtStripe:
    """Ask Stripe, each question for 5 seconds at most. Not to be called inside a transaction."""
    try:
        with in_a_hurry():
            found = _resync(told.owner, ResyncOptions(at=at, dry_run=True))
    except TROUBLES as trouble:
        log.info("stripe.not_told", subject=told.name, trouble=repr(trouble))
        return AtStripe(at, trouble=_words(trouble))
    if not found.was_asked:
        return AtStripe(at, trouble=_("There is no payment page and no payment about which Stripe could be asked."))
    if found.refusal:
        return AtStripe(at, trouble=_("Stripe knows it, but not as ours: %s") % found.refusal)
    changes = {what: (here, there) for what, here, there in found.changes}
    return AtStripe(at, list(_values(told, changes)), found.missing)


def _resync(owner: Owner, options: ResyncOptions) -> Resynced:
    if isinstance(owner, Order):
        return resync_order(owner, options=options)
    return resync_subscription(owner.stripe_id, options=options)


def _values(told: Statement, changes: dict[str, tuple[str, str]]) -> Iterator[ComparedValue]:
    """What was compared and is the same, and all that differs."""
    known = dict(_known(told)) | {what: here for what, (here, _there) in changes.items()}
    for what, here in known.items():
        there = changes[what][1] if what in changes else here
        shown = [value_of(what, text, currency=told.owner.currency) for text in (here, there)]
        if shown != [NO_VALUE, NO_VALUE]:
            yield ComparedValue(name_of(what), *shown)


def _known(told: Statement) -> Iterator[tuple[str, str]]:
    """What stands here, under the names and in the words of the history."""
    for name in OF_ORDER if told.order else OF_SUBSCRIPTION:
        value = getattr(told.owner, name)
        yield name, "" if value is None else str(value)
    for payment in told.payments:
        own = payment.currency in ("", told.owner.currency)
        yield f"paid {payment.key}", str(payment.received) if own else f"{payment.received} {payment.currency}"
    for refund in told.refunds:
        yield f"refund {refund.stripe_id}", f"{refund.status} {refund.amount}"
    for dispute in told.disputes:
        yield f"dispute {dispute.stripe_id}", f"{dispute.status} {dispute.amount}"


def _words(trouble: Exception) -> str:
    if isinstance(trouble, GatewayRefused):
        return _("Stripe has refused to tell: %s") % trouble
    if isinstance(trouble, KeepsMoving):
        return _("%s is changing at this very moment: try again in a minute.") % trouble
    return _("Stripe does not answer at the moment. What stands on this page is what we know.")
