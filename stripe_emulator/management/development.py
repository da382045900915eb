"""What only the command does: deliveries as text, an endpoint by its URL, forgetting everything."""

from django.db import transaction
from django.db.models import Q

from stripe_emulator import clock, models, store
from stripe_emulator.errors import Json
from stripe_emulator.events import endpoints
from stripe_emulator.models import Delivery, DeliveryState, StoredObject
from stripe_emulator.objects.account import new_webhook_endpoint

NOT_ACCEPTED = Q(state__in=(DeliveryState.FAILED, DeliveryState.STOPPED, DeliveryState.DROPPED)) | Q(
    state=DeliveryState.PENDING, attempt_count__gt=0
)
# Deliveries go with their event, timers with their object.
EVERYTHING = (models.Event, models.StoredObject, models.KeptAnswer, models.Emulation)


def delivery_lines(*, limit: int, only_failed: bool) -> list[str]:
    """The newest deliveries, one line each: event, type, endpoint, state, attempts, last answer."""
    rows = Delivery.objects.select_related("event", "endpoint").prefetch_related("attempts").order_by("-pk")
    return [_line(row) for row in (rows.filter(NOT_ACCEPTED) if only_failed else rows)[:limit]]


@transaction.atomic
def ensure_endpoint(
    url: str, *, name: str = "", secret: str | None, events: list[str] | None, api_version: str | None
) -> tuple[StoredObject, str]:
    """The endpoint with this URL, made if need be, and its new secret ("": the one it has stays).

    With a `name`, its description, the endpoint is known by that and moves to the URL.
    None leaves what is there; a new endpoint gets all events, the account's version and a secret of its own. Raises
    StripeRefusal.
    """
    models.Emulation.current(lock=True)  # two starts at once must not make two endpoints
    known_by = {"description": name} if name else {"url": url}
    found = store.find("webhook_endpoint", **known_by).select_for_update().first()
    given: Json = {
        "url": endpoints.checked_url(url),
        **({} if events is None else {"enabled_events": endpoints.checked_events(events)}),
        **({} if api_version is None else {"api_version": endpoints.checked_version(api_version)}),
    }
    if found is None:
        fields: Json = {"enabled_events": ["*"], "description": name or None, **given}
        secret = secret or endpoints.new_secret()
        return endpoints.keep_endpoint(new_webhook_endpoint(clock.real_now(), **fields), secret=secret), secret
    found.change(**given)
    if secret:
        endpoints.set_secret(found, secret)
    return found, secret or ""


@transaction.atomic
def forget_everything() -> None:
    """As if the emulator had never run."""
    for model in EVERYTHING:
        model._default_manager.all().delete()


def _line(delivery: Delivery) -> str:
    event = delivery.event
    state = f"{delivery.get_state_display()} ({delivery.attempt_count})"
    line = f"{event.stripe_id}  {event.type}  {delivery.endpoint}  {state}"
    last = max(delivery.attempts.all(), key=lambda each: each.pk, default=None)
    answer = " ".join(f"{last.status_code or ''} {last.error or last.answer}".split()) if last else ""
    return f"{line}  {answer[:100]}".rstrip()
