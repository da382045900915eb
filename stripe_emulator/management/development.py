"""What only the command does: an endpoint by its URL, and forgetting everything."""

from django.db import transaction

from stripe_emulator import clock, store
from stripe_emulator.api.webhook_endpoints import checked_events, checked_url, checked_version
from stripe_emulator.events.endpoints import keep_endpoint, new_secret, set_secret
from stripe_emulator.models import Delivery, DeliveryAttempt, Emulation, Event, Json, KeptAnswer, StoredObject, Timer
from stripe_emulator.shapes.webhook_endpoint import new_webhook_endpoint

EVERYTHING = (DeliveryAttempt, Delivery, Timer, Event, KeptAnswer, StoredObject, Emulation)


@transaction.atomic
def ensure_endpoint(
    url: str, *, name: str = "", secret: str | None, events: list[str] | None, version: str | None
) -> tuple[StoredObject, str]:
    """The endpoint with this URL, made if need be, and its new secret ("": the one it has stays).

    With a `name`, its description, the endpoint is known by that and moves to the URL.
    None leaves what is there; a new endpoint gets all events, the account's version and a secret of its own. Raises
    StripeRefusal.
    """
    Emulation.current(lock=True)  # two starts at once must not make two endpoints
    known_by = {"description": name} if name else {"url": url}
    found = store.find("webhook_endpoint", **known_by).select_for_update().first()
    given: Json = {
        "url": checked_url(url),
        **({} if events is None else {"enabled_events": checked_events(events)}),
        **({} if version is None else {"api_version": checked_version(version)}),
    }
    if found is None:
        fields: Json = {"enabled_events": ["*"], "description": name or None, **given}
        secret = secret or new_secret()
        return keep_endpoint(new_webhook_endpoint(clock.real_now(), **fields), secret=secret), secret
    found.change(**given)
    if secret:
        set_secret(found, secret)
    return found, secret or ""


@transaction.atomic
def forget_everything() -> None:
    """As if the emulator had never run."""
    for model in EVERYTHING:
        model._default_manager.all().delete()
