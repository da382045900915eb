"""The activities' screen: added, edited and called off, never deleted; with their places at a glance."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.menu import Job
from payments.admin.kit.actions import Confirmation, confirmed_action
from payments.admin.kit.display import NONE, tells_of
from payments.admin.kit.money import AmountField, PricedAdmin, PricedForm
from payments.admin.kit.screens import ListAdmin
from payments.statuses import OrderStatus
from registrations.models import Activity, Registration, WaitingEntry
from registrations.services.call_off import call_off, preview_call_off
from registrations.services.waiting_list import seat_waiting

WAITING_SHOWN = 50


def seat_now() -> None:
    """More places may have been added: whoever paid and waits gets them first."""
    seat_waiting(at=timezone.now())


class ActivityForm(PricedForm):
    """Says in words what Stripe or the database would refuse."""

    price = AmountField(label=gettext_lazy("Price"), help_text=gettext_lazy("For example 49.00; 0 is free."))

    def clean_price(self) -> int:
        return self.clean_money()

    def clean_capacity(self) -> int:
        capacity: int = self.cleaned_data["capacity"]
        if self.instance.pk is None:
            return capacity
        # Locked until the form is saved (the admin's views are one transaction): nobody takes a place in between.
        locked = Activity.objects.select_for_update(no_key=True).get(pk=self.instance.pk)
        if capacity < locked.places_taken:
            values = {"taken": locked.places_taken}
            raise ValidationError(_("%(taken)d places are taken: there cannot be fewer.") % values)
        return capacity

    def clean_is_on_sale(self) -> bool:
        is_on_sale: bool = self.cleaned_data["is_on_sale"]
        if is_on_sale and self.instance.called_off_at:
            raise ValidationError(_("This activity is called off: it cannot be sold again."))
        return is_on_sale


def _call_off_consequences(activities: QuerySet) -> list[str]:
    """What it will do, in sentences, with how many people and how much money."""
    outlook = preview_call_off(activities[0])
    people = ngettext(
        "%(count)d person is told by e-mail.", "%(count)d people are told by e-mail.", outlook.people_told
    )
    refunds = ngettext(
        "%(count)d payment is refunded: %(totals)s in all.",
        "%(count)d payments are refunded: %(totals)s in all.",
        outlook.refunds,
    )
    money = {"count": outlook.refunds, "totals": ", ".join(outlook.totals)}
    return [
        _("Sales are closed at once and for good: this cannot be undone."),
        people % {"count": outlook.people_told},
        refunds % money if outlook.refunds else _("Nobody has paid yet: nothing is refunded."),
        _("Open payment pages are ended; money that comes all the same goes back by itself."),
        _("The reason is told to everybody."),
    ]


@confirmed_action(
    description=gettext_lazy("Call off…"), permission="registrations.delete_activity",
    applies_to=lambda activity: not activity.called_off_at,
    only_one=gettext_lazy("Please call off one activity at a time."), title=gettext_lazy("Call this activity off?"),
    button=gettext_lazy("Call off now"), consequences=_call_off_consequences, in_transaction=False,
)  # fmt: skip
def call_off_action(activity: Activity, confirmation: Confirmation) -> None:
    """Tells everybody, and asks for the money to go back."""
    call_off(activity=activity, reason=confirmation.reason, by=confirmation.by, at=confirmation.at)
    confirmation.screen.log_change(confirmation.request, activity, confirmation.reason)
    done = _("“%(title)s” is called off: everybody is told, and the money goes back.")
    messages.success(confirmation.request, done % {"title": activity.title})


@admin.register(Activity)
class ActivityAdmin(PricedAdmin, ListAdmin):
    """Never deleted, because registrations and money hang on it: that right lets somebody call an activity off."""

    job, position = Job.ACTIVITIES, 0
    actions = (call_off_action,)
    form = ActivityForm
    list_display = ("title", "starts_at", "price_shown", "places_text", "is_on_sale", "called_off_at")
    list_filter = ("is_on_sale", ("called_off_at", admin.EmptyFieldListFilter))
    ordering = ("starts_at",)
    search_fields = ("title", "slug")
    fields = (
        "title", "slug", "starts_at", "place", "description", ("price", "currency"), "capacity", "places_text",
        "late_money", "is_on_sale", ("called_off_at", "called_off_reason"), "waiting_text",
    )  # fmt: skip
    readonly_fields = ("places_text", "waiting_text", "called_off_at", "called_off_reason")
    prepopulated_fields = {"slug": ("title",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return with_paid(super().get_queryset(request))

    def has_delete_permission(self, request: HttpRequest, obj: Activity | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Activity, form: Any, change: bool) -> None:
        """Only what was edited: the counter of places moves on while somebody looks at the form."""
        obj.save(update_fields=form.changed_data if change else None)
        # After the commit: orders are locked before activities, and this one is locked now.
        transaction.on_commit(seat_now)

    @admin.display(description=gettext_lazy("price"), ordering="price")
    def price_shown(self, activity: Activity) -> str:
        return activity.price_text

    @tells_of("registrations.registration", description=gettext_lazy("places"), ordering="capacity")
    def places_text(self, activity: Activity) -> str:
        return places_bar(activity, paid=cast(Any, activity).paid) if activity.pk else NONE

    @tells_of("registrations.waitingentry", description=gettext_lazy("waiting list"))
    def waiting_text(self, activity: Activity) -> str:
        """Who waits for an offer, in their order."""
        waiting = WaitingEntry.objects.filter(activity_id=activity.pk, offered__isnull=True)
        shown = list(waiting.order_by("created_at", "pk")[: WAITING_SHOWN + 1])
        if not shown:
            return _("Nobody is waiting.")
        people = (
            (row.name, row.email, date_format(timezone.localtime(row.created_at), "SHORT_DATETIME_FORMAT"))
            for row in shown[:WAITING_SHOWN]
        )
        rows = format_html_join("", "<li>{} · {} · {}</li>", people)
        address = reverse("admin:registrations_waitingentry_changelist")
        whole = _("The whole waiting list") if len(shown) > WAITING_SHOWN else _("Waiting list")
        return format_html(
            '<ol class="waiting">{}</ol><a href="{}?activity__id__exact={}">{}</a>', rows, address, activity.pk, whole
        )


def with_paid(activities: QuerySet[Activity]) -> QuerySet[Activity]:
    """Each with `paid`, its places that are paid for: read in the same statement as the counter of those taken."""
    paid = Registration.objects.filter(activity=OuterRef("pk"), holds_place=True, order__status=OrderStatus.PAID)
    counts = paid.order_by().values("activity").annotate(count=Count("pk")).values("count")
    return activities.annotate(paid=Coalesce(Subquery(counts), 0, output_field=IntegerField()))


def places_bar(activity: Activity, *, paid: int) -> SafeString:
    """12 paid · 2 held · 6 free of 20, leading to the registrations behind it; drawn to scale without a style."""
    held = activity.places_taken - paid
    numbers = {"paid": paid, "held": held, "free": activity.places_left, "capacity": activity.capacity}
    words = _("%(paid)d paid · %(held)d held · %(free)d free of %(capacity)d") % numbers
    address = reverse("admin:registrations_registration_changelist")
    return format_html(
        '<svg class="places" viewBox="0 0 {scale} 1" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<rect class="places-free" width="{scale}" height="1"/><rect class="places-held" width="{taken}" height="1"/>'
        '<rect class="places-paid" width="{paid}" height="1"/></svg>'
        '<a href="{address}?activity__id__exact={pk}">{words}</a>',
        scale=max(1, activity.capacity), taken=activity.places_taken, paid=paid, address=address, pk=activity.pk,
        words=words,
    )  # fmt: skip
