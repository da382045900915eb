"""The screen of service keys: made, rotated and revoked; a key is shown once, to who makes it."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from modules_access.admin.forms import MomentField, signed_in
from modules_access.admin.key_acts import ONCE, revoke_action, rotate_action
from modules_access.admin.shown_once import shown_once
from modules_access.admin.states import key_state
from modules_access.models import Scope, ServiceKey
from modules_access.services.keys import create_key
from payments.admin.base import ReadOnlyAdmin


class KeyForm(forms.ModelForm):
    """What the key is for, and how long."""

    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Rights"), choices=Scope.choices, widget=forms.CheckboxSelectMultiple
    )
    expires_at = MomentField(
        label=gettext_lazy("Expires"), required=False, help_text=gettext_lazy("Empty: without end.")
    )


@admin.register(ServiceKey)
class ServiceKeyAdmin(ReadOnlyAdmin):
    """Never edited. The right to add makes and rotates keys, the right to change revokes them."""

    actions = (rotate_action, revoke_action)
    change_form_template = "admin/modules_access/servicekey/change_form.html"
    form = KeyForm
    list_display = ("name", "prefix", "rights", "for_module", "state", "last_used_at", "expires_at", "created_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "module")
    list_select_related = ("module",)
    ordering = ("-id",)
    search_fields = ("name", "prefix__exact")
    fields = (
        ("name", "state"), ("prefix", "rights"), "for_module", ("created_at", "created_by"),
        ("expires_at", "last_used_at"), ("revoked_at", "revoked_reason"),
    )  # fmt: skip

    class Media:
        css = {"all": ["payments/admin.css", "modules_access/admin.css"]}

    def get_fields(self, request: HttpRequest, obj: ServiceKey | None = None) -> Any:
        return super().get_fields(request, obj) if obj else ("name", "scopes", "module", "expires_at")

    def get_readonly_fields(self, request: HttpRequest, obj: ServiceKey | None = None) -> Any:
        return ("prefix", "rights", "for_module", "state") if obj else ()

    def has_add_permission(self, request: HttpRequest, *_parent: object) -> bool:
        return request.user.has_perm("modules_access.add_servicekey")

    def has_rotate_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("modules_access.change_servicekey")

    def save_model(self, request: HttpRequest, obj: ServiceKey, form: Any, change: bool) -> None:
        key, raw = create_key(**form.cleaned_data, by=signed_in(request), at=timezone.now())
        obj.pk, obj.prefix = key.pk, key.prefix
        # To response_add, which shows it; it lives as long as this request.
        cast(Any, obj).raw = raw

    def response_add(self, request: HttpRequest, obj: ServiceKey, post_url_continue: str | None = None) -> HttpResponse:
        return shown_once(self, request, obj, cast(Any, obj).raw, title=_("The new key"), told=[str(ONCE)])

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = context.get("original")
        if row is not None:
            context["may_rotate"] = row.is_valid(at=timezone.now()) and self.has_rotate_permission(request)
            context["may_revoke"] = row.revoked_at is None and self.has_revoke_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)

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
