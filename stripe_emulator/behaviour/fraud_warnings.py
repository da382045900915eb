"""What a card network suspects of a payment: https://docs.stripe.com/api/radar/early_fraud_warnings"""

from stripe_emulator import store
from stripe_emulator.events.emit import emit
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.charge import new_fraud_warning

KIND = "radar.early_fraud_warning"


def warn(charge: StoredObject, *, at: int, fraud_type: str = "made_with_stolen_card") -> StoredObject:
    """The network believes that the charge is fraud: nothing moves by that."""
    about = {"charge": charge.stripe_id, "payment_intent": charge.data["payment_intent"]}
    warning = store.keep(new_fraud_warning(at, fraud_type=fraud_type, **about), parent=charge)
    emit(f"{KIND}.created", warning, at=at)
    return warning


def settle(charge: StoredObject, *, at: int) -> None:
    """The charge is disputed or wholly refunded: to give it back in time is not possible, or not needed, any more."""
    for warning in store.find(KIND, charge=charge.stripe_id, actionable=True).select_for_update():
        emit(f"{KIND}.updated", warning, at=at, previous=warning.change(actionable=False))
