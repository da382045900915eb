"""Events of the last 30 days, and sending them again: https://docs.stripe.com/webhooks/process-undelivered-events"""

from django.db import transaction
from django.db.models import BigIntegerField, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from stripe_emulator import clock
from stripe_emulator.events import bell
from stripe_emulator.events.chaos import TWIN
from stripe_emulator.events.endpoints import is_open, wants
from stripe_emulator.models import Delivery, DeliveryState, Event, StoredObject

DAYS_LISTED = 30


def recent_events() -> QuerySet[Event]:
    """By the emulator's clock: an event is as old as what it is about has grown since then."""
    ahead = StoredObject.objects.filter(stripe_id=OuterRef("object_id")).values("ahead")
    # Nothing is stored of a thing without id, such as an invoice that is still to come: it counts as new.
    now = clock.emulated_now()
    born = F("created") + Coalesce(Subquery(ahead, output_field=BigIntegerField()), now)
    return Event.objects.annotate(born=born).filter(born__gt=now - DAYS_LISTED * 24 * 3600)


def resend(event: Event, endpoint: StoredObject | None = None) -> int:
    """Send the event once more, to this endpoint or to all that want it. Returns to how many it goes.

    Nothing goes to endpoints that are disabled or deleted. Retries that are planned already stay planned, and chaos
    does not apply.
    """
    chosen = [endpoint] if endpoint else [each for each in _open_endpoints() if wants(each, event.type)]
    return _plan_again([(event, each) for each in chosen if is_open(each)])


def resend_undelivered() -> int:
    """Send again what an endpoint wants and has never accepted, the oldest first. Returns how many that are.

    Only events that are still listed. What is on its way for the first time is left alone.
    """
    missed = [
        (event, endpoint)
        for endpoint in _open_endpoints()
        for event in recent_events().exclude(Exists(_settled(endpoint)))
        if wants(endpoint, event.type)
    ]
    return _plan_again(sorted(missed, key=lambda each: each[0].number))


def _open_endpoints() -> list[StoredObject]:
    stored = StoredObject.objects.filter(kind="webhook_endpoint").order_by("number")
    return [endpoint for endpoint in stored if is_open(endpoint)]


def _settled(endpoint: StoredObject) -> QuerySet[Delivery]:
    """Deliveries of an event to this endpoint that were accepted or are on their way."""
    settled = Q(state=DeliveryState.DELIVERED) | Q(state=DeliveryState.PENDING, attempt_count=0)
    return Delivery.objects.filter(settled, event=OuterRef("pk"), endpoint=endpoint).exclude(variation__has_key=TWIN)


@transaction.atomic
def _plan_again(pairs: list[tuple[Event, StoredObject]]) -> int:
    now = clock.emulated_now()
    Delivery.objects.bulk_create(
        Delivery(event=event, endpoint=endpoint, position=event.number, due_at=now) for event, endpoint in pairs
    )
    bell.ring_on_commit()
    return len(pairs)
