"""What people paste into a search: whole ids and numbers, each found by an index, all in one statement."""

from django.db.models import Q, QuerySet

from payments.billing.models import Dispute, Refund, Subscription
from payments.ledger.models import PaymentEvent, Redelivery
from payments.names import ORDER, REGISTRATION, order_called, read_number, read_uuid
from payments.orders.models import Order, Reference

# An order has a few dozen events; a customer's id may be in any number of them.
EVENTS_FOLLOWED = 500
MOST_FOUND = 10_000


def events_called(term: str) -> Q:
    """Events with this id or request id, events that name it, and those of the order that is called so."""
    conditions = (
        Q(stripe_event_id=term), Q(object_id=term), Q(request_id=term), Q(mentions__overlap=_names(term)),
        Q(order__in=_orders_named(term)),
    )  # fmt: skip
    own = (PaymentEvent.objects.filter(each).values_list("pk", flat=True) for each in conditions)
    return _one_of(Redelivery.objects.filter(request_id=term).values_list("event", flat=True), *own)


def orders_called(term: str) -> Q:
    """Orders by number or id, by their registration, by any Stripe id of theirs, and by an event or its request id."""
    events = PaymentEvent.objects.filter(events_called(term)).order_by()
    owned: tuple[QuerySet, ...] = (
        Reference.objects.filter(name__in=_names(term)),
        Refund.objects.filter(stripe_id=term),
        Dispute.objects.filter(stripe_id=term),
        events,
    )
    owners = ("order", "subscription__order")
    found = [each.values_list(owner, flat=True)[:EVENTS_FOLLOWED] for each in owned for owner in owners]
    bought = Subscription.objects.filter(customer__stripe_id=term).values_list("order", flat=True)
    return _one_of(_orders_named(term), bought, *found)


def key_of_order(term: str) -> int | None:
    """The order with this number or public id; None: none. For conditions on other tables: a join in one of several
    alternatives has the database read all of them.
    """
    called = order_called(term)
    return Order.objects.filter(called).values_list("pk", flat=True).first() if called else None


def _one_of(first: QuerySet, *others: QuerySet) -> Q:
    """The keys that any of these finds, each by its own index.

    Asked for at once: of a condition inside the list's own statement PostgreSQL expects too many, and walks through the
    newest rows of the table to find the first few.
    """
    return Q(pk__in={key for key in first.union(*others, all=True)[:MOST_FOUND] if key})


def _names(term: str) -> list[str]:
    """The names under which we keep it: as it is, and as one of ours in any spelling."""
    spelt = dict.fromkeys([term, str(read_uuid(term) or term)])
    return [term, *(f"{prefix}{each}" for prefix in (ORDER, REGISTRATION) for each in spelt)]


def _orders_named(term: str) -> QuerySet:
    """The key of the order with this number or public id, or of the registration with this id, ours or imported."""
    if number := read_number(term):
        return Order.objects.filter(pk=number).values_list("pk", flat=True)
    return Reference.objects.filter(name__in=_names(term)[1:]).values_list("order", flat=True)
