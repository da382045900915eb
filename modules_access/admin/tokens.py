"""The tokens' screen: who holds one for what, how often it was used, and what it rests on."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from modules_access.admin.forms import BecauseField, PersonField, signed_in
from modules_access.admin.search import token_named
from modules_access.admin.shown_once import shown_once
from modules_access.admin.states import doctor_address, token_state, uses_text
from modules_access.admin.token_acts import revoke_action
from modules_access.jwt import STANDARD_LEVEL, mint_token
from modules_access.models import AccessToken
from modules_access.services.tokens import create_token
from payments.admin.base import ReadOnlyAdmin, link_to
from payments.admin.search import order_named, public_id

LONGEST_HOURS = 366 * 24
MOST_USES = 1_000_000


class TokenForm(forms.ModelForm):
    """A token that rests on no payment."""

    email = PersonField()
    hours = forms.IntegerField(
        label=gettext_lazy("Hours"), min_value=1, max_value=LONGEST_HOURS,
        initial=lambda: settings.MODULES.token_hours, help_text=gettext_lazy("So long it can be used."),
    )  # fmt: skip
    uses = forms.IntegerField(
        label=gettext_lazy("Uses"), min_value=1, max_value=MOST_USES, initial=lambda: settings.MODULES.token_uses,
        help_text=gettext_lazy("So often it can be used."),
    )  # fmt: skip
    reason = BecauseField()


@admin.register(AccessToken)
class AccessTokenAdmin(ReadOnlyAdmin):
    """Made here or over the API, and never edited. The token itself is shown once, to who makes it."""

    actions = (revoke_action,)
    change_form_template = "admin/modules_access/accesstoken/change_form.html"
    form = TokenForm
    list_display = ("prefix", "person", "module", "uses", "state", "expires_at", "rests_on", "last_used_at")
    list_filter = (
        "module", ("revoked_at", admin.EmptyFieldListFilter), ("expires_at", admin.DateFieldListFilter),
        ("order", admin.EmptyFieldListFilter),
    )  # fmt: skip
    list_select_related = ("user", "module", "order", "grant", "access")
    ordering = ("-id",)
    search_fields = ("user__email__exact",)
    search_help_text = gettext_lazy("Whole e-mail address, beginning of the token as it is shown, order number.")
    fields = (
        ("prefix", "state"), ("person", "module"), ("access_level", "rests_on"), ("expires_at", "uses", "last_used_at"),
        ("access_link", "service_key"), ("created_at", "created_by"), "reason",
        ("revoked_at", "revoked_by"), "revoked_reason",
    )  # fmt: skip

    class Media:
        css = {"all": ["payments/admin.css", "modules_access/admin.css"]}

    def get_fields(self, request: HttpRequest, obj: AccessToken | None = None) -> Any:
        return (
            super().get_fields(request, obj) if obj else ("email", "module", "access_level", "hours", "uses", "reason")
        )

    def get_readonly_fields(self, request: HttpRequest, obj: AccessToken | None = None) -> Any:
        return ("prefix", "state", "person", "rests_on", "uses", "access_link") if obj else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"access_level": STANDARD_LEVEL, **super().get_changeform_initial_data(request)}

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip()
        if order := order_named(term, prefix="order__"):
            own = public_id(term)
            return (queryset.filter(jti=own) | queryset.filter(order) if own else queryset.filter(order)), False
        if begins := token_named(term):
            return queryset.filter(begins), False
        return super().get_search_results(request, queryset, term.lower())

    def has_add_permission(self, request: HttpRequest, *_parent: object) -> bool:
        return request.user.has_perm("modules_access.add_accesstoken")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("modules_access.revoke_token")

    def save_model(self, request: HttpRequest, obj: AccessToken, form: Any, change: bool) -> None:
        given, at = form.cleaned_data, timezone.now()
        made = create_token(
            user=given["email"], module=given["module"], access_level=given["access_level"],
            expires_at=at + timedelta(hours=given["hours"]), max_usage=given["uses"], reason=given["reason"],
            by=signed_in(request), at=at,
        )  # fmt: skip
        obj.pk = made.pk

    def response_add(
        self, request: HttpRequest, obj: AccessToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        token = AccessToken.objects.select_related("user", "module").get(pk=obj.pk)
        told = [
            _("It lets %(person)s into “%(module)s”, %(uses)d times.")
            % {"person": token.user, "module": token.module, "uses": token.max_usage},
            _("It is shown this once: it is kept nowhere, and nobody can show it again."),
        ]
        jwt = mint_token(token, at=timezone.now())
        return shown_once(self, request, token, jwt, title=_("The new token"), told=told)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = context.get("original")
        if row is not None:
            context["may_revoke"] = row.revoked_at is None and self.has_revoke_permission(request)
            context["doctor"] = doctor_address(row)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("begins with"), ordering="jti")
    def prefix(self, row: AccessToken) -> str:
        return row.prefix

    @admin.display(description=gettext_lazy("person"), ordering="user__email")
    def person(self, row: AccessToken) -> str:
        return link_to(row.user)

    @admin.display(description=gettext_lazy("state"), ordering="revoked_at")
    def state(self, row: AccessToken) -> str:
        return token_state(row, at=timezone.now())

    @admin.display(description=gettext_lazy("uses"), ordering="used")
    def uses(self, row: AccessToken) -> str:
        return uses_text(row)

    @admin.display(description=gettext_lazy("rests on"))
    def rests_on(self, row: AccessToken) -> str:
        if row.order:
            return link_to(row.order, row.order.number)
        return link_to(row.grant) if row.grant else _("staff")

    @admin.display(description=gettext_lazy("gives the access"))
    def access_link(self, row: AccessToken) -> str:
        return link_to(getattr(row, "access", None))
