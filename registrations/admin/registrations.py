"""The registrations' screen: who has a place, who waits, who has paid; freeing a place and writing once more."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from payments.admin.base import ReadOnlyAdmin, link_to
from payments.admin.search import order_number, public_id
from registrations.admin.registration_acts import free_action, resend_action
from registrations.models import Registration


class EndedFilter(admin.SimpleListFilter):
    """Registrations that ended unpaid are kept as evidence and stay out of sight until one asks for them."""

    title = gettext_lazy("ended without payment")
    parameter_name = "ended"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("shown", gettext_lazy("Shown"))]

    def choices(self, changelist: Any) -> Any:
        hidden, *others = super().choices(changelist)
        yield {**hidden, "display": gettext_lazy("Hidden")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset if self.value() else queryset.live()


@admin.register(Registration)
class RegistrationAdmin(ReadOnlyAdmin):
    """Nobody edits or deletes a row: the right to delete frees a place, the right to change writes once more."""

    actions = (free_action, resend_action)
    change_form_template = "admin/registrations/registration/change_form.html"
    list_display = (
        "name", "email", "activity", "status", "holds_place", "held_until", "payment", "order_link", "created_at",
    )  # fmt: skip
    list_filter = (EndedFilter, "status", "holds_place", ("waits_since", admin.EmptyFieldListFilter))
    list_select_related = ("activity", "order")
    ordering = ("-created_at",)
    search_fields = ("email__exact", "external_id__exact")
    search_help_text = gettext_lazy("Whole e-mail address, order number, id of the registration or in the old system.")
    fields = (
        ("name", "email"), ("activity", "status"), ("holds_place", "held_until", "waits_since", "given_up_at"),
        ("order_link", "payment"), "user", ("public_id", "external_id"), ("language", "created_at"),
    )  # fmt: skip
    readonly_fields = ("order_link", "payment")

    class Media:
        css = {"all": ["registrations/admin.css"]}

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip()
        if number := order_number(term):
            return queryset.filter(order_id=number), False
        if own := public_id(term):
            return queryset.filter(Q(public_id=own) | Q(order__public_id=own)), False
        return super().get_search_results(request, queryset, term.lower() if "@" in term else term)

    def has_free_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("registrations.delete_registration")

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("registrations.change_registration")

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = context.get("original")
        context["may_free"] = row and row.holds_place and self.has_free_permission(request)
        context["may_resend"] = self.has_resend_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("order"), ordering="order")
    def order_link(self, row: Registration) -> str:
        return link_to(row.order, row.order.number)

    @admin.display(description=gettext_lazy("payment"), ordering="order__status")
    def payment(self, row: Registration) -> str:
        return f"{row.order.price} · {row.order.get_status_display()}"
