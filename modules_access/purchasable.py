"""A module is something that orders sell, and that subscriptions open: accesses follow both here."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from modules_access.entitlements import (
    Change,
    Entitlement,
    Openings,
    entitlement_of_purchase,
    entitlement_of_token,
    entitlements_of_subscription,
    rows_by_key,
    sync_accesses,
)
from modules_access.messages import message_for
from modules_access.models import AccessEnd, AccessToken, AccessType, ModuleAccess, Purchase
from payments.billing.models import Subscription
from payments.orders.models import Order
from payments.products import FollowResult, Label, Product, ProductChange, register

KIND = "module"
# What the history of an order and of a subscription call it.
HISTORY, OPENED = "access", "modules"
ACTIVE = "active"


STATES: dict[str, Label] = {
    ACTIVE: pgettext_lazy("access", "active"),
    **{str(end): label for end, label in AccessEnd.choices if end},
}


def history_value(kind: str, state: str) -> str:
    """What the history keeps: "purchase: active", "token: refunded"."""
    return f"{kind}: {state}"


class ModuleProduct(Product):
    """Follows many orders at once: what they bought, and the tokens that rest on them."""

    kind = KIND
    field_labels: ClassVar[dict[str, Label]] = {HISTORY: _("access"), OPENED: _("modules open")}
    value_labels: ClassVar[dict[str, tuple[Label, ...]]] = {
        history_value(kind, state): (label, word)
        for kind, label in AccessType.choices
        for state, word in STATES.items()
    }

    def follow_orders(self, orders: Sequence[Order], *, at: datetime) -> FollowResult:
        by_id = {order.pk: order for order in orders}
        purchases = list(Purchase.objects.filter(order_id__in=by_id).order_by("order_id"))
        tokens = _with_orders(AccessToken.objects.filter(order_id__in=by_id).order_by("pk"), by_id)
        entitlements = [
            *(entitlement_of_purchase(purchase, by_id[purchase.order_id]) for purchase in purchases),
            *(entitlement_of_token(token) for token in tokens),
        ]
        rows = lock_accesses(Q(order_id__in=by_id) | Q(token__in=[token.pk for token in tokens]))
        changes = sync_accesses(entitlements, rows_by_key(rows), at=at)
        owners = {token.pk: token.order_id for token in tokens}
        outcome = FollowResult(changes=[_told(change, order_id=_order_of(change, owners)) for change in changes])
        outcome.effects += [note for each in purchases if (note := message_for(each, by_id[each.order_id]))]
        return outcome

    def follow_subscriptions(self, subscriptions: Sequence[Subscription], *, at: datetime) -> FollowResult:
        return follow_subscriptions(subscriptions, at=at)

    def page_of(self, order: Order) -> str:
        return reverse("encours")


def follow_subscriptions(subscriptions: Sequence[Subscription], *, at: datetime) -> FollowResult:
    """Open what the plan opens as long as the subscription gives access; close only what it had opened."""
    ids = [row.pk for row in subscriptions]
    fresh = Subscription.objects.filter(pk__in=ids).select_related("customer", "plan").order_by("pk")
    rows = lock_accesses(Q(subscription_id__in=ids))
    entitlements = entitlements_of_subscriptions(fresh, rows)
    before = Counter(row.subscription_id for row in rows if row.is_active)
    changes = sync_accesses(entitlements, rows_by_key(rows), at=at)
    after = before.copy()
    for change in changes:
        after[change.access.subscription_id] += change.after["is_active"] - change.before.get("is_active", False)
    return FollowResult(
        changes=[
            ProductChange(None, OPENED, str(before[key]), str(after[key]), subscription_id=key)
            for key in ids
            if before[key] != after[key]
        ]
    )


def follow_tokens(tokens: Sequence[AccessToken], *, at: datetime) -> list[Change]:
    """Bring the accesses of these tokens in line; in the caller's transaction, which has locked what they rest on."""
    rows = lock_accesses(Q(token__in=[token.pk for token in tokens]))
    return sync_accesses([entitlement_of_token(token) for token in tokens], rows_by_key(rows), at=at)


def lock_accesses(which: Q) -> list[ModuleAccess]:
    """Lock the rows, sorted by id, as everybody does."""
    return list(ModuleAccess.objects.filter(which).order_by("pk").select_for_update(no_key=True))


def entitlements_of_subscriptions(
    subscriptions: Iterable[Subscription], rows: Iterable[ModuleAccess]
) -> list[Entitlement]:
    """What these subscriptions open; each brings its customer. `rows`: their accesses."""
    openings = Openings.read()
    existing: dict[int | None, list[ModuleAccess]] = {}
    for access in rows:
        existing.setdefault(access.subscription_id, []).append(access)
    return [
        each
        for row in subscriptions
        for each in entitlements_of_subscription(row, openings, existing=existing.get(row.pk, ()))
    ]


def _with_orders(tokens: Iterable[AccessToken], orders: Mapping[int, Order]) -> list[AccessToken]:
    found = list(tokens)
    for token in found:
        token.order = orders[token.order_id or 0]
    return found


def _order_of(change: Change, owners: Mapping[int, int | None]) -> int | None:
    access = change.access
    return access.order_id or (owners.get(access.token_id) if access.token_id else None)


def _told(change: Change, *, order_id: int | None) -> ProductChange:
    kind, was, is_now = change.access.access_type, change.before, change.after
    before = history_value(kind, was["ended_reason"] or ACTIVE) if was else ""
    return ProductChange(order_id, HISTORY, before, history_value(kind, is_now["ended_reason"] or ACTIVE))


register(ModuleProduct())
