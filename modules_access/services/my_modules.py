"""What a person has, had and can still pay for: each module once, in words for that person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from accounts.models import User
from modules_access.links import receipt_path
from modules_access.models import AccessEnd, AccessType, Module, ModuleAccess, Purchase
from payments.billing.subscribers import is_renewed
from payments.orders.models import Order
from payments.statuses import OPEN_STATUSES

# Nobody has so many; the page must not grow without limit all the same. What is active comes first.
MAX_ROWS = 1000
FOREVER = datetime.max.replace(tzinfo=UTC)
END_SENTENCES: dict[str, Promise] = {
    AccessEnd.REFUNDED: gettext_lazy("Your payment was refunded."),
    AccessEnd.DISPUTE_LOST: gettext_lazy("Your bank has taken the payment back."),
    AccessEnd.NOT_PAID: gettext_lazy("It is not paid."),
    AccessEnd.SUBSCRIPTION_ENDED: gettext_lazy("Your subscription gives no access any more."),
    AccessEnd.NOT_IN_PLAN: gettext_lazy("Your plan does not open this module any more."),
    AccessEnd.TOKEN_REVOKED: gettext_lazy("The token that gave you access was revoked."),
    AccessEnd.GRANT_ENDED: gettext_lazy("What was given to you was taken back."),
    AccessEnd.REVOKED: gettext_lazy("We have taken the access back."),
}


@dataclass(frozen=True, slots=True)
class BoughtOrder:
    """One order, and the address of its receipt, "" where nothing was paid."""

    order: Order
    receipt: str


@dataclass(frozen=True, slots=True)
class ModuleLine:
    """One module. `access`: the best that there is, or what ended last; `others`: what else gives it, in words.

    `ended_at` and `reason` only where nothing gives access any more.
    """

    module: Module
    access: ModuleAccess
    source: str
    renews_at: datetime | None
    others: Sequence[str]
    bought: Sequence[BoughtOrder]
    ended_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MyModules:
    """`active` as in the catalogue, `ended` the latest first."""

    active: Sequence[ModuleLine]
    ended: Sequence[ModuleLine]

    def find_active(self, slug: str) -> ModuleLine | None:
        """The module that is called so, if it is open."""
        return next((line for line in self.active if line.module.slug == slug), None)

    def find_paid(self, order: Order) -> ModuleLine | None:
        """What the order has bought, if its money is here and the module open."""
        return next((line for line in self.active if any(_is_paid(each, order) for each in line.bought)), None)

    def find(self, slug: str) -> ModuleLine | None:
        """The module that is called so, be it open or not."""
        return next((line for line in (*self.active, *self.ended) if line.module.slug == slug), None)


def my_modules_of(user: User, *, at: datetime) -> MyModules:
    """All that the person has and had; one query however much that is."""
    rows: dict[int, list[ModuleAccess]] = {}
    for access in ModuleAccess.objects.of(user).order_by("-is_active", "-pk")[:MAX_ROWS]:
        rows.setdefault(access.module_id, []).append(access)
    lines = [_line(each, at=at) for each in rows.values()]
    return MyModules(
        active=sorted((line for line in lines if line.ended_at is None), key=_catalogue_order),
        ended=sorted((line for line in lines if line.ended_at), key=_end_of_line, reverse=True),
    )


def _is_paid(bought: BoughtOrder, order: Order) -> bool:
    return bought.order.pk == order.pk and bought.order.has_money


def _line(rows: Sequence[ModuleAccess], *, at: datetime) -> ModuleLine:
    bought = _bought(rows)
    open_rows = longest_first(row for row in rows if row.is_open(at=at))
    if not open_rows:
        last = max(rows, key=lambda row: end_of(row, at=at))
        return ModuleLine(
            last.module, last, source_text(last), None, (), bought, end_of(last, at=at), end_sentence(last, at=at)
        )  # fmt: skip
    best, *others = open_rows
    source = source_text(best)
    also = dict.fromkeys(each for row in others if (each := source_text(row)) != source)
    return ModuleLine(best.module, best, source, renews_at(best), tuple(also), bought)


def _bought(rows: Iterable[ModuleAccess]) -> Sequence[BoughtOrder]:
    """The newest first."""
    orders = [row.order for row in rows if row.order and row.access_type == AccessType.PURCHASE]
    newest_first = sorted(orders, key=lambda order: order.pk, reverse=True)
    return [BoughtOrder(order, receipt_path(order)) for order in newest_first]


def _catalogue_order(line: ModuleLine) -> tuple[int, str]:
    return line.module.position, line.module.slug


def _end_of_line(line: ModuleLine) -> datetime:
    return line.ended_at or line.access.updated_at


class AccessState(StrEnum):
    """What an access is to its person."""

    ACTIVE = "active"
    EXPIRED = "expired"
    ENDED = "ended"
    USED_UP = "used_up"


@dataclass(frozen=True, slots=True)
class OwnAccesses:
    """The newest first. `waiting`: begun, and not paid yet."""

    accesses: list[ModuleAccess]
    waiting: list[Purchase]


def own_accesses(user: User) -> OwnAccesses:
    """Everything of the person; two queries."""
    waiting = Purchase.objects.filter(user=user, order__status__in=OPEN_STATUSES)
    return OwnAccesses(
        accesses=list(ModuleAccess.objects.of(user).order_by("-created_at", "-pk")),
        waiting=list(waiting.select_related("order", "module").order_by("-created_at", "-pk")),
    )


def access_state(access: ModuleAccess, *, at: datetime) -> AccessState:
    """Whether it lets its person in at this moment, and if not, why. Reads its token."""
    if not access.is_active:
        return AccessState.ENDED
    if access.expires_at and access.expires_at <= at:
        return AccessState.EXPIRED
    return AccessState.ACTIVE if access.is_open(at=at) else AccessState.USED_UP


def source_text(access: ModuleAccess) -> str:
    """What gives it: "bought", "in your subscription “Premium”". Reads its order, plan and token."""
    match access.access_type:
        case AccessType.PURCHASE:
            is_free = access.order is not None and not access.order.amount
            return pgettext("source of access", "free of charge") if is_free else pgettext("source of access", "bought")
        case AccessType.SUBSCRIPTION:
            plan = access.subscription.plan if access.subscription else None
            if plan is None:
                return pgettext("source of access", "in your subscription")
            return pgettext("source of access", "in your subscription “%(plan)s”") % {"plan": plan.name}
        case AccessType.TOKEN:
            return pgettext("source of access", "by a token")
    return pgettext("source of access", "given to you")


def renews_at(access: ModuleAccess) -> datetime | None:
    """When its subscription is renewed; None: it ends on its date. Our days of grace for late news are no promise."""
    row = access.subscription
    return row.period_end if row and is_renewed(row) else None


def told_end(access: ModuleAccess) -> datetime | None:
    """When it ends as its person is told: with the period, if it is renewed then."""
    renewal = renews_at(access)
    if renewal is None:
        return access.expires_at
    return max(renewal, access.extended_until) if access.extended_until else renewal


def longest_first(accesses: Iterable[ModuleAccess]) -> list[ModuleAccess]:
    """Those that last longest first; of two that end together the one whose uses are not counted."""
    return sorted(accesses, key=_lasts, reverse=True)


def _lasts(access: ModuleAccess) -> tuple[datetime, bool, int]:
    return access.expires_at or FOREVER, access.token is None, -access.pk


def end_of(access: ModuleAccess, *, at: datetime) -> datetime:
    """When an access that is no longer open came to its end."""
    if access.ended_at:
        return access.ended_at
    if access.expires_at and access.expires_at <= at:
        return access.expires_at
    return access.token.last_used_at or access.updated_at if access.token else access.updated_at


def end_sentence(access: ModuleAccess, *, at: datetime) -> str:
    """One sentence about an access that is no longer open."""
    if not access.is_active:
        return str(END_SENTENCES[access.ended_reason])
    if access.expires_at and access.expires_at <= at:
        return _("The time for which you had access has run out.")
    return _("You have used it as often as you could.")
