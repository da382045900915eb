"""Which activities the API shows, and whether one can register for them."""

from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from registrations.models import Activity, WaitingEntry
from registrations.sales import Sale, sale_of


def activities() -> QuerySet[Activity]:
    """All of them. One statement reads places and waiting people, so what is said of them agrees."""
    waiting = WaitingEntry.objects.filter(activity=OuterRef("pk"), offered__isnull=True)
    return Activity.objects.annotate(has_waiting=Exists(waiting))


def coming(*, at: datetime) -> QuerySet[Activity]:
    """Those that are on sale, the next one first: what is not, may not be announced yet."""
    on_sale = activities().filter(is_on_sale=True, called_off_at=None, starts_at__gt=at)
    return on_sale.order_by("starts_at", "pk")


def state_of(activity: Activity, *, at: datetime) -> Sale:
    """The state of one that comes from `activities`: a free place belongs to those who wait for it."""
    return sale_of(activity, at=at, has_waiting=getattr(activity, "has_waiting"))  # noqa: B009 - an annotation
