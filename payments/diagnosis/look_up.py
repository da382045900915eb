"""What is called so? Every kind of id, address and name that people paste; each is found by an index.

`evt_ cs_ pi_ ch_ re_ du_ dp_ sub_ in_ cus_ …`, order and receipt numbers, public ids, registrations (ours and
imported), request ids, addresses and names; products find theirs (`Product.find`).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db.models import Model, Q

from accounts.models import User
from payments.billing.models import Customer, Dispute, Receipt, Refund, Subscription
from payments.ledger.models import PaymentEvent, Redelivery, RefusedDeliveries
from payments.names import ORDER, REGISTRATION, may_be_old_id, read_number, read_uuid
from payments.orders.models import Order, Reference
from payments.products import all_products

TEXT_MAX_LENGTH = 255
NAME_MIN_LENGTH = 3
# Of a person, the latest; nobody reads more on one page.
MAX_ORDERS = 20
MAX_EVENTS = 50
# Of people with such a name, to choose from.
MAX_PEOPLE = 20
STRIPE_NAME = re.compile(r"[a-z]{2,12}_\w+", re.ASCII)
REQUEST = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
# Whatever stands in them: no id contains these.
UNREADABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(slots=True)
class Named:
    """What goes by `text`. `choices`: several people, of whom one must be chosen first."""

    text: str
    orders: list[Order] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)
    users: list[User] = field(default_factory=list)
    events: list[PaymentEvent] = field(default_factory=list)
    refusals: list[RefusedDeliveries] = field(default_factory=list)
    rows: list[Model] = field(default_factory=list)
    choices: list[Model] = field(default_factory=list)

    @property
    def is_nothing(self) -> bool:
        """Nothing here goes by that name."""
        return not any((
            self.orders, self.subscriptions, self.customers, self.users, self.events, self.refusals, self.rows,
            self.choices,
        ))  # fmt: skip

    @property
    def is_stripe_name(self) -> bool:
        """Whether Stripe could know it."""
        return bool(STRIPE_NAME.fullmatch(self.text))

    def add_owners(self, rows: Iterable[Model]) -> None:
        """The orders, subscriptions and customers to which these rows belong."""
        for row in rows:
            _add(self.orders, getattr(row, "order", None))
            _add(self.subscriptions, getattr(row, "subscription", None))
            _add(self.customers, getattr(row, "customer", None))


def look_up(text: str) -> Named:
    """What goes by this text here; surrounding blanks and the ellipsis of a shortened token do not matter."""
    named = Named(UNREADABLE.sub("", text).strip().removesuffix("…")[:TEXT_MAX_LENGTH])
    if not named.text:
        return named
    if _by_number(named):
        return named
    for find in (_by_address, _by_event, _by_reference, _by_money, _by_old_id, _by_product, _by_mention, _by_request):
        find(named)
        if not named.is_nothing:
            return named
    _by_name(named)
    return named


def is_id(text: str) -> bool:
    """Whether it is written as an id, a number or an address, be anything called so or not."""
    numbers = (read_number(text), read_number(text, prefix="R"))
    return "@" in text or bool(STRIPE_NAME.fullmatch(text)) or read_uuid(text) is not None or any(numbers)


def _by_number(named: Named) -> bool:
    """O-000012, R-000003. Returns whether it is such a number: then nothing else is called so."""
    if key := read_number(named.text):
        named.orders = list(Order.objects.select_related("plan", "user").filter(pk=key))
    elif key := read_number(named.text, prefix="R"):
        found = Receipt.objects.select_related("order__plan", "order__user", "payment__subscription").filter(pk=key)
        named.add_owners(found)
        named.add_owners(row.payment for row in found if row.payment)
    return key is not None


def _by_address(named: Named) -> None:
    if "@" in named.text:
        _of_address(named, named.text.lower())


def _of_address(named: Named, email: str) -> None:
    """Everything of the person with this address."""
    named.users = list(User.objects.filter(email=email))
    named.customers = list(Customer.objects.filter(Q(email=email) | Q(user__in=named.users)))
    named.orders = _orders(Q(email=email) | Q(user__in=named.users) if named.users else Q(email=email))
    _ask_products(named, email)


def _by_event(named: Named) -> None:
    if not named.text.startswith("evt_"):
        return
    rows = PaymentEvent.objects.defer("payload").select_related("order", "subscription")
    named.events = list(rows.filter(stripe_event_id=named.text))
    named.add_owners(named.events)


def _by_reference(named: Named) -> None:
    """Any name under which events find something: Stripe's, `order:<public id>`, `registration:<id>`."""
    spelt = dict.fromkeys([named.text, str(read_uuid(named.text) or named.text)])
    names = [named.text, *(f"{prefix}{each}" for prefix in (ORDER, REGISTRATION) for each in spelt)]
    rows = Reference.objects.select_related("order__plan", "order__user", "subscription", "customer")
    named.add_owners(rows.filter(name__in=names))
    if named.customers:
        named.users = [row for row in User.objects.filter(customers__in=named.customers)]


def _by_money(named: Named) -> None:
    if named.text.startswith(("re_", "pyr_")):
        named.add_owners(Refund.objects.select_related("order", "subscription").filter(stripe_id=named.text))
    elif named.text.startswith(("du_", "dp_")):
        named.add_owners(Dispute.objects.select_related("order", "subscription").filter(stripe_id=named.text))


def _by_old_id(named: Named) -> None:
    """Somebody by their id in the system from which they were imported."""
    if may_be_old_id(named.text) and (user := User.objects.filter(external_id=named.text).first()):
        _of_address(named, user.email)


def _by_product(named: Named) -> None:
    if not named.is_stripe_name:
        _ask_products(named, named.text)


def _ask_products(named: Named, text: str) -> None:
    """What the products call so, and to whom and what it belongs."""
    leads = [lead for product in all_products() for lead in product.find(text)]
    for lead in leads:
        _add(named.rows, lead.row)
    known = {row.pk for row in named.orders}
    if missing := {lead.order_id for lead in leads if lead.order_id} - known:
        named.orders += _orders(Q(pk__in=missing))
    if subscriptions := {lead.subscription_id for lead in leads if lead.subscription_id}:
        named.subscriptions += Subscription.objects.filter(pk__in=subscriptions)
    if users := {lead.user_id for lead in leads if lead.user_id} - {row.pk for row in named.users}:
        named.users += User.objects.filter(pk__in=users)


def _by_mention(named: Named) -> None:
    """Something that only events speak of: what they are about was not found, or is not ours."""
    if not named.is_stripe_name:
        return
    rows = PaymentEvent.objects.filter(Q(object_id=named.text) | Q(mentions__contains=[named.text]))
    # Sorted here: in the database the order of the list would be a reason to walk through the whole table.
    latest = sorted(rows.values_list("pk", flat=True))[-MAX_EVENTS:]
    known = PaymentEvent.objects.defer("payload").select_related("order", "subscription")
    named.events = list(known.filter(pk__in=latest))
    named.add_owners(named.events)


def _by_request(named: Named) -> None:
    """The request that brought an event, that brought it once more, or that was refused."""
    if not REQUEST.fullmatch(named.text):
        return
    first = PaymentEvent.objects.filter(request_id=named.text).values("pk")
    again = Redelivery.objects.filter(request_id=named.text).values("event_id")
    rows = PaymentEvent.objects.defer("payload").select_related("order", "subscription")
    named.events = list(rows.filter(pk__in=first.union(again)))
    named.refusals = [] if named.events else list(RefusedDeliveries.objects.filter(request_id=named.text))
    named.add_owners(named.events)


def _by_name(named: Named) -> None:
    """People by a part of their name; one is looked at, several are there to choose from. No id is anybody's name."""
    text = named.text
    if len(text) < NAME_MIN_LENGTH or named.is_stripe_name or read_uuid(text):
        return
    has_part = Q(name__icontains=text) | Q(email__icontains=text)
    found: list[Any] = [*User.objects.filter(has_part)[:MAX_PEOPLE], *Customer.objects.filter(has_part)[:MAX_PEOPLE]]
    found += [row for product in all_products() for row in islice(product.people(text), MAX_PEOPLE)]
    people = {row.email or row.pk: row for row in reversed(found)}
    if len(people) == 1 and (email := found[0].email):
        _of_address(named, email)
    else:
        named.choices = list(people.values())[:MAX_PEOPLE]


def _orders(which: Q) -> list[Order]:
    """The latest of them, the newest first."""
    return list(Order.objects.select_related("plan", "user").filter(which).order_by("-pk")[:MAX_ORDERS])


def _add(rows: list, row: Model | None) -> None:
    if row is not None and row not in rows:
        rows.append(row)
