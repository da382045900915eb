"""The accesses' screen: who may enter what, why, how long, and what staff did about it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from modules_access.admin.access_acts import extend_action, revoke_action
from modules_access.admin.filters import SourceFilter, StateFilter
from modules_access.admin.forms import BecauseField, MomentField, PersonField
from modules_access.admin.history import acts_text
from modules_access.admin.search import access_number
from modules_access.admin.states import access_state, doctor_address, source_link, source_pill, uses_text
from modules_access.models import AccessToken, AccessType, ModuleAccess
from modules_access.services.grants import grant_access
from payments.admin.base import ReadOnlyAdmin, link_to
from payments.admin.search import order_named

EXTENDABLE = (AccessType.PURCHASE, AccessType.GRANT)


class GrantForm(forms.ModelForm):
    """Lets somebody in without a payment."""

    email = PersonField()
    until = MomentField(label=_("Until"), required=False, help_text=_("Empty: without end."))
    reason = BecauseField()


@admin.register(ModuleAccess)
class ModuleAccessAdmin(ReadOnlyAdmin):
    """Nothing is edited: accesses follow what gives them; staff give, extend and take back, each with a reason."""

    actions = (extend_action, revoke_action)
    change_form_template = "admin/modules_access/moduleaccess/change_form.html"
    form = GrantForm
    list_display = ("number", "person", "module", "state", "source", "expires_at", "uses", "gives", "created_at")
    list_filter = (
        StateFilter, ("access_type", SourceFilter), "ended_reason", "module",
        ("created_at", admin.DateFieldListFilter), ("ended_at", admin.DateFieldListFilter),
    )  # fmt: skip
    list_per_page = 40
    list_select_related = ("user", "module", "order", "subscription", "token")
    ordering = ("-id",)
    search_fields = ("user__email__exact",)
    search_help_text = _(
        "Whole e-mail address, number of the access (A-…) or of the order (O-…), id of a subscription."
    )
    fields = (
        ("number", "state"), ("person", "module"), ("source", "gives"), ("expires_at", "extended_until"),
        ("used", "uses", "last_used_at"), ("created_at", "updated_at"), ("ended_at", "revoked_at"), "acts",
    )  # fmt: skip

    class Media:
        css = {"all": ["payments/admin.css", "modules_access/admin.css"]}

    def get_fields(self, request: HttpRequest, obj: ModuleAccess | None = None) -> Any:
        return super().get_fields(request, obj) if obj else ("email", "module", "until", "reason")

    def get_readonly_fields(self, request: HttpRequest, obj: ModuleAccess | None = None) -> Any:
        return ("number", "state", "person", "source", "gives", "uses", "acts") if obj else ()

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """One index each: a search over all of them at once would read the whole table."""
        term = search_term.strip()
        if number := access_number(term):
            return queryset.filter(pk=number), False
        if order := order_named(term, prefix="order__"):
            tokens = AccessToken.objects.filter(order).values("pk")
            return queryset.filter(order | Q(token__in=tokens)), False
        if term.startswith("sub_"):
            return queryset.filter(subscription__stripe_id=term), False
        return super().get_search_results(request, queryset, term.lower())

    def has_add_permission(self, request: HttpRequest, *_parent: object) -> bool:
        return request.user.has_perm("modules_access.grant_access")

    def has_extend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("modules_access.extend_access")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("modules_access.revoke_access")

    def save_model(self, request: HttpRequest, obj: ModuleAccess, form: Any, change: bool) -> None:
        given = form.cleaned_data
        granted = grant_access(
            user=given["email"], module=given["module"], expires_at=given["until"], reason=given["reason"],
            by=request.user, at=timezone.now(),
        )  # fmt: skip
        obj.pk = granted.pk

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = context.get("original")
        if row is not None:
            is_limited = row.is_active and row.expires_at is not None and row.access_type in EXTENDABLE
            context["may_extend"] = is_limited and self.has_extend_permission(request)
            context["may_revoke"] = row.revoked_at is None and self.has_revoke_permission(request)
            context["doctor"] = doctor_address(row)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("number"), ordering="pk")
    def number(self, row: ModuleAccess) -> str:
        return row.number

    @admin.display(description=_("person"), ordering="user__email")
    def person(self, row: ModuleAccess) -> str:
        return link_to(row.user)

    @admin.display(description=_("source"), ordering="access_type")
    def source(self, row: ModuleAccess) -> str:
        return source_pill(row)

    @admin.display(description=_("state"), ordering="is_active")
    def state(self, row: ModuleAccess) -> str:
        return access_state(row, at=timezone.now())

    @admin.display(description=_("uses of the token"))
    def uses(self, row: ModuleAccess) -> str:
        return uses_text(row.token)

    @admin.display(description=_("given by"))
    def gives(self, row: ModuleAccess) -> str:
        return source_link(row)

    @admin.display(description=_("what staff did"))
    def acts(self, row: ModuleAccess) -> str:
        return acts_text(row)
