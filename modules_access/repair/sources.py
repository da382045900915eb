"""What accesses follow, walked by id: which of it differs from its rows, how it is locked, and how it is settled."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Protocol

from django.db.models import Exists, OuterRef, Q, QuerySet

from modules_access.models import AccessToken, ModuleAccess, Purchase
from modules_access.purchasable import KIND, follow_tokens, wanted_of_subscriptions
from modules_access.settle import SOURCES, STATE, differs, rows_by_key
from modules_access.wanted import wanted_of_purchase, wanted_of_token
from payments.apply.apply import follow_orders_again, follow_subscriptions_again
from payments.billing.models import Subscription
from payments.billing.subscribers import PAYS
from payments.orders.models import Order
from payments.statuses import SubscriptionStatus

OF_ORDER = ("order__status", "order__paid_at", "order__dispute_state")


class Source(Protocol):
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

    def settle(self, ids: Collection[int], *, source: str, at: datetime) -> None:
        """Let their accesses follow, as anything that moves them does; in the caller's transaction."""
        ...


class Orders:
    """Orders by what they bought."""

    name, key, owner = "purchases", "order_id", "order_id"

    def rows(self) -> QuerySet[Any]:
        bought = Purchase.objects.filter(order__kind=KIND).select_related("order")
        return bought.only("order_id", "user_id", "module_id", "access_days", *OF_ORDER)

    def differing(self, rows: Sequence[Any], *, at: datetime) -> list[int]:
        known = rows_by_key(_accesses(order_id__in=[row.order_id for row in rows]))
        wanted = [wanted_of_purchase(row, row.order) for row in rows]
        return [each.source_id for each in wanted if differs(each, known.get(each.key), at=at)]

    def accesses(self, ids: Collection[int]) -> Q:
        # Read first: with the ids in hand both sides of the "or" find their index.
        tokens = list(_tokens().filter(order_id__in=ids).values_list("pk", flat=True))
        return Q(order_id__in=ids) | Q(token_id__in=tokens)

    def lock(self, ids: Collection[int]) -> None:
        list(Order.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True).values_list("pk"))

    def settle(self, ids: Collection[int], *, source: str, at: datetime) -> None:
        follow_orders_again(ids, source=source, at=at)


class OrderTokens(Orders):
    """Orders by the tokens that rest on them."""

    name, key = "tokens", "pk"

    def rows(self) -> QuerySet[Any]:
        return _tokens().filter(order__kind=KIND).select_related("order").only(*OF_TOKEN, *OF_ORDER)

    def differing(self, rows: Sequence[Any], *, at: datetime) -> list[int]:
        return [token.order_id for token in _differing(rows, at=at) if token.order_id]


class Tokens:
    """Tokens by staff, or resting on what staff gave."""

    name, key, owner = "tokens", "pk", ""

    def rows(self) -> QuerySet[Any]:
        return _tokens().filter(order=None).select_related("grant").only(*OF_TOKEN, "grant__is_active")

    def differing(self, rows: Sequence[Any], *, at: datetime) -> list[int]:
        return [token.pk for token in _differing(rows, at=at)]

    def accesses(self, ids: Collection[int]) -> Q:
        grants = list(_tokens().filter(pk__in=ids, grant__isnull=False).values_list("grant_id", flat=True))
        return Q(token_id__in=ids) | Q(pk__in=grants)

    def lock(self, ids: Collection[int]) -> None:
        list(_tokens().filter(pk__in=ids).order_by("pk").select_for_update(no_key=True).values_list("pk"))

    def settle(self, ids: Collection[int], *, source: str, at: datetime) -> None:
        # What they rest on is locked by now, as one of their accesses.
        follow_tokens(list(_tokens().filter(pk__in=ids).select_related("order", "grant").order_by("pk")), at=at)


class Subscriptions:
    """Subscriptions that open modules, or have opened some."""

    name, key, owner = "subscriptions", "pk", "subscription_id"

    def rows(self) -> QuerySet[Any]:
        has_some = Exists(ModuleAccess.objects.filter(subscription=OuterRef("pk")))
        is_live = Q(status__in=[*PAYS, SubscriptionStatus.PAST_DUE])
        rows = Subscription.objects.filter(is_live | has_some).select_related("customer")
        return rows.only("plan_id", "status", "period_start", "period_end", "cancel_at", "customer__user_id")

    def differing(self, rows: Sequence[Any], *, at: datetime) -> list[int]:
        known = list(_accesses(subscription__in=[row.pk for row in rows]))
        by_key = rows_by_key(known)
        wanted = wanted_of_subscriptions(rows, known)
        return sorted({each.source_id for each in wanted if differs(each, by_key.get(each.key), at=at)})

    def accesses(self, ids: Collection[int]) -> Q:
        return Q(subscription_id__in=ids)

    def lock(self, ids: Collection[int]) -> None:
        rows = Subscription.objects.filter(pk__in=ids).order_by("pk")
        list(rows.select_for_update(no_key=True).values_list("pk"))

    def settle(self, ids: Collection[int], *, source: str, at: datetime) -> None:
        follow_subscriptions_again(ids, source=source, at=at)


BY_STAFF = ("revoked_at", "extended_until")
OF_TOKEN = ("user_id", "module_id", "expires_at", "revoked_at", "order_id", "grant_id")
ORDERS, SUBSCRIPTIONS, TOKENS = Orders(), Subscriptions(), Tokens()
ALL: tuple[Source, ...] = (ORDERS, OrderTokens(), SUBSCRIPTIONS, TOKENS)


def _accesses(**which: Any) -> QuerySet[ModuleAccess]:
    """What is compared of them: half of what it costs to walk very many is reading columns."""
    return ModuleAccess.objects.filter(**which).only(*SOURCES.values(), *STATE, "access_type", *BY_STAFF)


def _tokens() -> QuerySet[AccessToken]:
    return AccessToken.objects.all()


def _differing(tokens: Sequence[AccessToken], *, at: datetime) -> list[AccessToken]:
    known = rows_by_key(_accesses(token__in=[token.pk for token in tokens]))
    wanted = {token: wanted_of_token(token) for token in tokens}
    return [token for token, each in wanted.items() if differs(each, known.get(each.key), at=at)]
