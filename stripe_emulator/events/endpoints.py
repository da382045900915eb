"""What can be done with an endpoint, by the API, the command and the console."""

from django.db import transaction

from stripe_emulator import clock, store
from stripe_emulator.errors import StripeRefusal
from stripe_emulator.ids import random_text
from stripe_emulator.models import Delivery, DeliveryState, Emulation, Json, StoredObject

MOST_ENDPOINTS = 16


def new_secret() -> str:
    """A secret in the form of Stripe's."""
    return f"whsec_{random_text(32)}"


@transaction.atomic
def keep_endpoint(data: Json, *, secret: str) -> StoredObject:
    """Keep a new endpoint that is signed for with this secret. Raises StripeRefusal beyond 16 endpoints."""
    Emulation.current(lock=True)  # two at once must not both become the sixteenth
    if store.find("webhook_endpoint").count() >= MOST_ENDPOINTS:
        raise StripeRefusal(f"You have reached the maximum of {MOST_ENDPOINTS} test webhook endpoints.")
    return store.keep(data, secrets=[_valid_for_ever(secret)])


def set_secret(endpoint: StoredObject, secret: str) -> None:
    """Sign with this secret alone from now on. The endpoint is locked."""
    endpoint.remember(secrets=[_valid_for_ever(secret)])


def rotate(endpoint: StoredObject, *, hours: int) -> str:
    """Give the endpoint a new secret, which is returned; the ones before stay valid for so many hours at most.

    The endpoint is locked. https://docs.stripe.com/webhooks#roll-endpoint-secrets
    """
    now, secret = clock.emulated_now(), new_secret()
    ends = now + hours * 3600
    before = [
        {**each, "expires_at": min(each["expires_at"] or ends, ends)}
        for each in endpoint.hidden["secrets"]
        if each["expires_at"] is None or each["expires_at"] > now
    ]
    endpoint.remember(secrets=[*before, _valid_for_ever(secret)])
    return secret


def delete_endpoint(endpoint: StoredObject) -> Json:
    """Nothing is sent to it any more; what was planned is stopped. Returns the stub."""
    Delivery.objects.filter(endpoint=endpoint, state=DeliveryState.PENDING).update(state=DeliveryState.STOPPED)
    return store.delete(endpoint)


def _valid_for_ever(secret: str) -> Json:
    return {"secret": secret, "expires_at": None}
