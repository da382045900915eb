"""The mails that a registration sends; each looks at the state as it is now, and is skipped if that has moved on."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.utils.translation import gettext_noop

from payments.effects.mail import Mail, amount_in_words, mails, one_line
from payments.effects.models import Effect
from payments.effects.registry import Deliver, Skip
from payments.orders.decline_reasons import decline_reason
from payments.orders.models import Order
from payments.statuses import DisputeState, OrderStatus
from registrations.models import Registration

GONE = Skip(gettext_noop("The registration no longer exists."))
MOVED_ON = Skip(gettext_noop("The registration has moved on meanwhile."))
# What turns into a link in a mail program: a name can be chosen by anybody, and the address be somebody else's.
LINK = re.compile(r"[/:@<>]|\w{2}\.\w{2}")


Write = Callable[[Registration, Effect], Mail | Skip]


def mails_about(kind: str) -> Callable[[Write], Deliver]:
    """Like `mails`, for a function that gets the registration too, with its order and activity."""

    def register(write: Write) -> Deliver:
        @mails(kind)
        @wraps(write)
        def write_about(effect: Effect) -> Mail | Skip:
            rows = Registration.objects.select_related("order", "activity")
            row = rows.filter(pk=effect.data["registration"]).first()
            return write(row, effect) if row else GONE

        return write_about

    return register


@mails_about("registration.confirmed")
def confirmed(row: Registration, effect: Effect) -> Mail | Skip:
    return _mail(row) if _is_settled(row.order) and row.holds_place else MOVED_ON


@mails_about("registration.no_place")
def no_place(row: Registration, effect: Effect) -> Mail | Skip:
    return _mail(row) if _is_settled(row.order) and not row.holds_place else MOVED_ON


@mails_about("registration.refunded")
def refunded(row: Registration, effect: Effect) -> Mail | Skip:
    if row.order.status != OrderStatus.REFUNDED:
        return MOVED_ON
    return _mail(row, refunded=amount_in_words(row.order.amount_refunded, row.order.currency))


@mails_about("registration.closed")
def closed(row: Registration, effect: Effect) -> Mail | Skip:
    """Expired or canceled: it tells what the order is now."""
    is_closed = row.order.status in (OrderStatus.EXPIRED, OrderStatus.CANCELED)
    return _mail(row, is_expired=row.order.status == OrderStatus.EXPIRED) if is_closed else MOVED_ON


@mails_about("registration.action_required")
def action_required(row: Registration, effect: Effect) -> Mail | Skip:
    still_waits = row.order.status == OrderStatus.ACTION_REQUIRED
    return _mail(row) if still_waits and _is_same_try(effect, row.order) else MOVED_ON


@mails_about("registration.failed")
def failed(row: Registration, effect: Effect) -> Mail | Skip:
    """Of a delayed method's two failures, as a charge and as a session, the charge's mail tells the reason."""
    is_same_charge = effect.data["charge"] == row.order.charge_of_try
    if not (row.order.status == OrderStatus.FAILED and is_same_charge and _is_same_try(effect, row.order)):
        return MOVED_ON
    return _mail(row, reason=decline_reason(row.order.failure_code if row.order.charge_of_try else ""))


def _is_settled(order: Order) -> bool:
    return order.status == OrderStatus.PAID and order.dispute_state != DisputeState.LOST


def _is_same_try(effect: Effect, order: Order) -> bool:
    return bool(effect.data["attempt"] == order.tried_attempt)


def _mail(row: Registration, **context: Any) -> Mail:
    return Mail(
        to=(row.email,) if row.email else (),
        language=row.language,
        context={"name": _polite_name(row.name), "activity": row.activity, "order": row.order, **context},
    )


def _polite_name(name: str) -> str:
    """The name for the greeting; "" for one that would turn our mail into somebody's advertisement."""
    line = one_line(name)
    return "" if LINK.search(line) else line
