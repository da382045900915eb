"""Money that names nothing known here: staff say to which order it belongs."""

from collections.abc import Collection
from datetime import datetime

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from payments.apply.outcome import Outcome, outcome_of
from payments.billing.models import Payment
from payments.ledger.models import WAITS_FOR_A_NAME, PaymentEvent
from payments.ledger.record import requeue_naming
from payments.names import ORDER, REGISTRATION
from payments.orders.models import Order, OrderChange, OrderException, Reference
from payments.processing.replay import process_again
from payments.refunds.staff_refunds import DecisionRefused, require, require_open
from payments.resync.resync import KeepsMoving, ResyncOptions, resync_order
from payments.sql import kept_or_untold, watching
from payments.statuses import Accepted, ExceptionKind
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from payments.stripe_api.snapshots import MalformedObject

log = structlog.get_logger(__name__)
# What the history of the order calls it.
LINKED, PREVIEW = "linked", "preview"
# Under which names Stripe can be asked for a payment.
ASKABLE = ("pi_", "cs_")
# What belongs to subscriptions, and is told by them.
OF_SUBSCRIPTIONS = ("in_", "sub_")


def link_to_order(*, exception: OrderException, order: Order, reason: str, by: User, at: datetime) -> None:
    """Let the money in question belong to the order: its events find it from now on, and are processed again.

    Where no event has told of it Stripe is asked, so not to be called inside a transaction. What does not fit the
    order's amount is asked next. Raises DecisionRefused; what was linked then stays so, and it can be done once more.
    """
    require(reason)
    names = names_of_money(exception)
    source = f"{by.get_username()}: {reason}"[:255]
    _learn(exception, order, names, source=source, at=at)
    if exception.subject.startswith(ASKABLE):
        options = ResyncOptions(at=at, by=source)
        try:
            resync_order(order, options=options, also={exception.subject})
        except (GatewayUnavailable, GatewayRefused, MalformedObject, KeepsMoving) as trouble:
            told = _("It is linked to %(order)s, but Stripe could not be asked about it: %(words)s")
            raise DecisionRefused(told % {"order": order.number, "words": trouble}) from trouble
    _close(exception, reason=reason, by=by, at=at)
    log.info("exception.linked", question=exception.pk, order=order.pk, names=names, by=by.pk, reason=reason)


def preview_link(*, exception: OrderException, order: Order, at: datetime) -> Outcome:
    """What comes of it as far as events have told of the money: linked, processed again, and rolled back.

    Stripe is not asked. Raises DecisionRefused.
    """
    names = names_of_money(exception)
    with kept_or_untold(), watching() as seen:
        waiting = PaymentEvent.objects.filter(WAITS_FOR_A_NAME, references__overlap=names)
        ids = list(waiting.values_list("pk", flat=True))
        _learn(exception, order, names, source=PREVIEW, at=at)
        process_again(ids, by=None, reason=PREVIEW, at=at)
        outcome = outcome_of(seen)
        transaction.set_rollback(True)
    return outcome


def names_of_money(exception: OrderException) -> list[str]:
    """Stripe's ids by which the money goes. Raises DecisionRefused: none, or of a subscription."""
    if exception.kind != ExceptionKind.UNKNOWN_ORDER:
        raise DecisionRefused(_("This is no question of an unknown order."))
    named = PaymentEvent.objects.filter(stripe_event_id=exception.subject).values_list("references", flat=True).first()
    told = named if named is not None else [exception.subject]
    names = [name for name in told if not name.startswith((ORDER, REGISTRATION, "cus_", "evt_"))]
    if not names:
        raise DecisionRefused(_("No payment at Stripe is named here: link it in the Stripe Dashboard."))
    if any(name.startswith(OF_SUBSCRIPTIONS) for name in names):
        raise DecisionRefused(_("This money belongs to a subscription: compare that with Stripe."))
    return names


@transaction.atomic
def _learn(exception: OrderException, order: Order, names: Collection[str], *, source: str, at: datetime) -> None:
    """Write down to whom the names lead, and whatever waits for one of them is queued again."""
    Order.objects.select_for_update(no_key=True).get(pk=order.pk)
    require_open(exception)
    taken = Reference.objects.filter(name__in=names).exclude(order=order).first()
    if taken is not None:
        raise DecisionRefused(_("%(name)s belongs to something else already.") % {"name": taken.name})
    known = set(Reference.objects.filter(name__in=names).values_list("name", flat=True))
    payment = next((name for prefix in ASKABLE for name in names if name.startswith(prefix)), "")
    fresh = [name for name in names if name not in known]
    Reference.objects.bulk_create(
        Reference(name=name, order=order, payment=payment if name.startswith("ch_") else "") for name in fresh
    )
    if payment:
        # It comes through whichever page it came: that is what was decided.
        Payment.objects.get_or_create(key=payment, defaults={"order": order, "accepted": Accepted.PAGE})
    if fresh:
        OrderChange.objects.create(
            order=order, field=LINKED, after=", ".join(fresh)[:255], occurred_at=at, learned_at=at,
            source=source,
        )  # fmt: skip
    requeue_naming(list(names), at=at)


@transaction.atomic
def _close(exception: OrderException, *, reason: str, by: User, at: datetime) -> None:
    rows = OrderException.objects.filter(pk=exception.pk)
    rows.update(is_open=False, closed_at=at, closed_reason=reason.strip()[:500], closed_by=by)
