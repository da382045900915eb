"""Our own Celery app without the loops that drain and deliver: only tasks are at work, with connections that they keep.

Mails stay undelivered in its outbox, and it fetches ahead, as Celery does unless told otherwise; both flatter it.
"""

from django.utils import timezone

from config.celery import app

app.steps["worker"].clear()
app.conf.worker_prefetch_multiplier = 4


@app.task(name="apply_event")
def apply_event(stripe_event_id: str) -> None:
    """One event, from the ledger to the order."""
    # The apps are loaded when the first task runs, not yet when Celery imports this.
    from payments.ledger.models import PaymentEvent  # noqa: PLC0415
    from payments.ledger.record import claim_these  # noqa: PLC0415
    from payments.processing.drain import look_again, process_claimed  # noqa: PLC0415

    now = timezone.now()
    event_ids = list(PaymentEvent.objects.filter(stripe_event_id=stripe_event_id).values_list("pk", flat=True))
    look_again(process_claimed(lambda: claim_these(event_ids), at=now), at=now)
