"""What the screens of modules share: fields, states, links, and the one page on which a token or a key can be read."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from accounts.fields import AddressField
from accounts.models import User
from modules_access.models import AccessToken, AccessType, ModuleAccess, ServiceKey
from payments.admin.kit.display import BAD, CARE, GOOD, NONE, OFF, link_to, link_to_order, pill

SOURCE_TINTS: dict[str, str] = {AccessType.PURCHASE: GOOD, AccessType.SUBSCRIPTION: GOOD, AccessType.GRANT: CARE}


class PersonField(AddressField):
    """Somebody who has an account, by the whole e-mail address; cleaned, it is the user."""

    def __init__(self, **options: Any) -> None:
        usual = {
            "label": gettext_lazy("Person"),
            "help_text": gettext_lazy("The whole e-mail address of the account."),
            "widget": forms.EmailInput(attrs={"class": "vTextField", "autocomplete": "off"}),
        }
        super().__init__(**{**usual, **options})

    def clean(self, value: Any) -> Any:
        address = super().clean(value)
        person = User.objects.filter(email=address).first() if address else None
        if address and person is None:
            raise ValidationError(_("Nobody has an account with this address."))
        return person


class MomentField(forms.DateTimeField):
    """A moment that is still to come, in the site's time zone; picked with what the browser has for it."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(**{"widget": widget, **options})

    def clean(self, value: Any) -> Any:
        moment = super().clean(value)
        if moment and moment <= timezone.now() + timedelta(seconds=1):
            raise ValidationError(_("This date is in the past."))
        return moment


def access_state(row: ModuleAccess, *, at: datetime) -> SafeString:
    """Active, used up, expired, or ended and why. `row` brings its token."""
    if not row.is_active:
        return _with_reason(pill(pgettext("access", "ended"), BAD), row.get_ended_reason_display())
    if row.is_open(at=at):
        return pill(pgettext("access", "active"), GOOD)
    is_over = row.expires_at is not None and row.expires_at <= at
    return pill(pgettext("access", "expired") if is_over else pgettext("access", "used up"), OFF)


def token_state(row: AccessToken, *, at: datetime) -> SafeString:
    """Active, used up, expired, or ended with what it rests on. `row` brings its access, if it has one."""
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
    return pill(row.get_access_type_display(), SOURCE_TINTS.get(row.access_type, OFF))


def source_link(row: ModuleAccess) -> str:
    """The page of what gives the access: order, subscription or token."""
    if row.order:
        return link_to_order(row.order)
    return link_to(row.subscription or row.token)


def uses_text(row: AccessToken | None) -> str:
    """ "97/100": how often it was used, of how often it may be."""
    return f"{row.used}/{row.max_usage}" if row else NONE


def doctor_address(row: ModuleAccess | AccessToken) -> str:
    """Where one asks why this person has (no) access to the module."""
    return f"{reverse('admin:modules_access_doctor')}?{urlencode({'user': row.user_id, 'module': row.module_id})}"


def list_of(model: str, **filters: object) -> str:
    """The address of a list, filtered."""
    page = reverse(f"admin:modules_access_{model}_changelist")
    return f"{page}?{urlencode(filters)}" if filters else page


def _with_reason(state: SafeString, reason: object) -> SafeString:
    return format_html("{} {}", state, reason) if reason else state


def doctor_link(request: HttpRequest, row: ModuleAccess | AccessToken) -> list[tuple[str, str]]:
    """For the page of the row: its address and words, for those who may ask there."""
    is_allowed = request.user.has_perm("modules_access.diagnose_access")
    return [(doctor_address(row), _("Why (no) access?"))] if is_allowed else []


class Secret(str):
    """Said where it is written out, and not where somebody prints what holds it (logs, tracebacks)."""

    def __repr__(self) -> str:
        return "***"


def secret_page(
    screen: admin.ModelAdmin, request: HttpRequest, row: models.Model, secret: str, *, title: str, notes: list[str]
) -> TemplateResponse:
    """Show the secret in the answer to the POST that has made it, and nowhere else; `notes`: sentences about it."""
    context: dict[str, Any] = {
        **screen.admin_site.each_context(request),
        "title": title,
        "opts": screen.opts,
        "row": row,
        "secret": Secret(secret),
        "notes": notes,
    }
    response = TemplateResponse(request, "admin/modules_access/secret.html", context)
    add_never_cache_headers(response)
    return response
