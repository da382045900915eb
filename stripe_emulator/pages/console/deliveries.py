"""The deliveries of the overview and of an event, each with its last answer."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from stripe_emulator.models import Delivery, DeliveryAttempt, DeliveryState
from stripe_emulator.pages.console.words import moment, tone

SHOWN, FIRST_WORDS = 30, 60
FAILING = Q(state=DeliveryState.FAILED) | Q(state=DeliveryState.PENDING, tries__gt=0)

STATES = {
    DeliveryState.PENDING: _("waiting"),
    "failing": _("failing"),
    DeliveryState.DELIVERED: _("answered"),
    DeliveryState.FAILED: _("given up"),
    DeliveryState.DROPPED: _("dropped (chaos)"),
    DeliveryState.STOPPED: _("stopped"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """`answer`: status code and first words of the last answer, or why there was none."""

    id: int
    type: str
    event: str
    endpoint: str
    state: str
    tone: str
    tries: int
    answer: str
    when: datetime | None


def newest(*, only_failed: bool, ahead: int) -> list[Row]:
    """The newest deliveries; two queries whatever their number. `ahead`: seconds, as the clock says."""
    found = Delivery.objects.filter(FAILING) if only_failed else Delivery.objects.all()
    return rows(found.order_by("-pk")[:SHOWN], ahead=ahead)


def rows(deliveries: QuerySet[Delivery], *, ahead: int) -> list[Row]:
    """One row each."""
    shown = list(
        deliveries.select_related("event", "endpoint").only(
            "state", "tries", "due_at", "event__stripe_id", "event__type", "endpoint__stripe_id"
        )
    )
    answers = _last_attempts(shown)
    return [_row(delivery, answers.get(delivery.pk), ahead=ahead) for delivery in shown]


def _last_attempts(deliveries: Iterable[Delivery]) -> dict[int, DeliveryAttempt]:
    attempts = DeliveryAttempt.objects.filter(delivery__in=[each.pk for each in deliveries])
    return {each.delivery_id: each for each in attempts.order_by("delivery_id", "-pk").distinct("delivery_id")}


def _row(delivery: Delivery, last: DeliveryAttempt | None, *, ahead: int) -> Row:
    """Moments are real ones: when it was tried last, else when it will be if nobody advances the clock."""
    state = "failing" if delivery.state == DeliveryState.PENDING and delivery.tries else delivery.state
    return Row(
        id=delivery.pk,
        type=delivery.event.type,
        event=delivery.event.stripe_id,
        endpoint=delivery.endpoint.stripe_id,
        state=str(STATES[state]),
        tone=tone(state),
        tries=delivery.tries,
        answer=_in_short(last) if last else "",
        when=last.sent_at if last else moment(delivery.due_at - ahead),
    )


def _in_short(attempt: DeliveryAttempt) -> str:
    """Words only where something is wrong."""
    is_fine = attempt.status_code is not None and 200 <= attempt.status_code < 300
    return str(attempt.status_code) if is_fine else answer_of(attempt)[:FIRST_WORDS]


def answer_of(attempt: DeliveryAttempt) -> str:
    """For example `200 {"received": true}`, or the reason why nobody answered."""
    return f"{attempt.status_code} {attempt.answer}".strip() if attempt.status_code else attempt.error
