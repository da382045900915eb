"""A module as something that is sold, and that subscriptions open: accesses follow both; the rest sees it here."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from django.db.models import Count, Model, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from accounts.hooks import Section
from accounts.models import User
from modules_access.doctor.findings import findings_about, leads_to
from modules_access.entitlements import (
    Change,
    entitlement_of_purchase,
    entitlement_of_token,
    entitlements_of_subscriptions,
    lock_accesses,
    rows_by_key,
    sync_accesses,
)
from modules_access.links import receipt_path
from modules_access.mails import message_for
from modules_access.models import (
    ORDER_KIND,
    AccessEnd,
    AccessToken,
    AccessType,
    ModuleAccess,
    PlanOpening,
    Purchase,
)
from modules_access.services.my_modules import my_modules_of
from modules_access.story import accesses_of, told_by_access
from payments.apply.apply import follow_subscriptions_again
from payments.billing.models import Plan, Subscription
from payments.diagnosis import Finding
from payments.diagnosis import Records as DiagnosisRecords
from payments.figures.days import day_in_sql
from payments.orders.models import Order
from payments.products import DayCount, FollowResult, Label, Lead, Product, ProductChange, ProductFigure, register
from payments.timeline import Holding, Moment, Subject

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
    label = gettext_lazy("Modules")
    price_screen = "modules_access.module"
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

    def receipts_of(self, orders: Sequence[Order]) -> Mapping[int, str]:
        return {order.pk: path for order in orders if (path := receipt_path(order))}

    def opened_by(self, plan: Plan) -> Iterator[Label]:
        """The titles of the modules; in a word where it is all of them."""
        opening = PlanOpening.objects.filter(plan=plan, is_all=False).first()
        if opening is None:
            yield gettext_lazy("All modules, those to come as well")
            return
        titles = list(opening.modules.order_by("title").values_list("title", flat=True))
        yield from titles[:MAX_LINES]
        if (more := len(titles) - MAX_LINES) > 0:
            yield ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more}

    def purchased_rows(self, subject: Subject) -> Iterator[tuple[Model, str]]:
        """The module that an order buys by its title, the access that it gives by its number."""
        ids = [order.pk for order in subject.orders if order.kind == ORDER_KIND]
        for purchase in Purchase.objects.filter(order__in=ids).select_related("module") if ids else ():
            yield purchase.module, purchase.module.title
        for access in accesses_of(subject):
            yield access, access.number

    def join_account(self, user: User, *, at: datetime) -> None:
        """After the customers have joined: payments stands before this app in INSTALLED_APPS."""
        ids = list(Subscription.objects.filter(customer__user=user).values_list("pk", flat=True))
        if ids:
            follow_subscriptions_again(ids, source="account joined", at=at)

    figures = (
        ProductFigure(
            "accesses", gettext_lazy("Accesses created"), dict(AccessType.choices), rows="modules_access.moduleaccess",
            moment="created_at", part="access_type",
        ),
    )  # fmt: skip

    def count_days(self, *, since: datetime, until: datetime) -> Iterator[DayCount]:
        rows = ModuleAccess.objects.filter(created_at__gte=since, created_at__lt=until).order_by()
        grouped = rows.values_list(day_in_sql("created_at"), "access_type").annotate(count=Count("pk"))
        for day, source, count in grouped:
            yield day, "accesses", source, count

    def count_now(self, *, at: datetime) -> Iterator[tuple[Label, int]]:
        yield gettext_lazy("Accesses open"), ModuleAccess.objects.open(at).count()

    def account_section(self, user: User, *, at: datetime) -> Section:
        """The few that are open, and the way to all; one query."""
        active = my_modules_of(user, at=at).active
        context = {"lines": active[:MAX_LINES], "more": max(0, len(active) - MAX_LINES)}
        return Section(_("Your modules"), "modules_access/section.html", context)

    def story(self, subject: Subject, *, at: datetime) -> Iterator[Moment]:
        """What was opened by the orders, by tokens that rest on them, by the subscriptions; what a person was given."""
        for access in accesses_of(subject):
            yield from told_by_access(access)

    def holdings(self, subject: Subject, *, at: datetime) -> Iterator[Holding]:
        """Every access, open or not."""
        for access in accesses_of(subject):
            is_open = access.is_open(at=at)
            word = _("open") if is_open else access.get_ended_reason_display() if access.ended_at else _("expired")
            source = access.get_access_type_display()
            yield Holding(access, access.module.title, str(word), is_open, source, access.expires_at)

    def told_change(self, field: str, before: str, after: str) -> str:
        if field == OPENED and after.isdecimal():
            words = ngettext("%(count)d module is open.", "%(count)d modules are open.", int(after))
            return words % {"count": int(after)}
        state = after.partition(": ")[2]
        if field != HISTORY or state not in STATES:
            return ""
        return _("The module is open.") if state == ACTIVE else _("The module is closed: %s") % STATES[state]

    def find(self, text: str) -> Iterator[Lead]:
        """An access by its number (A-000012), a token by its beginning or whole."""
        return leads_to(text)

    def diagnose(self, records: DiagnosisRecords) -> Iterator[Finding]:
        """What the doctor says of these orders, subscriptions, people, accesses and tokens."""
        return findings_about(records)


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


register(ModuleProduct())
