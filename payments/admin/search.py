"""What people paste into a search: whole ids and numbers, found by one index each, whatever they are the name of."""

from collections.abc import Iterable

from django.db.models import Q

from payments.billing.models import Dispute, Refund, Subscription
from payments.ledger.models import PaymentEvent, Redelivery
from payments.names import ORDER, REGISTRATION, order_called, read_number, read_uuid
from payments.orders.models import Order, Reference

# An order has a few dozen events; a customer's id may be in any number of them.
EVENTS_FOLLOWED = 500


def events_called(term: str) -> Q:
    """Events with this id or request id, events that name it, and those of the order that is called so."""
    again = Redelivery.objects.filter(request_id=term).values_list("event_id", flat=True)
    found = Q(stripe_event_id=term) | Q(object_id=term) | Q(request_id=term) | Q(pk__in=list(again))
    return found | Q(mentions__overlap=_names(term)) | Q(order__in=_orders_named(term))


def orders_called(term: str) -> Q:
    """Orders by number or id, by their registration, by any Stripe id of theirs, and by an event or its request id."""
    ids = _orders_named(term)
    owners = Reference.objects.filter(name__in=_names(term))
    ids |= _orders_of(owners.values_list("order", "subscription__order"))
    for money in (Refund.objects.filter(stripe_id=term), Dispute.objects.filter(stripe_id=term)):
        ids |= _orders_of(money.values_list("order", "subscription__order"))
    ids |= _orders_of(Subscription.objects.filter(customer__stripe_id=term).values_list("order"))
    # In two steps: a join would have the database read the subscriptions before it knows how few are meant.
    owners = list(
        PaymentEvent.objects.filter(events_called(term)).values_list("order", "subscription")[:EVENTS_FOLLOWED]
    )
    ids |= _orders_of((order,) for order, _subscription in owners)
    subscriptions = {subscription for _order, subscription in owners if subscription}
    ids |= _orders_of(Subscription.objects.filter(pk__in=subscriptions).values_list("order"))
    return Q(pk__in=ids)


def key_of_order(term: str) -> int | None:
    """The order with this number or public id; None: none. For conditions on other tables: a join in one of several
    alternatives has the database read all of them.
    """
    called = order_called(term)
    return Order.objects.filter(called).values_list("pk", flat=True).first() if called else None


def _names(term: str) -> list[str]:
    """The names under which we keep it: as it is, and as one of ours in any spelling."""
    spelt = dict.fromkeys([term, str(read_uuid(term) or term)])
    return [term, *(f"{prefix}{each}" for prefix in (ORDER, REGISTRATION) for each in spelt)]


def _orders_named(term: str) -> set[int]:
    """The order with this number or public id, or of the registration with this id, ours or imported."""
    if number := read_number(term):
        return {number}
    return _orders_of(Reference.objects.filter(name__in=_names(term)[1:]).values_list("order"))


def _orders_of(rows: Iterable[tuple[int | None, ...]]) -> set[int]:
    return {order_id for row in rows for order_id in row if order_id}
