"""The mails of a registration: which one its state asks for, once per key; and what each says.

Each looks at the state as it is when it is written, and is skipped if that has moved on.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from payments.effects.deliver import Deliver, Skip
from payments.effects.enqueue import EffectRequest
from payments.effects.mail import Mail, MailFile, mails, one_line
from payments.effects.models import Effect
from payments.orders.decline_reasons import decline_reason_of
from payments.orders.models import Order
from payments.orders.money_in_words import here_in_words, refunded_in_words
from payments.statuses import AWAITING_PAYMENT, CLOSED_STATUSES, DisputeState, OrderStatus
from registrations.details import CALENDAR_FILE, calendar_file
from registrations.links import activity_url, page_url, receipt_url
from registrations.models import EmailState, Registration, WaitingEntry

SKIP_ROW_MISSING = Skip(gettext_noop("The registration no longer exists."))
SKIP_STATE_CHANGED = Skip(gettext_noop("The registration has moved on meanwhile."))
SKIP_CALLED_OFF = Skip(gettext_noop("The activity is called off, which another e-mail tells."))
SKIP_UNCONFIRMED = Skip(gettext_noop("Nobody has confirmed this address, so nothing more is sent there."))
SKIP_HAS_PLACE = Skip(gettext_noop("The same person holds a place by another registration."))
SKIP_MONEY_HERE = Skip(gettext_noop("A payment has arrived that staff are looking into."))
SKIP_BEGUN = Skip(gettext_noop("The activity has begun: it is too late to pay."))
# What is said about an activity that is called off, too.
KINDS_SENT_WHEN_CALLED_OFF = ("registration.called_off", "registration.given_up", "registration.refunded")
# What asks whether the address is right.
KINDS_SENT_UNCONFIRMED = ("registration.confirm_address",)
# What turns into a link in a mail program: a name can be chosen by anybody, and the address be somebody else's.
LINK_PATTERN = re.compile(r"[/:@<>]|\w{2}\.\w{2}")

# What the history of the order has where the person has given the place back themselves (services/withdraw.py).
WITHDRAWN = "withdrawn"
# A card is under way for a moment, too: only what takes its time is told.
PROCESSING_DELAY = timedelta(minutes=1)
# The charset is the mail's.
CALENDAR_TYPE = "text/calendar; method=PUBLISH"
# Mission B4: normal while the buyer is still on the bank's page.
ACTION_REQUIRED_DELAY = timedelta(minutes=10)

Write = Callable[[Registration, Effect], Mail | Skip]


def message_for(row: Registration, order: Order) -> EffectRequest | None:
    """The message of the order's state; None where there is nothing to say."""
    match order.status:
        case OrderStatus.PAID:
            return _paid_message(row, order)
        case OrderStatus.REFUNDED:
            return _request("refunded", row, order, key=f"{order.pk}")
        case OrderStatus.EXPIRED | OrderStatus.CANCELED:
            return _request("closed", row, order, key=_key_of_attempt(order))
        case OrderStatus.PROCESSING:
            return _request("processing", row, order, key=_key_of_attempt(order), delay=PROCESSING_DELAY)
        case OrderStatus.FAILED | OrderStatus.ACTION_REQUIRED if order.amount_received or has_another_place(row):
            return None
        case OrderStatus.FAILED:
            return order.message_of_failure("registration.failed", registration=row.pk)
        case OrderStatus.ACTION_REQUIRED:
            return _request("action_required", row, order, key=_key_of_attempt(order), delay=ACTION_REQUIRED_DELAY)
    return None


def offer_message(row: Registration) -> EffectRequest:
    """A place has become free for somebody on the waiting list: once per offer."""
    return _request("offer", row, row.order, key=f"{row.pk}")


def called_off_message(row: Registration, order: Order) -> EffectRequest:
    """The activity is called off: once per registration."""
    return _request("called_off", row, order, key=f"{row.pk}")


def called_off_message_to_waiting(entry: WaitingEntry) -> EffectRequest:
    """The activity for which they wait is called off: once per entry of the waiting list."""
    return EffectRequest(
        key=f"waiting.called_off:{entry.pk}", kind="waiting.called_off", order_id=None, data={"entry": entry.pk}
    )


def _paid_message(row: Registration, order: Order) -> EffectRequest | None:
    if row.given_up_at:
        return _request("given_up", row, order, key=f"{order.pk}")
    if order.dispute_state == DisputeState.LOST:
        return None
    # Whoever was told that there is no place hears again when one is found.
    waits = f":{row.times_waited}" if row.times_waited else ""
    return _request("confirmed" if row.holds_place else "no_place", row, order, key=f"{order.pk}{waits}")


def _key_of_attempt(order: Order) -> str:
    return f"{order.pk}:{order.attempt_number}"


def _request(kind: str, row: Registration, order: Order, *, key: str, delay: timedelta = timedelta(0)) -> EffectRequest:
    return order.message(f"registration.{kind}", key=key, delay=delay, registration=row.pk)


def mails_about(kind: str) -> Callable[[Write], Deliver]:
    """Like `mails`, for a function that gets the registration too, with its order and activity."""

    def register(write: Write) -> Deliver:
        @mails(kind)
        @wraps(write)
        def write_about(effect: Effect) -> Mail | Skip:
            rows = Registration.objects.select_related("order", "activity")
            row = rows.filter(pk=effect.data["registration"]).first()
            if row is None:
                return SKIP_ROW_MISSING
            if row.activity.called_off_at and kind not in KINDS_SENT_WHEN_CALLED_OFF:
                return SKIP_CALLED_OFF
            if row.email_state == EmailState.ASKED and kind not in KINDS_SENT_UNCONFIRMED:
                return SKIP_UNCONFIRMED
            return write(row, effect)

        return write_about

    return register


@mails_about("registration.confirmed")
def confirmed(row: Registration, effect: Effect) -> Mail | Skip:
    if not (_is_paid_and_kept(row) and row.holds_place):
        return SKIP_STATE_CHANGED
    until = row.activity.refund_until()
    return mail_about(
        row,
        files=(
            MailFile(CALENDAR_FILE, CALENDAR_TYPE, lambda: calendar_file(row, url=page_url(row), at=timezone.now())),
        ),
        receipt=receipt_url(row) if row.order.amount else "",
        # Who has bought later than that was never promised it.
        refund_until=until if until and row.order.paid_at and until > row.order.paid_at else None,
    )


@mails_about("registration.processing")
def processing(row: Registration, effect: Effect) -> Mail | Skip:
    """A debit takes days; from here on the page tells how it stands."""
    if not (row.order.status == OrderStatus.PROCESSING and row.order.is_in_attempt_of(effect)):
        return SKIP_STATE_CHANGED
    return mail_about(row, has_place=row.holds_place)


@mails_about("registration.no_place")
def no_place(row: Registration, effect: Effect) -> Mail | Skip:
    """Not while the bank has the money: then neither a place nor a refund can be promised."""
    if not _is_paid_and_kept(row) or row.holds_place or row.order.dispute_state:
        return SKIP_STATE_CHANGED
    return mail_about(row, has_other=has_another_place(row))


@mails_about("registration.given_up")
def given_up(row: Registration, effect: Effect) -> Mail | Skip:
    """Also where the activity is called off since: who has left hears nothing of that, and cannot register again."""
    if not (row.given_up_at and row.order.status == OrderStatus.PAID):
        return SKIP_STATE_CHANGED
    is_own_wish = row.order.changes.filter(field=WITHDRAWN).exists()
    return mail_about(row, is_own_wish=is_own_wish, again=activity_url(row.activity) if row.activity.is_on_sale else "")


@mails_about("registration.refunded")
def refunded(row: Registration, effect: Effect) -> Mail | Skip:
    if row.order.status != OrderStatus.REFUNDED:
        return SKIP_STATE_CHANGED
    return mail_about(row, refunded=refunded_in_words(row.order), has_other=has_another_place(row))


@mails_about("registration.closed")
def closed(row: Registration, effect: Effect) -> Mail | Skip:
    """Expired or canceled: it tells what the order is now, and never that nothing was charged where money came."""
    order = row.order
    if order.status not in CLOSED_STATUSES:
        return SKIP_STATE_CHANGED
    has_other = has_another_place(row)
    return mail_about(
        row,
        is_expired=order.status == OrderStatus.EXPIRED,
        has_other=has_other,
        received=here_in_words(order) if order.has_money_here else "",
        refunded=refunded_in_words(order) if order.refunded_text else "",
        can_register=not has_other and not row.activity.sale_at(effect.delivery_at).is_closed,
    )


@mails_about("registration.action_required")
def action_required(row: Registration, effect: Effect) -> Mail | Skip:
    still_waits = row.order.status == OrderStatus.ACTION_REQUIRED and row.order.is_in_attempt_of(effect)
    return why_not_pay(row, effect) or mail_about(row) if still_waits else SKIP_STATE_CHANGED


@mails_about("registration.failed")
def failed(row: Registration, effect: Effect) -> Mail | Skip:
    """Of a delayed method's two failures, as a charge and as a session, the charge's mail tells the reason."""
    order = row.order
    if not (order.status == OrderStatus.FAILED and order.has_failure_of(effect)):
        return SKIP_STATE_CHANGED
    if skip := order.enough_of_failures(effect) or why_not_pay(row, effect):
        return skip
    return mail_about(row, reason=decline_reason_of(order), until=row.held_until if row.holds_place else None)


@mails_about("registration.offer")
def offer(row: Registration, effect: Effect) -> Mail | Skip:
    """A place for somebody who waited, as long as it is held and not taken up."""
    is_open = row.holds_place and row.order.status in AWAITING_PAYMENT
    return mail_about(row, until=row.held_until) if is_open else SKIP_STATE_CHANGED


@mails_about("registration.called_off")
def called_off(row: Registration, effect: Effect) -> Mail | Skip:
    """True for ever: nothing brings an activity back. Of the money it promises only what is ours to give."""
    if row.given_up_at:
        return SKIP_STATE_CHANGED
    order = row.order
    return mail_about(
        row,
        reason=row.activity.called_off_reason,
        is_disputed=bool(order.dispute_state),
        has_money=order.has_money_here,
        is_refunded=bool(order.refunded_text),
    )


@mails("waiting.called_off")
def called_off_while_waiting(effect: Effect) -> Mail | Skip:
    entry = WaitingEntry.objects.select_related("activity").filter(pk=effect.data["entry"]).first()
    if entry is None:
        return SKIP_ROW_MISSING
    if Registration.objects.placed(entry.activity, name=entry.name, email=entry.email).exists():
        return SKIP_HAS_PLACE
    return mail_to_waiting(entry, reason=entry.activity.called_off_reason)


def mail_to_waiting(entry: WaitingEntry, **context: Any) -> Mail:
    """To somebody who has no registration yet."""
    known = {"name": _polite_name(entry.name), "activity": entry.activity}
    return Mail(to=(entry.email,), language=entry.language, context={**known, **context})


def has_another_place(row: Registration) -> bool:
    """Whether the person of this registration has a place by another one: what ended here ends nothing for them."""
    return Registration.objects.placed(row.activity, name=row.name, email=row.email).exclude(pk=row.pk).exists()


def why_not_pay(row: Registration, effect: Effect) -> Skip | None:
    """Why nobody is asked to pay for this, although the order waits for money."""
    if row.order.amount_received:
        return SKIP_MONEY_HERE
    if has_another_place(row):
        return SKIP_HAS_PLACE
    return SKIP_BEGUN if row.activity.starts_at <= effect.delivery_at else None


def _is_paid_and_kept(row: Registration) -> bool:
    return row.order.has_money and not row.given_up_at


def mail_about(row: Registration, *, files: tuple[MailFile, ...] = (), **context: Any) -> Mail:
    return Mail(
        files=files,
        to=(row.email,) if row.email else (),
        language=row.language,
        context={
            "name": _polite_name(row.name),
            "activity": row.activity,
            "order": row.order,
            "link": page_url(row),
            **context,
        },
    )


def facts_about(row: Registration) -> dict[str, Any]:
    """For the mails that payments write about its money."""
    return {"name": _polite_name(row.name), "activity": row.activity, "facts": "email/activity"}


def _polite_name(name: str) -> str:
    """The name for the greeting; "" for one that would turn our mail into somebody's advertisement."""
    line = one_line(name)
    return "" if LINK_PATTERN.search(line) else line
