"""Who should be let in and is not: paid orders, live subscriptions and good tokens without an access that says so."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import Combinable

from accounts.models import User
from modules_access.models import AccessToken, Module, ModuleAccess, PlanOpening, Purchase
from modules_access.purchasable import KIND, wanted_of_subscriptions
from modules_access.repair.sources import ORDERS, SUBSCRIPTIONS, TOKENS, Source
from modules_access.settle import rows_by_key
from payments.billing.models import Subscription
from payments.billing.subscribers import PAYS
from payments.orders.models import Order
from payments.statuses import DisputeState, OrderStatus, SubscriptionStatus

IS_PAID = Q(order__status=OrderStatus.PAID) & ~Q(order__dispute_state=DisputeState.LOST)
BY_NAME: dict[str, Source] = {"order": ORDERS, "subscription": SUBSCRIPTIONS, "token": TOKENS}


@dataclass(frozen=True, slots=True)
class Missing:
    """One access that should be there: `source` gives it since then, `price` is what was paid for it ("": nothing)."""

    source: Order | Subscription | AccessToken
    user: User
    module: Module
    since: datetime | None
    price: str

    @property
    def key(self) -> str:
        """What names the source to a repair: "order:12"."""
        return key_of(self.source)


def key_of(source: Order | Subscription | AccessToken) -> str:
    """The same for a source; a token that rests on an order follows that."""
    if isinstance(source, AccessToken):
        return f"order:{source.order_id}" if source.order_id else f"token:{source.pk}"
    return f"order:{source.pk}" if isinstance(source, Order) else f"subscription:{source.pk}"


def chosen_by(keys: Iterable[str]) -> dict[Source, list[int]]:
    """The sources that these keys name; what is no key is left out."""
    chosen: dict[Source, list[int]] = {}
    for key in keys:
        kind, _colon, number = key.partition(":")
        if kind in BY_NAME and number.isascii() and number.isdecimal() and len(number) < len(str(2**63)):
            chosen.setdefault(BY_NAME[kind], []).append(int(number))
    # Always in the same order, as locks are taken.
    return {source: chosen[source] for source in BY_NAME.values() if source in chosen}


def find_missing(*, at: datetime, limit: int) -> list[Missing]:
    """The oldest of each kind first, at most `limit` of all; eight statements, each bounded."""
    found = [*_orders(limit), *_subscriptions(at, limit), *_tokens(at, limit)]
    return found[:limit]


def _fine(**source: Combinable) -> Q:
    """An access of this source that is as it should be, or that staff have taken back."""
    rows = ModuleAccess.objects.filter(Q(is_active=True) | Q(revoked_at__isnull=False), **source)
    return Q(Exists(rows))


def _orders(limit: int) -> Iterator[Missing]:
    theirs = {"user": OuterRef("user_id"), "module": OuterRef("module_id")}
    paid = Purchase.objects.filter(IS_PAID, ~_fine(order=OuterRef("order_id"), **theirs), order__kind=KIND)
    for row in paid.select_related("order", "user", "module").order_by("order_id")[:limit]:
        yield Missing(row.order, row.user, row.module, row.order.paid_at, row.order.price if row.order.amount else "")


def _tokens(at: datetime, limit: int) -> Iterator[Missing]:
    theirs = {"user": OuterRef("user_id"), "module": OuterRef("module_id")}
    good = AccessToken.objects.filter(
        Q(order=None) | IS_PAID, Q(grant=None) | Q(grant__is_active=True), ~_fine(token=OuterRef("pk"), **theirs),
        revoked_at=None, expires_at__gt=at,
    )  # fmt: skip
    for row in good.select_related("order", "user", "module").order_by("pk")[:limit]:
        yield Missing(row, row.user, row.module, row.created_at, "")


def _subscriptions(at: datetime, limit: int) -> Iterator[Missing]:
    """Found roughly by the database, then worked out as the accesses themselves are."""
    rows = list(_lacking()[:limit])
    known = list(ModuleAccess.objects.filter(subscription__in=[row.pk for row in rows]))
    by_key, by_id = rows_by_key(known), {row.pk: row for row in rows}
    modules = Module.objects.in_bulk() if rows else {}
    for wanted in wanted_of_subscriptions(rows, known) if rows else ():
        row, source = by_key.get(wanted.key), by_id[wanted.source_id]
        is_fine = row is not None and (row.revoked_at or (row.is_active and row.user_id == wanted.user_id))
        if wanted.gives and wanted.expires_at and wanted.expires_at > at and not is_fine:
            user: Any = source.customer and source.customer.user
            yield Missing(source, user, modules[wanted.module_id], source.period_start, source.price_text)


def _lacking() -> QuerySet[Subscription]:
    """Live subscriptions whose plan opens a module for which they have no access."""
    listing = PlanOpening.objects.filter(plan=OuterRef(OuterRef("plan_id")), is_all=False)
    fine = _fine(
        subscription=OuterRef(OuterRef("pk")), module=OuterRef("pk"), user=OuterRef(OuterRef("customer__user"))
    )
    lacks = Module.objects.filter(~Exists(listing) | Exists(listing.filter(modules=OuterRef("pk"))), ~fine)
    live = Subscription.objects.filter(
        Exists(lacks), status__in=[*PAYS, SubscriptionStatus.PAST_DUE], period_end__isnull=False, plan__isnull=False,
        customer__user__isnull=False,
    )  # fmt: skip
    return live.select_related("customer__user").order_by("pk")
