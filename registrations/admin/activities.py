"""The activities' screen: added and edited, called off, never deleted."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.admin.base import ListAdmin
from registrations.admin.calling_off import call_off_action
from registrations.admin.places import places_bar, with_paid
from registrations.models import Activity, WaitingEntry
from registrations.services import seat_waiting

MOST_SHOWN = 50


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

    def clean_is_on_sale(self) -> bool:
        is_on_sale: bool = self.cleaned_data["is_on_sale"]
        if is_on_sale and self.instance.called_off_at:
            raise ValidationError(_("This activity is called off: it cannot be sold again."))
        return is_on_sale


@admin.register(Activity)
class ActivityAdmin(ListAdmin):
    """Never deleted, because registrations and money hang on it: that right lets somebody call an activity off."""

    actions = (call_off_action,)
    change_form_template = "admin/registrations/activity/change_form.html"
    form = ActivityForm
    list_display = ("title", "starts_at", "price_text", "places_text", "is_on_sale", "called_off_at")
    list_filter = ("is_on_sale", ("called_off_at", admin.EmptyFieldListFilter))
    ordering = ("starts_at",)
    search_fields = ("title", "slug")
    fields = (
        "title", "slug", "starts_at", "place", "description", ("price", "currency"), "capacity", "places_text",
        "late_money", "is_on_sale", ("called_off_at", "called_off_reason"), "waiting_text",
    )  # fmt: skip
    readonly_fields = ("places_text", "waiting_text", "called_off_at", "called_off_reason")
    prepopulated_fields = {"slug": ("title",)}

    class Media:
        css = {"all": ["registrations/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return with_paid(super().get_queryset(request))

    def has_delete_permission(self, request: HttpRequest, obj: Activity | None = None) -> bool:
        return False

    def has_call_off_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("registrations.delete_activity")

    def save_model(self, request: HttpRequest, obj: Activity, form: Any, change: bool) -> None:
        """Only what was edited: the counter of places moves on while somebody looks at the form."""
        obj.save(update_fields=form.changed_data if change else None)
        # After the commit: orders are locked before activities, and this one is locked now.
        transaction.on_commit(seat_now)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        activity = context.get("original")
        context["may_call_off"] = activity and not activity.called_off_at and self.has_call_off_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("price"), ordering="price")
    def price_text(self, activity: Activity) -> str:
        return activity.price_text

    @admin.display(description=gettext_lazy("places"), ordering="capacity")
    def places_text(self, activity: Activity) -> str:
        return places_bar(activity, paid=cast(Any, activity).paid) if activity.pk else "–"

    @admin.display(description=gettext_lazy("waiting list"))
    def waiting_text(self, activity: Activity) -> str:
        """Who waits for an offer, in their order."""
        waiting = WaitingEntry.objects.filter(activity_id=activity.pk, offered__isnull=True)
        shown = list(waiting.order_by("created_at", "pk")[: MOST_SHOWN + 1])
        if not shown:
            return _("Nobody is waiting.")
        people = (
            (row.name, row.email, date_format(timezone.localtime(row.created_at), "SHORT_DATETIME_FORMAT"))
            for row in shown[:MOST_SHOWN]
        )
        rows = format_html_join("", "<li>{} · {} · {}</li>", people)
        address = reverse("admin:registrations_waitingentry_changelist")
        whole = _("The whole waiting list") if len(shown) > MOST_SHOWN else _("Waiting list")
        return format_html(
            '<ol class="waiting">{}</ol><a href="{}?activity__id__exact={}">{}</a>', rows, address, activity.pk, whole
        )
