"""All that a diagnosis looks at, read in seven statements; nothing is locked and nothing written."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject

from accounts.models import User
from modules_access.models import AccessToken, AccessType, Module, ModuleAccess, Purchase
from modules_access.wanted import Openings
from payments.billing.models import Payment, Subscription
from payments.ledger.models import PaymentEvent
from payments.orders.models import CheckoutAttempt, OrderException
from payments.statuses import SUBSCRIPTION_ENDED

# Nobody has so many; a page must not grow without limit all the same.
MOST_ROWS = 100
MOST_EVENTS = 500


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one person (and one module). Each purchase brings `payments`, `questions` and `sessions`."""

    at: datetime
    user: User
    module: Module | None
    modules: dict[int, Module]
    purchases: list[Any]
    tokens: list[AccessToken]
    subscriptions: list[Subscription]
    openings: Openings
    accesses: list[Any]
    events: list[PaymentEvent]

    def events_of(self, names: Iterable[str], **owner: int) -> list[PaymentEvent]:
        """The ledger's rows of an order or a subscription: those that found it, and those about its objects."""
        [(column, key)] = owner.items()
        theirs = set(names)
        return [row for row in self.events if getattr(row, column) == key or row.object_id in theirs]


def read(user: User, *, module: Module | None, order_id: int | None, at: datetime) -> Known:
    """Of that order alone, if one is named."""
    purchases = _purchases(user, module, order_id)
    tokens = _tokens(user, module, order_id)
    subscriptions = [] if order_id else _subscriptions(user)
    modules = {module.pk: module} if module else Module.objects.in_bulk()
    return Known(
        at=at, user=user, module=module, modules=modules, purchases=purchases, tokens=tokens,
        subscriptions=subscriptions, openings=_openings(subscriptions, modules),
        accesses=_accesses(user, purchases, tokens, subscriptions, at=at, with_grants=order_id is None),
        events=_events(purchases, subscriptions),
    )  # fmt: skip


def _which(module: Module | None, order_id: int | None) -> Q:
    return (Q(module=module) if module else Q()) & (Q(order=order_id) if order_id else Q())


def _purchases(user: User, module: Module | None, order_id: int | None) -> list[Any]:
    mine = {"order": OuterRef("order_id")}
    payment = JSONObject(key=F("key"), received=F("received"), refunded=F("refunded"), currency=F("currency"))
    rows = Purchase.objects.filter(_which(module, order_id), user=user).select_related("order", "module")
    return list(
        rows.annotate(
            payments=ArraySubquery(Payment.objects.filter(received__gt=0, **mine).values(told=payment)),
            questions=ArraySubquery(OrderException.objects.filter(is_open=True, **mine).values("kind")),
            sessions=ArraySubquery(CheckoutAttempt.objects.filter(**mine).exclude(session="").values("session")),
        ).order_by("-pk")[:MOST_ROWS]
    )


def _tokens(user: User, module: Module | None, order_id: int | None) -> list[AccessToken]:
    rows = AccessToken.objects.filter(_which(module, order_id), user=user)
    return list(rows.select_related("order", "grant", "module").order_by("-pk")[:MOST_ROWS])


def _subscriptions(user: User) -> list[Subscription]:
    """Those that go on, and those that have opened something."""
    has_opened = Exists(ModuleAccess.objects.filter(subscription=OuterRef("pk")))
    rows = Subscription.objects.filter(~Q(status__in=SUBSCRIPTION_ENDED) | has_opened, customer__user=user)
    rows = rows.select_related("customer", "plan__opening").prefetch_related("plan__opening__modules")
    return list(rows.order_by("-pk")[:MOST_ROWS])


def _openings(subscriptions: Iterable[Subscription], modules: dict[int, Module]) -> Openings:
    """What their plans open, as `Openings.read` has it of all plans."""
    openings = [opening for row in subscriptions if (opening := getattr(row.plan, "opening", None))]
    listed = {row.plan_id: frozenset(each.pk for each in row.modules.all()) for row in openings if not row.is_all}
    return Openings(tuple(sorted(modules)), listed)


def _accesses(
    user: User, purchases: list[Any], tokens: list[AccessToken], subscriptions: list[Subscription], *, at: datetime,
    with_grants: bool,
) -> list[Any]:  # fmt: skip
    """By what gives them, whoever they name; each with `lets_in`, as /encours decides it."""
    rows: QuerySet[ModuleAccess] = ModuleAccess.objects.filter(
        Q(order__in=[row.order_id for row in purchases]) | Q(token__in=[row.pk for row in tokens])
        | Q(subscription__in=[row.pk for row in subscriptions])
        | (Q(user=user, access_type=AccessType.GRANT) if with_grants else Q(pk=None))
    )  # fmt: skip
    lets_in = Exists(ModuleAccess.objects.open(at).filter(pk=OuterRef("pk")))
    return list(rows.select_related("user", "module").annotate(lets_in=lets_in).order_by("-pk"))


def _events(purchases: list[Any], subscriptions: list[Subscription]) -> list[PaymentEvent]:
    """Also those that could not find their order: by the objects that they are about."""
    names = {name for row in purchases for name in names_of(row)} | {row.stripe_id for row in subscriptions}
    rows = PaymentEvent.objects.filter(
        Q(order__in=[row.order_id for row in purchases]) | Q(subscription__in=[row.pk for row in subscriptions])
        | Q(object_id__in=names)
    )  # fmt: skip
    return list(rows.defer("payload").order_by("-pk")[:MOST_EVENTS]) if names or purchases else []


def names_of(purchase: Any) -> set[str]:
    """What Stripe calls the sessions and payments of a purchase."""
    return {*purchase.sessions, *(payment["key"] for payment in purchase.payments)}
