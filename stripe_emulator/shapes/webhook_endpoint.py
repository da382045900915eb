"""A webhook endpoint: https://docs.stripe.com/api/webhook_endpoints/object"""

from stripe_emulator.ids import new_id
from stripe_emulator.models import Json

USUAL: Json = {
    "object": "webhook_endpoint",
    "api_version": None,
    "application": None,
    "description": None,
    "livemode": False,
    "metadata": {},
    "status": "enabled",
}


def new_webhook_endpoint(at: int, *, url: str, enabled_events: list[str], **fields: object) -> Json:
    """An endpoint born at this moment; its secrets are no part of it."""
    named = {"id": new_id("we_1"), "created": at, "url": url, "enabled_events": enabled_events}
    return {**USUAL, **named, **fields}
