"""What gives an access, how long, and why it gives it no more: in words for the person who has it."""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from modules_access.models import AccessEnd, AccessType, ModuleAccess
from payments.billing.subscribers import PAYS

FOREVER = datetime.max.replace(tzinfo=UTC)
ENDED: dict[str, Promise] = {
    AccessEnd.REFUNDED: gettext_lazy("Your payment was refunded."),
    AccessEnd.DISPUTE_LOST: gettext_lazy("Your bank has taken the payment back."),
    AccessEnd.NOT_PAID: gettext_lazy("It is not paid."),
    AccessEnd.SUBSCRIPTION_ENDED: gettext_lazy("Your subscription gives no access any more."),
    AccessEnd.NOT_IN_PLAN: gettext_lazy("Your plan does not open this module any more."),
    AccessEnd.TOKEN_REVOKED: gettext_lazy("The token that gave you access was revoked."),
    AccessEnd.GRANT_ENDED: gettext_lazy("What was given to you was taken back."),
    AccessEnd.REVOKED: gettext_lazy("We have taken the access back."),
}


def source_of(access: ModuleAccess) -> str:
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


def is_renewed(access: ModuleAccess) -> bool:
    """Its date is only the next one: it moves on as long as the person subscribes."""
    row = access.subscription
    return row is not None and row.status in PAYS and row.cancel_at is None


def longest(accesses: Iterable[ModuleAccess]) -> list[ModuleAccess]:
    """Those that last longest first; of two that end together the one whose uses are not counted."""
    return sorted(accesses, key=_lasts, reverse=True)


def _lasts(access: ModuleAccess) -> tuple[datetime, bool, int]:
    return access.expires_at or FOREVER, access.token is None, -access.pk


def ended_at(access: ModuleAccess, *, at: datetime) -> datetime:
    """When an access that is no longer open came to its end."""
    if access.ended_at:
        return access.ended_at
    if access.expires_at and access.expires_at <= at:
        return access.expires_at
    return access.token.last_used_at or access.updated_at if access.token else access.updated_at


def why_ended(access: ModuleAccess, *, at: datetime) -> str:
    """One sentence about an access that is no longer open."""
    if not access.is_active:
        return str(ENDED[access.ended_reason])
    if access.expires_at and access.expires_at <= at:
        return _("The time for which you had access has run out.")
    return _("You have used it as often as you could.")
