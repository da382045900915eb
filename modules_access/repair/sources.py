"""What accesses follow, walked by id: which of it differs from its rows, and which of it lacks an access."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import Combinable

from accounts.models import User
from modules_access.entitlements import (
    FOLLOWING_COLUMNS,
    SOURCE_COLUMNS,
    differs,
    entitlement_of_purchase,
    entitlement_of_token,
    entitlements_of_subscriptions,
    follow_tokens,
    rows_by_key,
)
from modules_access.models import ORDER_KIND, AccessToken, Module, ModuleAccess, PlanOpening, Purchase
from payments.apply.apply import follow_orders_again, follow_subscriptions_again
from payments.billing.models import Subscription
from payments.orders.models import Order
from payments.statuses import SUBSCRIPTION_PAYING, DisputeState, OrderStatus, SubscriptionStatus

# What is compared of each, and no other column is read: half of what it costs to walk very many is reading columns.
ORDER_COLUMNS = ("order__status", "order__paid_at", "order__dispute_state")
TOKEN_COLUMNS = ("user_id", "module_id", "expires_at", "revoked_at", "order_id", "grant_id")
ACCESS_COLUMNS = (*SOURCE_COLUMNS.values(), *FOLLOWING_COLUMNS, "access_type", "revoked_at", "extended_until")
SUBSCRIPTION_COLUMNS = (
    "plan_id", "further_plans", "status", "period_start", "period_end", "trial_end", "cancel_at", "ended_at", "pause",
    "amount", "quantity", "paid_until", "covered_until", "unpaid_since", "money_back", "customer__user_id",
)  # fmt: skip
# What is paid goes on whatever its state is.
MAY_GIVE_ACCESS = Q(status__in=[*SUBSCRIPTION_PAYING, SubscriptionStatus.PAST_DUE]) | Q(covered_until__isnull=False)
IS_PAID = Q(order__status=OrderStatus.PAID) & ~Q(order__dispute_state=DisputeState.LOST)


class AccessSource(Protocol):
    """One kind of what accesses follow. `key`: the column by which it is walked; ids are those of what is locked.

    `owner`: the column by which effects belong to it; "" if none do.
    """

    name: str
    key: str
    owner: str

    def rows(self) -> QuerySet[Any]:
        """All that may give an access, or whose access may have to end."""
        ...

    def differing(self, rows: Sequence[Any], *, at: datetime) -> list[int]:
        """What of these says something else than its accesses; two or three statements, no lock."""
        ...

    def accesses(self, ids: Collection[int]) -> Q:
        """The accesses that follow these, and those on which they rest."""
        ...

    def lock(self, ids: Collection[int]) -> None:
        """Lock them, sorted by id; accesses are locked after this."""
        ...

    def follow(self, ids: Collection[int], *, source: str, at: datetime) -> None:
        """Let their accesses follow, as anything that moves them does; in the caller's transaction."""
        ...


class OrderSource:
    """Orders by what they bought."""

    name, key, owner = "purchases", "order_id", "order_id"

    def rows(self) -> QuerySet[Any]:
        bought = Purchase.objects.filter(order__kind=ORDER_KIND).select_related("order")
        return bought.only("order_id", "user_id", "module_id", "access_days", *ORDER_COLUMNS)

    def differing(self, rows: Sequence[Any], *, at: datetime) -> list[int]:
        existing = rows_by_key(_accesses(order_id__in=[row.order_id for row in rows]))
        entitlements = [entitlement_of_purchase(row, row.order) for row in rows]
        return [each.source_id for each in entitlements if differs(each, existing.get(each.key), at=at)]

    def accesses(self, ids: Collection[int]) -> Q:
        # Read first: with the ids in hand both sides of the "or" find their index.
        tokens = list(AccessToken.objects.filter(order_id__in=ids).values_list("pk", flat=True))
        return Q(order_id__in=ids) | Q(token_id__in=tokens)

    def lock(self, ids: Collection[int]) -> None:
        list(Order.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True).values_list("pk"))

    def follow(self, ids: Collection[int], *, source: str, at: datetime) -> None:
        follow_orders_again(ids, source=source, at=at)


class OrderTokenSource(OrderSource):
    """Orders by the tokens that rest on them."""

    name, key = "tokens", "pk"

    def rows(self) -> QuerySet[Any]:
        tokens = AccessToken.objects.filter(order__kind=ORDER_KIND).select_related("order")
        return tokens.only(*TOKEN_COLUMNS, *ORDER_COLUMNS)

    def differing(self, rows: Sequence[Any], *, at: datetime) -> list[int]:
        return [token.order_id for token in _differing_tokens(rows, at=at) if token.order_id]


class TokenSource:
    """Tokens by staff, or resting on what staff gave."""

    name, key, owner = "tokens", "pk", ""

    def rows(self) -> QuerySet[Any]:
        return AccessToken.objects.filter(order=None).select_related("grant").only(*TOKEN_COLUMNS, "grant__is_active")

    def differing(self, rows: Sequence[Any], *, at: datetime) -> list[int]:
        return [token.pk for token in _differing_tokens(rows, at=at)]

    def accesses(self, ids: Collection[int]) -> Q:
        grants = list(AccessToken.objects.filter(pk__in=ids, grant__isnull=False).values_list("grant_id", flat=True))
        return Q(token_id__in=ids) | Q(pk__in=grants)

    def lock(self, ids: Collection[int]) -> None:
        list(AccessToken.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True).values_list("pk"))

    def follow(self, ids: Collection[int], *, source: str, at: datetime) -> None:
        # What they rest on is locked by now, as one of their accesses.
        tokens = AccessToken.objects.filter(pk__in=ids).select_related("order", "grant").order_by("pk")
        follow_tokens(list(tokens), at=at)


class SubscriptionSource:
    """Subscriptions that open modules, or have opened some."""

    name, key, owner = "subscriptions", "pk", "subscription_id"

    def rows(self) -> QuerySet[Any]:
        has_some = Exists(ModuleAccess.objects.filter(subscription=OuterRef("pk")))
        rows = Subscription.objects.filter(MAY_GIVE_ACCESS | has_some).select_related("customer")
        return rows.only(*SUBSCRIPTION_COLUMNS)

    def differing(self, rows: Sequence[Any], *, at: datetime) -> list[int]:
        existing = list(_accesses(subscription__in=[row.pk for row in rows]))
        by_key = rows_by_key(existing)
        entitlements = entitlements_of_subscriptions(rows, existing)
        return sorted({each.source_id for each in entitlements if differs(each, by_key.get(each.key), at=at)})

    def accesses(self, ids: Collection[int]) -> Q:
        return Q(subscription_id__in=ids)

    def lock(self, ids: Collection[int]) -> None:
        rows = Subscription.objects.filter(pk__in=ids).order_by("pk")
        list(rows.select_for_update(no_key=True).values_list("pk"))

    def follow(self, ids: Collection[int], *, source: str, at: datetime) -> None:
        follow_subscriptions_again(ids, source=source, at=at)


ORDERS, SUBSCRIPTIONS, TOKENS = OrderSource(), SubscriptionSource(), TokenSource()
ALL_SOURCES: tuple[AccessSource, ...] = (ORDERS, OrderTokenSource(), SUBSCRIPTIONS, TOKENS)
SOURCE_BY_KEY: dict[str, AccessSource] = {"order": ORDERS, "subscription": SUBSCRIPTIONS, "token": TOKENS}


def _accesses(**which: Any) -> QuerySet[ModuleAccess]:
    return ModuleAccess.objects.filter(**which).only(*ACCESS_COLUMNS)


def _differing_tokens(tokens: Sequence[AccessToken], *, at: datetime) -> list[AccessToken]:
    existing = rows_by_key(_accesses(token__in=[token.pk for token in tokens]))
    entitlements = {token: entitlement_of_token(token) for token in tokens}
    return [token for token, each in entitlements.items() if differs(each, existing.get(each.key), at=at)]


@dataclass(frozen=True, slots=True)
class MissingAccess:
    """One access that should be there: `source` gives it since then, `price` is what was paid for it ("": nothing)."""

    source: Order | Subscription | AccessToken
    user: User
    module: Module
    since: datetime | None
    price: str

    @property
    def key(self) -> str:
        """What names the source to a repair: "order:12"."""
        return repair_key(self.source)


def repair_key(source: Order | Subscription | AccessToken) -> str:
    """The key of a source, e.g. "order:12"; a token that rests on an order follows that."""
    if isinstance(source, AccessToken):
        return f"order:{source.order_id}" if source.order_id else f"token:{source.pk}"
    return f"order:{source.pk}" if isinstance(source, Order) else f"subscription:{source.pk}"


def sources_by_key(keys: Iterable[str]) -> dict[AccessSource, list[int]]:
    """The sources that these keys name; what is no key is left out."""
    chosen: dict[AccessSource, list[int]] = {}
    for key in keys:
        kind, _colon, number = key.partition(":")
        if kind in SOURCE_BY_KEY and number.isascii() and number.isdecimal() and len(number) < len(str(2**63)):
            chosen.setdefault(SOURCE_BY_KEY[kind], []).append(int(number))
    # Always in the same order, as locks are taken.
    return {source: chosen[source] for source in SOURCE_BY_KEY.values() if source in chosen}


def find_missing(*, at: datetime, limit: int) -> list[MissingAccess]:
    """The oldest of each kind first, at most `limit` of all; eight statements, each bounded."""
    found = [*_paid_orders(limit), *_live_subscriptions(at, limit), *_good_tokens(at, limit)]
    return found[:limit]


def _has_good_access(**source: Combinable) -> Q:
    """An access of this source that is as it should be, or that staff have taken back."""
    rows = ModuleAccess.objects.filter(Q(is_active=True) | Q(revoked_at__isnull=False), **source)
    return Q(Exists(rows))


def _paid_orders(limit: int) -> Iterator[MissingAccess]:
    theirs = {"user": OuterRef("user_id"), "module": OuterRef("module_id")}
    paid = Purchase.objects.filter(
        IS_PAID, ~_has_good_access(order=OuterRef("order_id"), **theirs), order__kind=ORDER_KIND
    )
    for row in paid.select_related("order", "user", "module").order_by("order_id")[:limit]:
        price = row.order.price if row.order.amount else ""
        yield MissingAccess(row.order, row.user, row.module, row.order.paid_at, price)


def _good_tokens(at: datetime, limit: int) -> Iterator[MissingAccess]:
    theirs = {"user": OuterRef("user_id"), "module": OuterRef("module_id")}
    good = AccessToken.objects.filter(
        Q(order=None) | IS_PAID, Q(grant=None) | Q(grant__is_active=True),
        ~_has_good_access(token=OuterRef("pk"), **theirs), revoked_at=None, expires_at__gt=at,
    )  # fmt: skip
    for row in good.select_related("order", "user", "module").order_by("pk")[:limit]:
        yield MissingAccess(row, row.user, row.module, row.created_at, "")


def _live_subscriptions(at: datetime, limit: int) -> Iterator[MissingAccess]:
    """Found roughly by the database, then worked out as the accesses themselves are."""
    rows = list(_subscriptions_without_access()[:limit])
    existing = list(ModuleAccess.objects.filter(subscription__in=[row.pk for row in rows]))
    by_key, by_id = rows_by_key(existing), {row.pk: row for row in rows}
    modules = Module.objects.in_bulk() if rows else {}
    for entitlement in entitlements_of_subscriptions(rows, existing) if rows else ():
        row, source = by_key.get(entitlement.key), by_id[entitlement.source_id]
        is_fine = row is not None and (row.revoked_at or (row.is_active and row.user_id == entitlement.user_id))
        if entitlement.gives_access and entitlement.expires_at and entitlement.expires_at > at and not is_fine:
            user: Any = source.customer and source.customer.user
            yield MissingAccess(source, user, modules[entitlement.module_id], source.period_start, source.price_text)


def _subscriptions_without_access() -> QuerySet[Subscription]:
    """Subscriptions whose plan opens a module for which they have no access; with further plans they all may."""
    listing = PlanOpening.objects.filter(plan=OuterRef(OuterRef("plan_id")), is_all=False)
    has_one = _has_good_access(
        subscription=OuterRef(OuterRef("pk")), module=OuterRef("pk"), user=OuterRef(OuterRef("customer__user"))
    )
    lacks = Module.objects.filter(~Exists(listing) | Exists(listing.filter(modules=OuterRef("pk"))), ~has_one)
    live = Subscription.objects.filter(
        MAY_GIVE_ACCESS, Exists(lacks) | ~Q(further_plans=[]), period_end__isnull=False, plan__isnull=False,
        customer__user__isnull=False, money_back="",
    )  # fmt: skip
    return live.select_related("customer__user").order_by("pk")
