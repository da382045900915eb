"""How accesses, tokens and keys stand, in a word with a tint; and where they lead."""

from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import pgettext

from modules_access.models import AccessToken, AccessType, ModuleAccess, ServiceKey
from payments.admin.base import link_to
from payments.admin.pills import BAD, CARE, GOOD, OFF, pill

OF_SOURCE: dict[str, str] = {AccessType.PURCHASE: GOOD, AccessType.SUBSCRIPTION: GOOD, AccessType.GRANT: CARE}


def access_state(row: ModuleAccess, *, at: datetime) -> SafeString:
    """Active, used up, expired, or ended and why. `row` brings its token."""
    if not row.is_active:
        return _with_reason(pill(pgettext("access", "ended"), BAD), row.get_ended_reason_display())
    if row.is_open(at=at):
        return pill(pgettext("access", "active"), GOOD)
    is_over = row.expires_at is not None and row.expires_at <= at
    return pill(pgettext("access", "expired") if is_over else pgettext("access", "used up"), OFF)


def token_state(row: AccessToken, *, at: datetime) -> SafeString:
    """The same for a token, which ends with what it rests on. `row` brings its access, if it has one."""
    if row.revoked_at:
        return _with_reason(pill(pgettext("token", "revoked"), BAD), row.revoked_reason)
    access: ModuleAccess | None = getattr(row, "access", None)
    if access is not None and not access.is_active:
        return _with_reason(pill(pgettext("access", "ended"), BAD), access.get_ended_reason_display())
    if row.is_usable(at=at):
        return pill(pgettext("access", "active"), GOOD)
    return pill(pgettext("access", "expired") if row.expires_at <= at else pgettext("access", "used up"), OFF)


def key_state(row: ServiceKey, *, at: datetime) -> SafeString:
    """Valid, expired or revoked."""
    if row.revoked_at:
        return _with_reason(pill(pgettext("key", "revoked"), BAD), row.revoked_reason)
    return pill(pgettext("key", "valid"), GOOD) if row.is_valid(at=at) else pill(pgettext("key", "expired"), OFF)


def source_pill(row: ModuleAccess) -> SafeString:
    """What gives the access."""
    return pill(row.get_access_type_display(), OF_SOURCE.get(row.access_type, OFF))


def source_link(row: ModuleAccess) -> str:
    """The page of what gives the access: order, subscription or token."""
    if row.order:
        return link_to(row.order, row.order.number)
    return link_to(row.subscription or row.token)


def uses_text(row: AccessToken | None) -> str:
    """ "97/100": how often it was used, of how often it may be."""
    return f"{row.used}/{row.max_usage}" if row else "–"


def doctor_address(row: ModuleAccess | AccessToken) -> str:
    """Where one asks why this person has (no) access to the module."""
    return f"{reverse('admin:modules_access_doctor')}?{urlencode({'user': row.user_id, 'module': row.module_id})}"


def list_of(model: str, **filters: object) -> str:
    """The address of a list, filtered."""
    page = reverse(f"admin:modules_access_{model}_changelist")
    return f"{page}?{urlencode(filters)}" if filters else page


def _with_reason(state: SafeString, reason: object) -> SafeString:
    return format_html("{} {}", state, reason) if reason else state
