"""What products tell of a buyer's try: one message for each, and none for a try that is over."""

from datetime import timedelta

from payments.effects.models import Effect
from payments.effects.note import Note
from payments.orders.models import Order

# A delayed method fails twice: as a charge (with the reason) and as a session. The second waits for the first.
WAIT_FOR_REASON = timedelta(minutes=1)


def note_about(kind: str, order: Order, *, key: str, patience: timedelta = timedelta(0), **subject: int) -> Note:
    """A message about where the order stands. `subject`: the product's row by its name; `patience` from the try on."""
    since = order.tried_at
    return Note(
        key=f"{kind}:{key}",
        kind=kind,
        order_id=order.pk,
        data={**subject, "attempt": order.tried_attempt, "charge": order.charge_of_try},
        not_before=since + patience if patience and since else None,
    )


def note_about_failure(kind: str, order: Order, **subject: int) -> Note:
    """One message per failed charge, however often Stripe repeats itself (mission B2)."""
    key = f"{order.pk}:{order.charge_of_try or order.tried_attempt}"
    patience = timedelta(0) if order.charge_of_try else WAIT_FOR_REASON
    return note_about(kind, order, key=key, patience=patience, **subject)


def is_same_try(effect: Effect, order: Order) -> bool:
    """Whether the message speaks of the try that counts now."""
    return bool(effect.data["attempt"] == order.tried_attempt)


def is_same_failure(effect: Effect, order: Order) -> bool:
    """The same for a failure: of a delayed method's two, the charge's message tells the reason."""
    return is_same_try(effect, order) and bool(effect.data["charge"] == order.charge_of_try)
