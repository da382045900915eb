"""What becomes of an invoice: paid, or not yet and when the next try is, or another way of ending."""

from django.conf import settings

from stripe_emulator import store
from stripe_emulator.behaviour import payment_intents, subscription_status
from stripe_emulator.behaviour.amounts import least_charge
from stripe_emulator.behaviour.customers import default_method_id
from stripe_emulator.behaviour.payment_intents import observes
from stripe_emulator.behaviour.subscription_items import DAY
from stripe_emulator.errors import CardDeclined, Json, StripeRefusal
from stripe_emulator.events.emit import emit
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.billing import new_invoice_payment
from stripe_emulator.timers import drop_timer, set_timer

# What the emulated account has chosen: https://docs.stripe.com/billing/revenue-recovery/smart-retries
RETRY_DELAYS = (3 * DAY, 5 * DAY, 7 * DAY)
HOUR = 3600
PURPOSES = {"subscription_create": "Subscription creation", "subscription_update": "Subscription update"}
CAN_BE_PAID = ("open", "uncollectible")
TRANSITIONS = {
    "open": "finalized_at", "paid": "paid_at", "void": "voided_at", "uncollectible": "marked_uncollectible_at",
    "canceled": "canceled_at",
}  # fmt: skip
FAILED, ACTION_REQUIRED = "invoice.payment_failed", "invoice.payment_action_required"


def mark_paid_out_of_band(invoice: StoredObject, *, at: int) -> None:
    """Somebody says that it was paid without Stripe: there is no payment that could have succeeded."""
    _close_as_paid(invoice, at=at, amount_paid_off_stripe=invoice.data["amount_remaining"])
    emit("invoice.paid", invoice, at=at)
    _cancel_link(invoice, at=at)
    subscription_status.after_payment(invoice, at=at)


def mark_attempt_failed(invoice: StoredObject, *, at: int, event_type: str = FAILED) -> None:
    """A try has failed or waits for the customer (ACTION_REQUIRED); the next one is planned."""
    next_attempt = _next_attempt(invoice, at)
    invoice.change(next_payment_attempt=next_attempt)
    if next_attempt:
        set_timer("invoice.retry", invoice, at=next_attempt)
    emit(event_type, invoice, at=at)
    subscription_status.after_failure(invoice, at=at, is_last=invoice.data["attempt_count"] > len(RETRY_DELAYS))
    invoice.refresh_from_db()


def lock_invoice(id: str) -> tuple[StoredObject, int]:
    """The invoice, locked after its subscription (what happens to it moves that), and what time it is in its life.

    Raises NoSuchObject.
    """
    subscription_status.subscription_of(store.get_living("invoice", id, param="invoice"))
    return store.locked("invoice", id)


def create_draft(data: Json, *, at: int, parent: StoredObject | None = None, waits: bool = True) -> StoredObject:
    """Keep the draft. If it advances by itself and `waits`, it is finalized in an hour."""
    due = at + HOUR if waits and data["auto_advance"] else None
    invoice = store.keep({**data, "automatically_finalizes_at": due}, parent=parent)
    if due:
        set_timer("invoice.finalize", invoice, at=due)
    emit("invoice.created", invoice, at=at)
    return invoice


def finalize(invoice: StoredObject, *, at: int, intent: StoredObject | None = None) -> None:
    """Open it, with a number; what costs nothing is paid. `intent`: what pays it already, else one is made.

    Raises StripeRefusal unless it is a draft.
    """
    if invoice.data["status"] != "draft":
        raise StripeRefusal("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
    drop_timer("invoice.finalize", invoice)
    _settle_with_balance(invoice, is_paid_elsewhere=intent is not None)
    turn(
        invoice,
        "open",
        at=at,
        number=_next_number(invoice),
        automatically_finalizes_at=None,
        effective_at=at,
        hosted_invoice_url=f"{settings.STRIPE_EMULATOR_URL}/objects/{invoice.stripe_id}",
    )
    emit("invoice.finalized", invoice, at=at)
    if invoice.data["amount_due"] == 0:
        _mark_paid(invoice, at=at)
        return
    _link_intent(invoice, intent or _new_intent(invoice, at), at=at)
    if intent:
        _follow_intent(intent, at)
        invoice.refresh_from_db()


def with_balance(data: Json, balance: int) -> Json:
    """The invoice with what the customer's balance (minor units; less than 0: their credit) takes off or adds.

    A credit beyond the total stays for later, and so does what is too little to be charged:
    https://docs.stripe.com/billing/customer/balance
    """
    due = data["total"] + balance
    left = due if due < least_charge(data["currency"]) else 0
    asked = due - left
    sums = {"amount_due": asked, "amount_remaining": asked}
    return {**data, **sums, "starting_balance": balance, "ending_balance": left}


def _settle_with_balance(invoice: StoredObject, *, is_paid_elsewhere: bool) -> None:
    """Only what is to be collected: what a session has charged is what it has shown."""
    customer = store.get("customer", invoice.data["customer"], lock=True)
    if is_paid_elsewhere:
        invoice.change(ending_balance=customer.data["balance"], starting_balance=customer.data["balance"])
        return
    settled = with_balance(invoice.data, customer.data["balance"])
    invoice.change(**settled)
    customer.change(balance=settled["ending_balance"])


def pay_invoice(
    invoice: StoredObject, *, at: int, method: StoredObject | None = None, is_automatic: bool = False
) -> None:
    """Try to pay it, with this method or the one that the invoice, the subscription or the customer has.

    Raises StripeRefusal if it cannot be paid or there is no method, CardDeclined if the try fails or the customer has
    to act. `is_automatic`: nobody is there to answer a question.
    """
    if not open_for_payment(invoice, at=at):
        return
    if is_processing(invoice):
        raise StripeRefusal("A payment of this invoice is under way already.", code="payment_intent_unexpected_state")
    method = method or default_method(invoice)
    if method is None:
        message = "There is no `default_payment_method` set on this Customer or Invoice. Please set either to pay it."
        raise StripeRefusal(message, code="resource_missing", param="payment_method")
    count_attempt(invoice, is_automatic=is_automatic)
    _confirm(invoice, method, at=at, off_session=is_automatic)


def open_for_payment(invoice: StoredObject, *, at: int) -> bool:
    """Finalize a draft. Returns whether something is to be paid; raises StripeRefusal if the invoice is closed."""
    if invoice.data["status"] == "draft":
        finalize(invoice, at=at)
        return bool(invoice.data["status"] == "open")
    if invoice.data["status"] == "paid":
        raise StripeRefusal("Invoice is already paid")
    require_status(invoice, CAN_BE_PAID, "pay")
    return True


def void(invoice: StoredObject, *, at: int) -> None:
    """Nobody is to pay it any more. Raises StripeRefusal unless it is open or uncollectible."""
    require_status(invoice, CAN_BE_PAID, "void")
    subscription_status.stop_collecting(invoice)
    turn(invoice, "void", at=at)
    _cancel_link(invoice, at=at)
    intent = store.get("payment_intent", invoice.hidden["payment_intent"], lock=True)
    if intent.data["status"] in ("requires_payment_method", "requires_confirmation", "requires_action"):
        payment_intents.cancel(intent, at=at, reason="void_invoice")
    emit("invoice.voided", invoice, at=at)
    subscription_status.after_void(invoice, at=at)


def is_processing(invoice: StoredObject) -> bool:
    """Whether a debit is going to pay it, or to fail."""
    return store.get("payment_intent", invoice.hidden["payment_intent"]).data["status"] == "processing"


def count_attempt(invoice: StoredObject, *, is_automatic: bool) -> None:
    """Tries by hand count only as the first one: https://docs.stripe.com/api/invoices/object#invoice_object-attempt_count"""
    count = invoice.data["attempt_count"]
    invoice.change(attempted=True, attempt_count=count + 1 if is_automatic or count == 0 else count)


def turn(stored: StoredObject, status: str, *, at: int, **fields: object) -> None:
    """Another status of an invoice, or of what is to pay it, which notes when that was."""
    transitions = {**stored.data["status_transitions"], TRANSITIONS[status]: at}
    stored.change(status=status, status_transitions=transitions, **fields)


def require_status(invoice: StoredObject, states: tuple[str, ...], verb: str) -> None:
    """Raises StripeRefusal if the invoice is in none of these states."""
    if invoice.data["status"] not in states:
        message = f"You can only {verb} an invoice that is {' or '.join(states)}; this one is {invoice.data['status']}."
        raise StripeRefusal(message, code="invoice_not_editable")


def default_method(invoice: StoredObject) -> StoredObject | None:
    """The invoice's own, else its subscription's, else its customer's; None if nobody has one."""
    subscription = subscription_status.subscription_of(invoice)
    customer = store.get("customer", invoice.data["customer"])
    choices = (
        invoice.data["default_payment_method"],
        subscription.data["default_payment_method"] if subscription else None,
        default_method_id(customer),
    )
    chosen = next((each for each in choices if each), None)
    return store.find("payment_method").filter(stripe_id=chosen).first() if chosen else None


@observes("invoice")
def _follow_intent(intent: StoredObject, at: int) -> None:
    """What became of the intent becomes of its invoice."""
    invoice, _now = lock_invoice(intent.hidden["invoice"])
    if invoice.data["status"] not in CAN_BE_PAID:
        return
    if intent.data["status"] == "succeeded":
        _mark_paid(invoice, at=at, intent=intent)
    elif intent.data["status"] == "processing":
        subscription_status.after_processing(invoice, at=at)
    else:
        count_attempt(invoice, is_automatic=False)
        mark_attempt_failed(invoice, at=at)


def _link_intent(invoice: StoredObject, intent: StoredObject, *, at: int) -> None:
    """Let this intent pay the invoice."""
    asked = {"currency": invoice.data["currency"], "amount_requested": invoice.data["amount_remaining"]}
    payment = {"payment_intent": intent.stripe_id, "type": "payment_intent"}
    store.keep(new_invoice_payment(at, payment=payment, invoice=invoice.stripe_id, **asked), parent=invoice)
    invoice.remember(payment_intent=intent.stripe_id)
    intent.remember(invoice=invoice.stripe_id)


def _mark_paid(invoice: StoredObject, *, at: int, intent: StoredObject | None = None) -> None:
    """The whole of it is paid: by the intent, or there was nothing to pay."""
    amount, attempts = invoice.data["amount_remaining"], invoice.data["attempt_count"]
    if intent:
        charge = store.get("charge", intent.data["latest_charge"], lock=True)
        charge.remember(invoice=invoice.stripe_id)
        invoice.remember(charge=charge.stripe_id)
        attempts = attempts or 1
    _close_as_paid(invoice, at=at, amount_paid=amount, attempt_count=attempts)
    emit("invoice.paid", invoice, at=at)
    emit("invoice.payment_succeeded", invoice, at=at)
    if payment := _open_link(invoice):
        turn(payment, "paid", at=at, amount_paid=amount)
        emit("invoice_payment.paid", payment, at=at)
    subscription_status.after_payment(invoice, at=at)


def _cancel_link(invoice: StoredObject, *, at: int) -> None:
    """Its intent will not pay it any more."""
    if payment := _open_link(invoice):
        turn(payment, "canceled", at=at)


def _close_as_paid(invoice: StoredObject, *, at: int, **amounts: int) -> None:
    subscription_status.stop_collecting(invoice)
    turn(invoice, "paid", at=at, amount_remaining=0, attempted=True, **amounts)


def _open_link(invoice: StoredObject) -> StoredObject | None:
    return store.find("invoice_payment", invoice=invoice.stripe_id, status="open").select_for_update().first()


def _next_attempt(invoice: StoredObject, at: int) -> int | None:
    """A planned try stays where it is; a first invoice and one that nobody collects are not tried again."""
    planned, count = invoice.data["next_payment_attempt"], invoice.data["attempt_count"]
    if planned and planned > at:
        return int(planned)
    subscription = subscription_status.subscription_of(invoice)
    is_waiting = subscription is not None and subscription.data["status"] == "incomplete"
    if is_waiting or not invoice.data["auto_advance"] or count > len(RETRY_DELAYS):
        return None
    return at + RETRY_DELAYS[count - 1]


def _confirm(invoice: StoredObject, method: StoredObject, *, at: int, off_session: bool) -> None:
    intent = store.get("payment_intent", invoice.hidden["payment_intent"], lock=True)
    if intent.data["status"] == "canceled":
        _cancel_link(invoice, at=at)
        intent = _new_intent(invoice, at)
        _link_intent(invoice, intent, at=at)
    try:
        payment_intents.confirm(intent, method, at=at, off_session=off_session)
    except CardDeclined as decline:
        needs_customer = "authentication_required" in (decline.code, decline.decline_code)
        mark_attempt_failed(invoice, at=at, event_type=ACTION_REQUIRED if needs_customer else FAILED)
        raise
    invoice.refresh_from_db()
    if intent.data["status"] == "requires_action":
        mark_attempt_failed(invoice, at=at, event_type=ACTION_REQUIRED)
        message = "This payment requires additional user action before it can be completed successfully."
        code = "invoice_payment_intent_requires_action"
        raise CardDeclined(message, code=code, payment_intent=intent.data)


def _new_intent(invoice: StoredObject, at: int) -> StoredObject:
    data = invoice.data
    purpose = PURPOSES.get(data["billing_reason"], f"Payment for Invoice {data['number']}")
    told = {"currency": data["currency"], "customer": data["customer"], "description": purpose}
    hidden = {"invoice": invoice.stripe_id}
    return payment_intents.create_intent(at, amount=data["amount_remaining"], parent=invoice, hidden=hidden, **told)


def _next_number(invoice: StoredObject) -> str:
    customer = store.get("customer", invoice.data["customer"], lock=True)
    number = customer.data["next_invoice_sequence"]
    customer.change(next_invoice_sequence=number + 1)
    return f"{customer.data['invoice_prefix']}-{number:04}"
