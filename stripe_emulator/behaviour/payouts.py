"""What is available goes to the bank once a day, and is there a day later: https://docs.stripe.com/payouts"""

from collections.abc import Iterable

from stripe_emulator import store
from stripe_emulator.behaviour.charges import DAY, PAYOUT, record_movement
from stripe_emulator.errors import StripeRefusal
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.account import new_payout
from stripe_emulator.timers import reacts_to, set_timer


@reacts_to(PAYOUT)
def pay_out(moved: StoredObject, *, at: int) -> None:
    """Pay out all that is available in the currency of this movement, unless it went with another.

    Where more has gone back than came, nothing is paid out: it is taken from the next payout.
    """
    moved.change(status="available")
    waiting = list(_available(moved, at=at + moved.ahead)) if PAYOUT not in moved.hidden else []
    amount = sum(each.data["net"] for each in waiting)
    if amount <= 0:
        return
    told = {"amount": amount, "currency": moved.data["currency"], "arrival_date": at + DAY}
    payout = store.keep(new_payout(at, **told), parent=moved)
    out = record_movement(PAYOUT, -amount, about=payout, at=at, is_available=True)
    payout.change(balance_transaction=out.stripe_id)
    _note(payout, [*waiting, out])
    set_timer("payout.arrive", payout, at=at + DAY)


@reacts_to("payout.arrive")
def _arrive(payout: StoredObject, *, at: int) -> None:
    """At the bank; from now on Stripe says what is in it."""
    payout.change(status="paid", reconciliation_status="completed")


def fail_payout(payout: StoredObject, *, at: int) -> None:
    """The bank sends it back, and the next payout takes it along. Raises StripeRefusal if it has failed already."""
    if payout.data["status"] == "failed":
        raise StripeRefusal(f"Payout {payout.stripe_id} has failed already.")
    back = record_movement(
        "payout_failure", payout.data["amount"], about=payout, at=at, category="payout_reversal", is_available=True
    )
    payout.change(
        status="failed", failure_code="account_closed", failure_message="The bank account has been closed.",
        failure_balance_transaction=back.stripe_id,
    )  # fmt: skip


def _available(moved: StoredObject, *, at: int) -> Iterable[StoredObject]:
    """What is in no payout yet. `at` by the emulator's clock."""
    rows = store.find("balance_transaction", currency=moved.data["currency"]).exclude(hidden__has_key=PAYOUT)
    return (each for each in rows.select_for_update() if each.data["available_on"] + each.ahead <= at)


def _note(payout: StoredObject, moved: Iterable[StoredObject]) -> None:
    for each in moved:
        each.remember(payout=payout.stripe_id)
