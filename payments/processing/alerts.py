"""The alert for staff that events were given up: one mail per type, error and hour, whatever their number."""

from django.conf import settings

from payments.effects.mail import Mail, mails
from payments.effects.models import Effect
from payments.effects.registry import Skip
from payments.ledger.models import PaymentEvent


@mails("alert.event_dead")
def event_dead(effect: Effect) -> Mail | Skip:
    """Never skipped: it speaks of a kind of failure; the event that it names is only the first example."""
    event = PaymentEvent.objects.filter(stripe_event_id=effect.data["event"]).first()
    context = {**effect.data, "error": event.error if event else "", "order": event.order if event else None}
    return Mail(to=tuple(settings.STRIPE_ALERT_EMAIL), language=settings.LANGUAGE_CODE, context=context)
