"""A module as something that is sold, and that subscriptions open: accesses follow both; the rest sees it here."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from django.db.models import Model, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from accounts.hooks import Section
from accounts.models import User
from modules_access.entitlements import (
    Change,
    entitlement_of_purchase,
    entitlement_of_token,
    entitlements_of_subscriptions,
    lock_accesses,
    rows_by_key,
    sync_accesses,
)
from modules_access.mails import message_for
from modules_access.models import ORDER_KIND, AccessEnd, AccessToken, AccessType, ModuleAccess, Purchase
from modules_access.services.my_modules import my_modules_of
from payments.apply.apply import follow_subscriptions_again
from payments.billing.models import Subscription
from payments.evidence import Case, Entry
from payments.orders.models import Order
from payments.products import FollowResult, Label, Product, ProductChange, register

# In an account; all of them are one click away.
MAX_LINES = 5
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

    kind = ORDER_KIND
    field_labels: ClassVar[dict[str, Label]] = {HISTORY: gettext_lazy("access"), OPENED: gettext_lazy("modules open")}
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
        outcome = FollowResult(
            changes=[_product_change(change, order_id=_order_of(change, owners)) for change in changes]
        )
        outcome.effects += [note for each in purchases if (note := message_for(each, by_id[each.order_id]))]
        return outcome

    def follow_subscriptions(self, subscriptions: Sequence[Subscription], *, at: datetime) -> FollowResult:
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

    def page_of(self, order: Order) -> str:
        return reverse("encours")

    def purchased_rows(self, order: Order) -> Iterator[tuple[Model, str]]:
        """The module that the order buys by its title, the access that it gives by its number."""
        for purchase in Purchase.objects.filter(order=order).select_related("module"):
            yield purchase.module, purchase.module.title
        for access in ModuleAccess.objects.filter(order=order):
            yield access, access.number

    def join_account(self, user: User, *, at: datetime) -> None:
        """After the customers have joined: payments stands before this app in INSTALLED_APPS."""
        ids = list(Subscription.objects.filter(customer__user=user).values_list("pk", flat=True))
        if ids:
            follow_subscriptions_again(ids, source="account joined", at=at)

    def account_section(self, user: User, *, at: datetime) -> Section:
        """The few that are open, and the way to all; one query."""
        active = my_modules_of(user, at=at).active
        context = {"lines": active[:MAX_LINES], "more": max(0, len(active) - MAX_LINES)}
        return Section(_("Your modules"), "modules_access/section.html", context)

    def evidence(self, case: Case, *, at: datetime) -> Iterator[Entry]:
        """What the disputed money opened: by the order, by a token that rests on it, or by the subscription."""
        which = Q()
        if case.order:
            which |= Q(order=case.order) | Q(token__order=case.order)
        if case.subscription:
            which |= Q(subscription=case.subscription)
        if not which:
            return
        for access in ModuleAccess.objects.filter(which).select_related("module", "token", "user").order_by("pk"):
            yield from _entries(access)


def _with_orders(tokens: Iterable[AccessToken], orders: Mapping[int, Order]) -> list[AccessToken]:
    found = list(tokens)
    for token in found:
        token.order = orders[token.order_id or 0]
    return found


def _order_of(change: Change, owners: Mapping[int, int | None]) -> int | None:
    access = change.access
    return access.order_id or (owners.get(access.token_id) if access.token_id else None)


def _product_change(change: Change, *, order_id: int | None) -> ProductChange:
    kind, was, is_now = change.access.access_type, change.before, change.after
    before = history_value(kind, was["ended_reason"] or ACTIVE) if was else ""
    return ProductChange(order_id, HISTORY, before, history_value(kind, is_now["ended_reason"] or ACTIVE))


def _entries(access: ModuleAccess) -> Iterator[Entry]:
    given = {"module": access.module.title, "source": access.get_access_type_display(), "person": access.user.email}
    yield Entry(access.created_at, _("Access to a module given"), _("%(module)s (%(source)s), for %(person)s") % given)
    # Uses of an access by token are counted on the token.
    counted = access.token or access
    if counted.last_used_at:
        words = ngettext(
            "%(module)s: used %(count)d time; this was the last time, earlier ones are not kept.",
            "%(module)s: used %(count)d times; this was the last time, earlier ones are not kept.",
            counted.used,
        )
        told = {"module": access.module.title, "count": counted.used}
        yield Entry(counted.last_used_at, _("Module used"), words % told)
    if access.ended_at:
        why = f"{access.module.title}: {access.get_ended_reason_display()}"
        yield Entry(access.ended_at, _("Access to a module ended"), why)


register(ModuleProduct())
