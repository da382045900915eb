"""Lets what a PaymentIntent pays for (a session, an invoice) follow what becomes of it."""

from collections.abc import Callable

from stripe_emulator.models import StoredObject

Follower = Callable[[StoredObject, int], None]
FOLLOWERS: dict[str, Follower] = {}


def follows(name: str) -> Callable[[Follower], Follower]:
    """Register who is told about intents that keep `name` ("session", "invoice") in `hidden`.

    Called as `follower(intent, at)` after `payment_intent.succeeded`, after `payment_intent.processing`, and when a
    debit that was under way has failed (the status is `requires_payment_method` again). A card that is declined at
    once tells nobody: whoever confirmed gets CardDeclined.
    """

    def register(follower: Follower) -> Follower:
        FOLLOWERS[name] = follower
        return follower

    return register


def tell_followers(intent: StoredObject, at: int) -> None:
    """Tell whoever this intent pays for."""
    for name, follower in FOLLOWERS.items():
        if intent.hidden.get(name):
            follower(intent, at)
