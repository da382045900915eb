"""What staff can do with service keys: rotate and revoke them, with a reason that is kept in the admin's history."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from modules_access.admin.forms import signed_in
from modules_access.admin.shown_once import shown_once
from modules_access.models import ServiceKey
from modules_access.services.keys import KeyNotMade, revoke_key, rotate_key
from payments.admin.actions import apply_to_each
from payments.admin.confirm import confirmation_page, reason_form

ONCE = gettext_lazy("It is shown this once: only its hash is kept, and nobody can show it again.")


@admin.action(description=gettext_lazy("Rotate…"), permissions=["rotate"])
def rotate_action(screen: admin.ModelAdmin, request: HttpRequest, rows: QuerySet) -> TemplateResponse | None:
    """Asks why first, then shows the key that takes the place of the chosen one."""
    chosen = list(rows[:2])
    if len(chosen) != 1:
        messages.warning(request, _("Please rotate one key at a time."))
        return None
    form = reason_form(request)
    if not form.is_valid():
        consequences = [
            _("A new key with the same name, rights and module is made and shown once."),
            _("The old one goes on for 24 hours, so that the program that uses it has time to change."),
        ]
        return confirmation_page(
            screen, request, rows, form=form, title=_("Rotate this key?"), consequences=consequences,
            button=_("Rotate now"),
        )  # fmt: skip
    try:
        key, raw = rotate_key(key=chosen[0], by=signed_in(request), at=timezone.now())
    except KeyNotMade as refusal:
        messages.warning(request, str(refusal))
        return None
    for row in (chosen[0], key):
        screen.log_change(request, row, form.cleaned_data["reason"])
    told = [_("The old one goes on for 24 hours."), str(ONCE)]
    return shown_once(screen, request, key, raw, title=_("The new key"), told=told)


@admin.action(description=gettext_lazy("Revoke…"), permissions=["revoke"])
def revoke_action(screen: admin.ModelAdmin, request: HttpRequest, rows: QuerySet) -> TemplateResponse | None:
    """Asks why first, then ends the chosen keys."""
    form = reason_form(request)
    if not form.is_valid():
        consequences = [
            _("Programs that use them are refused from this moment on, for good."),
            _("Tokens that were made with them stay."),
        ]
        return confirmation_page(
            screen, request, rows, form=form, title=_("Revoke these keys?"), consequences=consequences,
            button=_("Revoke now"),
        )  # fmt: skip
    at, by, reason = timezone.now(), signed_in(request), form.cleaned_data["reason"]

    def revoke(row: ServiceKey) -> None:
        revoke_key(key=row, reason=reason, by=by, at=at)
        screen.log_change(request, row, reason)

    apply_to_each(request, rows, revoke, done=pgettext("keys", "revoked."))
    return None
