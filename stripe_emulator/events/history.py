"""The events that Stripe still lists: those of the last 30 days, https://docs.stripe.com/api/events"""

from django.db.models import BigIntegerField, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from stripe_emulator import clock
from stripe_emulator.models import Event, StoredObject

DAYS_LISTED = 30


def recent() -> QuerySet[Event]:
    """By the emulator's clock: an event is as old as what it is about has grown since then."""
    ahead = StoredObject.objects.filter(stripe_id=OuterRef("object_id")).values("ahead")
    # Nothing is stored of a thing without id, such as an invoice that is still to come: it counts as new.
    now = clock.emulated_now()
    born = F("created") + Coalesce(Subquery(ahead, output_field=BigIntegerField()), now)
    return Event.objects.annotate(born=born).filter(born__gt=now - DAYS_LISTED * 24 * 3600)
