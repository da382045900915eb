"""What the clean-up decided about an order and why: kept in the order's history with Stripe's own words."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext_noop

from payments.orders.models import OrderChange

# The history's word for it, and who did it.
FIELD = SOURCE = "clean-up"

NEVER_OPENED = gettext_noop("Closed: no payment page was opened.")
NONE_MADE = gettext_noop("Closed: Stripe has made no payment page.")
HAD_EXPIRED = gettext_noop("Closed: the payment page had expired.")
ENDED = gettext_noop("Closed: the payment page was still open, and was ended at Stripe.")
NOT_KNOWN = gettext_noop("Closed: Stripe does not know the payment page.")
USED_UP = gettext_noop("Closed: the payment failed, and nobody began another one within 24 hours.")
CANCELED = gettext_noop("Closed: the payment was canceled.")
PAID = gettext_noop("Confirmed: it had been paid, and the news of it was missing.")
UNDER_WAY = gettext_noop("Kept: a payment is under way.")
FAILED_LATELY = gettext_noop("Kept: the payment failed; for 24 hours one can begin another one.")
NOT_SETTLED = gettext_noop("Kept: what Stripe tells does not settle the order; staff decide.")
FOREIGN = gettext_noop("Kept: the payment page was made for another site.")
UNREACHABLE = gettext_noop("Kept: Stripe could not be reached.")
REFUSED = gettext_noop("Kept: Stripe refuses to tell or to end the payment page.")
NOT_ASKED = gettext_noop("Kept: only asking again tells whether Stripe made a payment page, and that may make one.")
CHANGED = gettext_noop("The order has changed meanwhile.")


class Verdict(StrEnum):
    """The place is free, the order is paid, it stays as it is, somebody else was faster, or we failed."""

    CLOSED = "closed"
    CONFIRMED = "confirmed"
    KEPT = "kept"
    SKIPPED = "skipped"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one order. `answer`: Stripe's words, "" if it told nothing.

    `taught`: names that are known now; events that named them in vain are to be tried again.
    """

    order_id: int
    verdict: Verdict
    reason: str
    answer: str = ""
    taught: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def is_unanswered(self) -> bool:
        """Stripe told nothing: the next order will hardly fare better."""
        return self.reason in (UNREACHABLE, REFUSED)


def keep(decision: Decision, *, at: datetime) -> None:
    """Write it into the history unless that says the same already. In a transaction that has locked the order."""
    rows = OrderChange.objects.filter(order_id=decision.order_id, field=FIELD)
    last = rows.order_by("-id").values_list("before", "after").first()
    if last == (decision.answer, decision.reason):
        return
    OrderChange.objects.create(
        order_id=decision.order_id, field=FIELD, before=decision.answer, after=decision.reason, occurred_at=at,
        learned_at=at, source=SOURCE,
    )  # fmt: skip
