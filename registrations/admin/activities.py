"""The activities' screen: added, edited and called off, never deleted; with their places at a glance."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
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
from accounts.personal import shown_name
from accounts.pictures.upload import LARGEST_BYTES, forget_picture
from payments.admin.kit.actions import Confirmation, ReasonField, ReasonForm, confirmed_action
from payments.admin.kit.display import NONE, amount, tells_of
from payments.admin.kit.money import PricedAdmin
from payments.admin.kit.screens import ListAdmin, may_see
from payments.statuses import OrderStatus
from registrations.admin.activity_form import ActivityForm, translated_fields
from registrations.admin.participants import ParticipantScreens
from registrations.models import Activity, Registration, WaitingEntry
from registrations.services.call_off import call_off, preview_call_off
from registrations.services.waiting_list import offer_places_of, seat_waiting

WAITING_SHOWN = 50


def seat_now() -> None:
    """More places may have been added: whoever paid and waits gets them first."""
    seat_waiting(at=timezone.now())


class CallOffForm(ReasonForm):
    """What everybody reads who has registered."""

    reason = ReasonField(
        label=gettext_lazy("Text for everybody who has registered"),
        help_text=gettext_lazy("This text is sent to everybody who registered, and stands on the activity’s page."),
        widget=forms.Textarea(attrs={"class": "vLargeTextField", "rows": 4}),
    )


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
        _("Open payment pages are closed; payments that still arrive are refunded automatically."),
    ]


@confirmed_action(
    description=gettext_lazy("Call off…"), permission="registrations.call_off_activity",
    applies_to=lambda activity: not activity.called_off_at,
    only_one=gettext_lazy("Please call off one activity at a time."), title=gettext_lazy("Call this activity off?"),
    button=gettext_lazy("Call off now"), consequences=_call_off_consequences, in_transaction=False,
    form=CallOffForm,
)  # fmt: skip
def call_off_action(activity: Activity, confirmation: Confirmation) -> None:
    """Tells everybody, and asks for the money to go back."""
    call_off(activity=activity, reason=confirmation.reason, by=confirmation.by, at=confirmation.at)
    done = _("“%(title)s” is called off: everybody is notified, and payments are refunded.")
    messages.success(confirmation.request, done % {"title": activity.title})


@confirmed_action(
    description=gettext_lazy("Offer the free places…"), permission="registrations.offer_place",
    applies_to=lambda activity: activity.places_left > 0 and activity.has_waiting_people(),
    only_one=gettext_lazy("Please choose one activity."), title=gettext_lazy("Offer the free places now?"),
    button=gettext_lazy("Offer now"), in_transaction=False,
    consequences=(
        gettext_lazy("Whoever paid and waits gets a place first; then whoever has waited longest is offered one."),
        gettext_lazy("An offered place is held until the offer ends. The timetable does the same every minute."),
    ),
)  # fmt: skip
def offer_action(activity: Activity, confirmation: Confirmation) -> None:
    """What the timetable does every minute, now."""
    count = offer_places_of(activity=activity, reason=confirmation.reason, by=confirmation.by, at=confirmation.at)
    made = ngettext("%(count)d person was offered a place.", "%(count)d people were offered a place.", count)
    messages.success(confirmation.request, made % {"count": count})


@admin.register(Activity)
class ActivityAdmin(PricedAdmin, ParticipantScreens, ListAdmin):
    """Never deleted, because registrations and money hang on it: it is called off."""

    actions = (call_off_action, offer_action)
    job, position = Job.ACTIVITIES, 0
    form = ActivityForm
    takes_files = LARGEST_BYTES
    add_text = gettext_lazy("Add an activity")
    list_display = ("title", "starts_at", "price_shown", "places_text", "is_on_sale", "called_off_at")
    sortable_by = None  # few rows
    list_filter = ("is_on_sale", ("called_off_at", admin.EmptyFieldListFilter))
    ordering = ("starts_at",)
    search_fields = ("title", "slug")
    fields = (
        "title", "slug", "summary", "description", *(name for name, _language, _text in translated_fields()), "picture",
        "starts_at", "ends_at", "place", "address", "city", ("price", "currency"), "capacity", "refund_days",
        "late_money", "is_on_sale", ("called_off_at", "called_off_reason"), "waiting_text",
    )  # fmt: skip
    readonly_fields = ("places_text", "waiting_text", "called_off_at", "called_off_reason")
    prepopulated_fields = {"slug": ("title",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return with_paid(super().get_queryset(request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whoever may only look sees the bar instead of the number, which it contains, and no fields of the form."""
        fields = super().get_fields(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fields
        translated = {name for name, _language, _text in translated_fields()}
        shown = [each for each in fields if not (isinstance(each, str) and each in translated)]
        if not may_see(request, "registrations.registration"):
            return shown
        return ["places_text" if each == "capacity" else each for each in shown]

    def get_form(self, request: HttpRequest, obj: Activity | None = None, change: bool = False, **more: Any) -> Any:
        form = super().get_form(request, obj, change, **more)
        if obj and "capacity" in form.base_fields and may_see(request, "registrations.registration"):
            form.base_fields["capacity"].widget.bar = self.places_text(obj)
        return form

    def row_links(self, request: HttpRequest, row: Activity) -> list[tuple[str, str]]:
        return self.participant_links(request, row)

    def has_delete_permission(self, request: HttpRequest, obj: Activity | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Activity, form: Any, change: bool) -> None:
        """Only what was edited: the counter of places moves on while somebody looks at the form."""
        before = Activity.objects.get(pk=obj.pk).picture if change and "picture" in form.changed_data else None
        obj.save(update_fields=form.changed_columns if change else None)
        if before != obj.picture:
            forget_picture(before)
        # After the commit: orders are locked before activities, and this one is locked now.
        transaction.on_commit(seat_now)

    @admin.display(description=gettext_lazy("price"), ordering="price")
    def price_shown(self, activity: Activity) -> str:
        return amount(activity.price_text)

    @tells_of("registrations.registration", description=gettext_lazy("places"), ordering="capacity")
    def places_text(self, activity: Activity) -> str:
        return places_bar(activity, paid=cast(Any, activity).paid) if activity.pk else NONE

    @tells_of("registrations.waitingentry", description=gettext_lazy("waiting list"))
    def waiting_text(self, activity: Activity) -> str:
        """Who waits for an offer, in their order."""
        waiting = WaitingEntry.objects.filter(activity_id=activity.pk, offered__isnull=True)
        shown = list(waiting.order_by("created_at", "pk")[: WAITING_SHOWN + 1])
        if not shown:
            return _("No one on the waiting list.")
        people = (
            (shown_name(row.name), row.email, date_format(timezone.localtime(row.created_at), "SHORT_DATETIME_FORMAT"))
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
    address = reverse("admin:registrations_registration_changelist")
    return format_html(
        '<svg class="places" viewBox="0 0 {scale} 1" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<rect class="places-free" width="{scale}" height="1"/><rect class="places-held" width="{taken}" height="1"/>'
        '<rect class="places-paid" width="{paid}" height="1"/></svg>'
        '<a href="{address}?activity__id__exact={pk}">{words}</a>',
        scale=max(1, activity.capacity), taken=activity.places_taken, paid=paid, address=address, pk=activity.pk,
        words=places_words(paid=paid, held=activity.places_taken - paid, capacity=activity.capacity),
    )  # fmt: skip


def places_words(*, paid: int, held: int, capacity: int) -> str:
    """ "12 paid · 2 held · 6 free of 20": the three are always the fourth."""
    free = capacity - paid - held
    parts = [
        ngettext("%(count)d paid", "%(count)d paid", paid) % {"count": paid},
        ngettext("%(count)d held", "%(count)d held", held) % {"count": held},
        ngettext("%(count)d free of %(capacity)d", "%(count)d free of %(capacity)d", free)
        % {"count": free, "capacity": capacity},
    ]
    return " · ".join(parts)
