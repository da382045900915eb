"""What becomes of an invoice: paid, or not yet and when the next try is, or another way of ending."""

from stripe_emulator import store
from stripe_emulator.events.emit import emit
from stripe_emulator.life import standing
from stripe_emulator.life.periods import DAY
from stripe_emulator.models import StoredObject
from stripe_emulator.shapes.invoice_payment import new_invoice_payment
from stripe_emulator.timers import set_timer

# What the emulated account has chosen: https://docs.stripe.com/billing/revenue-recovery/smart-retries
RETRY_DELAYS = (3 * DAY, 5 * DAY, 7 * DAY)


def link(invoice: StoredObject, intent: StoredObject, *, at: int) -> None:
    """Let this intent pay the invoice."""
    data = new_invoice_payment(
        at,
        payment_intent=intent.stripe_id,
        invoice=invoice.stripe_id,
        currency=invoice.data["currency"],
        amount_requested=invoice.data["amount_remaining"],
    )
    store.keep(data, parent=invoice)
    invoice.remember(payment_intent=intent.stripe_id)
    intent.remember(invoice=invoice.stripe_id)


def paid(invoice: StoredObject, *, at: int, intent: StoredObject | None = None) -> None:
    """The whole of it is paid: by the intent, or there was nothing to pay."""
    amount, tries = invoice.data["amount_remaining"], invoice.data["attempt_count"]
    if intent:
        _remember_charge(invoice, intent)
        tries = tries or 1
    _close_as_paid(invoice, at=at, amount_paid=amount, attempt_count=tries)
    emit("invoice.paid", invoice, at=at)
    emit("invoice.payment_succeeded", invoice, at=at)
    if payment := _open_link(invoice):
        transitions = {**payment.data["status_transitions"], "paid_at": at}
        payment.change(status="paid", amount_paid=amount, status_transitions=transitions)
        emit("invoice_payment.paid", payment, at=at)
    standing.after_payment(invoice, at=at)


def paid_elsewhere(invoice: StoredObject, *, at: int) -> None:
    """Somebody says that it was paid without Stripe: there is no payment that could have succeeded."""
    _close_as_paid(invoice, at=at, amount_paid_off_stripe=invoice.data["amount_remaining"])
    emit("invoice.paid", invoice, at=at)
    cancel_link(invoice, at=at)
    standing.after_payment(invoice, at=at)


def failed(invoice: StoredObject, *, at: int, event_type: str = "invoice.payment_failed") -> None:
    """A try has failed, or ("invoice.payment_action_required") waits for the customer; the next one is planned."""
    next_attempt = _next_attempt(invoice, at)
    invoice.change(next_payment_attempt=next_attempt)
    if next_attempt:
        set_timer("invoice.retry", invoice, at=next_attempt)
    emit(event_type, invoice, at=at)
    standing.after_failure(invoice, at=at, is_last=invoice.data["attempt_count"] > len(RETRY_DELAYS))
    invoice.refresh_from_db()


def cancel_link(invoice: StoredObject, *, at: int) -> None:
    """Its intent will not pay it any more."""
    if payment := _open_link(invoice):
        transitions = {**payment.data["status_transitions"], "canceled_at": at}
        payment.change(status="canceled", status_transitions=transitions)


def _close_as_paid(invoice: StoredObject, *, at: int, **amounts: int) -> None:
    standing.stop_collecting(invoice)
    transitions = {**invoice.data["status_transitions"], "paid_at": at}
    invoice.change(status="paid", amount_remaining=0, attempted=True, status_transitions=transitions, **amounts)


def _remember_charge(invoice: StoredObject, intent: StoredObject) -> None:
    charge = store.get("charge", intent.data["latest_charge"], lock=True)
    charge.remember(invoice=invoice.stripe_id)
    invoice.remember(charge=charge.stripe_id)


def _open_link(invoice: StoredObject) -> StoredObject | None:
    return store.find("invoice_payment", invoice=invoice.stripe_id, status="open").select_for_update().first()


def _next_attempt(invoice: StoredObject, at: int) -> int | None:
    """A planned try stays where it is; a first invoice and one that nobody collects are not tried again."""
    planned, count = invoice.data["next_payment_attempt"], invoice.data["attempt_count"]
    if planned and planned > at:
        return int(planned)
    subscription = standing.subscription_of(invoice)
    is_waiting = subscription is not None and subscription.data["status"] == "incomplete"
    if is_waiting or not invoice.data["auto_advance"] or count > len(RETRY_DELAYS):
        return None
    return at + RETRY_DELAYS[count - 1]
