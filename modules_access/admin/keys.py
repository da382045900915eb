"""The screen of service keys: made, rotated and revoked with a reason; a key is shown once, to who makes it."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.menu import Job
from modules_access.admin.kit import MomentField, key_state, secret_page
from modules_access.models import Scope, ServiceKey
from modules_access.services.keys import KeyNotMade, create_key, revoke_key, rotate_key
from payments.admin.kit.actions import Confirmation, ReasonField, confirmed_action, signed_in
from payments.admin.kit.screens import ReadOnlyAdmin

SHOWN_ONCE_NOTE = gettext_lazy("It is shown only once: we keep just its hash and cannot show it again.")


class KeyForm(forms.ModelForm):
    """What the key is for, and how long."""

    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Rights"), choices=Scope.choices, widget=forms.CheckboxSelectMultiple
    )
    expires_at = MomentField(
        label=gettext_lazy("Expires"), required=False, help_text=gettext_lazy("Leave empty for no end date.")
    )
    reason = ReasonField()


@confirmed_action(
    description=gettext_lazy("Rotate…"), permission="modules_access.rotate_servicekey",
    applies_to=lambda row: row.is_valid(at=timezone.now()), only_one=gettext_lazy("Please rotate one key at a time."),
    title=gettext_lazy("Rotate this key?"), button=gettext_lazy("Rotate now"),
    consequences=(
        gettext_lazy("A new key with the same name, rights and module is made and shown once."),
        gettext_lazy("The old one goes on for 24 hours, so that the program that uses it has time to change."),
    ),
)  # fmt: skip
def rotate_action(row: ServiceKey, confirmation: Confirmation) -> HttpResponse | None:
    """Shows the key that takes the place of this one."""
    try:
        key, raw = rotate_key(key=row, by=confirmation.by, at=confirmation.at)
    except KeyNotMade as refusal:
        messages.warning(confirmation.request, str(refusal))
        return None
    confirmation.screen.log_addition(confirmation.request, key, confirmation.reason)
    notes = [_("The old one goes on for 24 hours."), str(SHOWN_ONCE_NOTE)]
    return secret_page(confirmation.screen, confirmation.request, key, raw, title=_("The new key"), notes=notes)


@confirmed_action(
    description=gettext_lazy("Revoke…"), permission="modules_access.revoke_servicekey",
    applies_to=lambda row: row.revoked_at is None, title=gettext_lazy("Revoke these keys?"),
    button=gettext_lazy("Revoke now"), done=pgettext_lazy("keys", "revoked."), limit=None,
    consequences=(
        gettext_lazy("Programs that use them are refused from this moment on, for good."),
        gettext_lazy("Tokens that were made with them stay."),
    ),
)  # fmt: skip
def revoke_action(row: ServiceKey, confirmation: Confirmation) -> None:
    """Ends the key."""
    revoke_key(key=row, reason=confirmation.reason, by=confirmation.by, at=confirmation.at)


@admin.register(ServiceKey)
class ServiceKeyAdmin(ReadOnlyAdmin):
    """Never edited. Made with a reason, rotated and revoked, each with a right of its own."""

    job, position = Job.LEARNING, 4
    actions = (rotate_action, revoke_action)
    add_permission = "modules_access.add_servicekey"
    form = KeyForm
    add_text = gettext_lazy("Create a key")
    list_display = ("name", "prefix", "rights", "for_module", "state", "last_used_at", "expires_at", "created_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "module")
    list_select_related = ("module",)
    ordering = ("-id",)
    search_fields = ("name", "prefix__exact")
    fields = (
        ("name", "state"), ("prefix", "rights"), "for_module", ("created_at", "created_by"),
        ("expires_at", "last_used_at"), ("revoked_at", "revoked_reason"),
    )  # fmt: skip

    def get_fields(self, request: HttpRequest, obj: ServiceKey | None = None) -> Any:
        return super().get_fields(request, obj) if obj else ("name", "scopes", "module", "expires_at", "reason")

    def get_readonly_fields(self, request: HttpRequest, obj: ServiceKey | None = None) -> Any:
        return ("prefix", "rights", "for_module", "state") if obj else ()

    def save_model(self, request: HttpRequest, obj: ServiceKey, form: Any, change: bool) -> None:
        given = {name: value for name, value in form.cleaned_data.items() if name != "reason"}
        key, raw = create_key(**given, by=signed_in(request), at=timezone.now())
        obj.pk, obj.prefix = key.pk, key.prefix
        # To response_add, which shows it; it lives as long as this request.
        cast(Any, obj).raw = raw

    def response_add(self, request: HttpRequest, obj: ServiceKey, post_url_continue: str | None = None) -> HttpResponse:
        raw, notes = cast(Any, obj).raw, [str(SHOWN_ONCE_NOTE)]
        return secret_page(self, request, obj, raw, title=_("The new key"), notes=notes)

    @admin.display(description=gettext_lazy("rights"))
    def rights(self, row: ServiceKey) -> str:
        words = dict(Scope.choices)
        return ", ".join(str(words.get(scope, scope)) for scope in row.scopes)

    @admin.display(description=gettext_lazy("only for the module"), ordering="module")
    def for_module(self, row: ServiceKey) -> str:
        return str(row.module) if row.module else _("all modules")

    @admin.display(description=gettext_lazy("state"), ordering="revoked_at")
    def state(self, row: ServiceKey) -> str:
        return key_state(row, at=timezone.now())
