"""The buyers of a drill: they register as people do, pay on Stripe's page, and should find a place in the end."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import F, QuerySet
from django.utils import timezone

from payments.checkout.open_checkout import open_checkout
from payments.incidents.models import Incident
from payments.orders.models import Order, OrderChange
from payments.statuses import OrderStatus
from payments.stripe_api.gateway import ask, stripe_client
from registrations.drills.drill import Check, Finding
from registrations.drills.state import Run
from registrations.models import Activity, Registration
from registrations.services.register import register

PEOPLE = (
    "Camille Martin", "Lucas Bernard", "Inès Dubois", "Hugo Thomas", "Léa Robert", "Nathan Richard", "Chloé Petit",
    "Louis Durand", "Manon Leroy", "Jules Moreau", "Zoé Simon", "Adam Laurent",
)  # fmt: skip
USUAL_CARD = "pm_card_visa"
PRICE = 4900
ORDERS_PAGE = "Payments › Orders"


def sell(run: Run, *, cards: Sequence[str]) -> None:
    """One buyer for each card; each is noted before they pay. Raises GatewayRefused, GatewayUnavailable."""
    now = timezone.now()
    activity = Activity.objects.create(
        slug=run.mark, title=f"Pottery ({run.mark})", price=PRICE, capacity=len(cards),
        starts_at=now + timedelta(days=30),
    )  # fmt: skip
    run.activity = activity.slug
    run.keep()
    for number, card in enumerate(cards):
        name, email = PEOPLE[number], f"buyer{number + 1}@{run.mark}.example"
        row = register(activity=activity, name=name, email=email, language="fr", at=timezone.now())
        run.orders.append(row.order_id)
        run.keep()
        pay(open_checkout(order_id=row.order_id, at=timezone.now()).session, card=card)


def pay(session: str, *, card: str) -> None:
    """What the payment page does when its button is pressed; only what stands in for Stripe has this call."""
    ask(
        lambda _api: stripe_client().raw_request(
            "post", f"/v1/payment_pages/{session}/confirm", payment_method=card
        )
    )  # fmt: skip


def orders_of(run: Run) -> QuerySet[Order]:
    return Order.objects.filter(pk__in=run.orders).order_by("pk")


def _paid(run: Run) -> Finding:
    unpaid = [order.number for order in orders_of(run).exclude(status=OrderStatus.PAID)]
    if unpaid:
        return Finding(f"{len(unpaid)} of {len(run.orders)} are not: {', '.join(unpaid)}.")
    return Finding(done_at=_last_learned(run))


def _last_learned(run: Run) -> datetime | None:
    changes = OrderChange.objects.filter(order__in=run.orders, field="status", after=OrderStatus.PAID)
    return changes.order_by("learned_at").values_list("learned_at", flat=True).last()


def _seated(run: Run) -> Finding:
    rows = Registration.objects.filter(order__in=run.orders)
    seated = rows.filter(holds_place=True, order__status=OrderStatus.PAID).count()
    if seated < len(run.orders):
        return Finding(f"{seated} of {len(run.orders)} buyers have a place that is paid for.")
    return Finding(done_at=_last_learned(run))


def _paid_back(run: Run) -> Finding:
    numbers = [order.number for order in orders_of(run).filter(refunds__isnull=False).distinct()]
    return Finding(f"Money went back to buyers who wanted their place: {', '.join(numbers)}." if numbers else "")


def _counted_twice(run: Run) -> Finding:
    numbers = [order.number for order in orders_of(run).filter(amount_received__gt=F("amount"))]
    return Finding(f"More was counted than was paid: {', '.join(numbers)}." if numbers else "")


def _by_hand(run: Run) -> Finding:
    paid = orders_of(run).filter(status=OrderStatus.PAID)
    numbers = [order.number for order in paid.exclude(payments__charge__gt="")]
    return Finding(f"Paid without a payment of Stripe: {', '.join(numbers)}." if numbers else "")


def _left_open(run: Run) -> Finding:
    left = Incident.objects.filter(opened_at__gte=run.started_at, closed_at=None).exists()
    return Finding("An incident is open still: what it has switched stays switched." if left else "")


ALL_PAID = Check("orders-paid", 25, "every order is paid", f"{ORDERS_PAGE}, or `manage.py drain`", _paid)
ALL_SEATED = Check(
    "places-taken", 25, "every buyer has a place", "it follows the orders; `manage.py check_places` says where not",
    _seated,
)  # fmt: skip
NOBODY_PAID_BACK = Check("paid-back", 25, "nobody is paid back", "fetch what is missing instead", _paid_back)
NOTHING_TWICE = Check(
    "counted-twice", 25, "nothing is counted twice", "replay events, enter none by hand", _counted_twice
)
NOT_BY_HAND = Check("by-hand", 25, "no order is marked by hand", "let Stripe's events say what was paid", _by_hand)
SALES_GO_ON = Check("left-open", 10, "no incident is left open", "Health › Incidents › Close the incident…", _left_open)
