"""Deliveries as lines of text."""

from django.db.models import Q

from stripe_emulator.models import Delivery, DeliveryState

NOT_ACCEPTED = Q(state__in=(DeliveryState.FAILED, DeliveryState.STOPPED, DeliveryState.DROPPED)) | Q(
    state=DeliveryState.PENDING, tries__gt=0
)


def delivery_lines(*, limit: int, only_failed: bool) -> list[str]:
    """The newest deliveries, one line each: event, type, endpoint, state, tries, last answer."""
    rows = Delivery.objects.select_related("event", "endpoint").prefetch_related("attempts").order_by("-pk")
    return [_line(row) for row in (rows.filter(NOT_ACCEPTED) if only_failed else rows)[:limit]]


def _line(delivery: Delivery) -> str:
    event = delivery.event
    told = f"{event.stripe_id}  {event.type}  {delivery.endpoint}  {delivery.get_state_display()} ({delivery.tries})"
    attempts = sorted(delivery.attempts.all(), key=lambda each: each.pk)
    if not attempts:
        return told
    last = attempts[-1]
    answer = " ".join(f"{last.status_code or ''} {last.error or last.answer}".split())
    return f"{told}  {answer[:100]}".rstrip()
