"""The places of an activity as staff see them: a bar and the same in words; the sums always add up."""

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from payments.statuses import OrderStatus
from registrations.models import Activity, Registration


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
