"""The staff's screens for activities and registrations: activities are edited, registrations follow their orders."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.admin.base import ListAdmin, ReadOnlyAdmin, link_to
from payments.admin.search import order_number, public_id
from registrations.models import Activity, Registration
from registrations.services import seat_waiting


def seat_now() -> None:
    """More places may have been added: whoever paid and waits gets them first."""
    seat_waiting(at=timezone.now())


class ActivityForm(forms.ModelForm):
    """Says in words what the database would refuse."""

    def clean_currency(self) -> str:
        """As Stripe writes it: an order in "EUR" would never match a payment in "eur"."""
        return str(self.cleaned_data["currency"]).lower()

    def clean_capacity(self) -> int:
        capacity: int = self.cleaned_data["capacity"]
        if self.instance.pk is None:
            return capacity
        # Locked until the form is saved (the admin's views are one transaction): nobody takes a place in between.
        locked = Activity.objects.select_for_update(no_key=True).get(pk=self.instance.pk)
        if capacity < locked.places_taken:
            taken = {"taken": locked.places_taken}
            raise ValidationError(_("%(taken)d places are taken: there cannot be fewer.") % taken)
        return capacity


@admin.register(Activity)
class ActivityAdmin(ListAdmin):
    """Added and edited here; never deleted, because registrations and money hang on it."""

    form = ActivityForm
    list_display = ("title", "starts_at", "price_text", "places_taken", "capacity", "places_left", "is_on_sale")
    list_filter = ("is_on_sale",)
    ordering = ("starts_at",)
    search_fields = ("title", "slug")
    fields = (
        "title", "slug", "starts_at", ("price", "currency"), "capacity", "places_taken", "late_money", "is_on_sale",
    )  # fmt: skip
    readonly_fields = ("places_taken",)
    prepopulated_fields = {"slug": ("title",)}

    def has_delete_permission(self, request: HttpRequest, obj: Activity | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Activity, form: Any, change: bool) -> None:
        """Only what was edited: the counter of places moves on while somebody looks at the form."""
        obj.save(update_fields=form.changed_data if change else None)
        # After the commit: orders are locked before activities, and this one is locked now.
        transaction.on_commit(seat_now)

    @admin.display(description=gettext_lazy("price"), ordering="price")
    def price_text(self, activity: Activity) -> str:
        return activity.price_text

    @admin.display(description=gettext_lazy("places left"))
    def places_left(self, activity: Activity) -> int:
        return activity.places_left


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
    """Who has a place, who waits, who has paid."""

    list_display = ("name", "email", "activity", "status", "holds_place", "held_until", "order_link", "created_at")
    list_filter = (EndedFilter, "status", "holds_place", ("waits_since", admin.EmptyFieldListFilter))
    list_select_related = ("activity", "order")
    ordering = ("-created_at",)
    search_fields = ("email__exact", "external_id__exact")
    search_help_text = gettext_lazy("Whole e-mail address, order number, id of the registration or in the old system.")
    fields = (
        ("name", "email"), ("activity", "status"), ("holds_place", "held_until", "waits_since"), ("order_link", "user"),
        ("public_id", "external_id"), ("language", "created_at"),
    )  # fmt: skip
    readonly_fields = ("order_link",)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip()
        if number := order_number(term):
            return queryset.filter(order_id=number), False
        if own := public_id(term):
            return queryset.filter(Q(public_id=own) | Q(order__public_id=own)), False
        return super().get_search_results(request, queryset, term.lower() if "@" in term else term)

    @admin.display(description=gettext_lazy("order"), ordering="order")
    def order_link(self, row: Registration) -> str:
        return link_to(row.order, row.order.number)
