"""The life of an invoice: draft, open, then paid, void or uncollectible: https://docs.stripe.com/invoicing/overview"""

from django.conf import settings

from stripe_emulator import store
from stripe_emulator.errors import CardDeclined, Json, StripeRefusal
from stripe_emulator.events.emit import emit
from stripe_emulator.life import payments, standing
from stripe_emulator.life.following import follows
from stripe_emulator.life.invoice_methods import default_method
from stripe_emulator.life.invoice_outcomes import cancel_link, failed, link, paid
from stripe_emulator.models import StoredObject
from stripe_emulator.timers import drop_timer, set_timer

HOUR = 3600
PURPOSES = {"subscription_create": "Subscription creation", "subscription_update": "Subscription update"}
CAN_BE_PAID = ("open", "uncollectible")


def hold(id: str) -> StoredObject:
    """The invoice, locked after its subscription: what happens to it moves that. Raises NoSuchObject."""
    standing.subscription_of(store.get_living("invoice", id, param="invoice"))
    return store.get("invoice", id, lock=True)


def begin(data: Json, *, at: int, parent: StoredObject | None = None, waits: bool = True) -> StoredObject:
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
    invoice.change(
        status="open",
        number=_next_number(invoice),
        automatically_finalizes_at=None,
        effective_at=at,
        ending_balance=0,
        hosted_invoice_url=f"{settings.STRIPE_EMULATOR_URL}/objects/{invoice.stripe_id}",
        status_transitions={**invoice.data["status_transitions"], "finalized_at": at},
    )
    emit("invoice.finalized", invoice, at=at)
    if invoice.data["amount_due"] == 0:
        paid(invoice, at=at)
        return
    link(invoice, intent or _new_intent(invoice, at), at=at)
    if intent:
        follow(intent, at)
        invoice.refresh_from_db()


def pay_invoice(
    invoice: StoredObject, *, at: int, method: StoredObject | None = None, is_automatic: bool = False
) -> None:
    """Try to pay it, with this method or the one that the invoice, the subscription or the customer has.

    Raises StripeRefusal if it cannot be paid or there is no method, CardDeclined if the try fails or the customer has
    to act. `is_automatic`: nobody is there to answer a question.
    """
    if not open_for_payment(invoice, at=at):
        return
    if is_under_way(invoice):
        raise StripeRefusal("A payment of this invoice is under way already.", code="payment_intent_unexpected_state")
    method = method or default_method(invoice)
    if method is None:
        raise StripeRefusal(
            "There is no `default_payment_method` set on this Customer or Invoice. Please set either to pay it.",
            code="resource_missing",
            param="payment_method",
        )
    count_try(invoice, is_automatic=is_automatic)
    _confirm(invoice, method, at=at, off_session=is_automatic)


def open_for_payment(invoice: StoredObject, *, at: int) -> bool:
    """Finalize a draft. Returns whether something is to be paid; raises StripeRefusal if the invoice is closed."""
    if invoice.data["status"] == "draft":
        finalize(invoice, at=at)
        return bool(invoice.data["status"] == "open")
    if invoice.data["status"] == "paid":
        raise StripeRefusal("Invoice is already paid")
    require(invoice, CAN_BE_PAID, "pay")
    return True


def void(invoice: StoredObject, *, at: int) -> None:
    """Nobody is to pay it any more. Raises StripeRefusal unless it is open or uncollectible."""
    require(invoice, CAN_BE_PAID, "void")
    standing.stop_collecting(invoice)
    invoice.change(status="void", status_transitions={**invoice.data["status_transitions"], "voided_at": at})
    cancel_link(invoice, at=at)
    intent = store.get("payment_intent", invoice.hidden["payment_intent"], lock=True)
    if intent.data["status"] in ("requires_payment_method", "requires_confirmation", "requires_action"):
        payments.cancel(intent, at=at, reason="void_invoice")
    emit("invoice.voided", invoice, at=at)
    standing.after_void(invoice, at=at)


def is_under_way(invoice: StoredObject) -> bool:
    """Whether a debit is going to pay it, or to fail."""
    return store.get("payment_intent", invoice.hidden["payment_intent"]).data["status"] == "processing"


def count_try(invoice: StoredObject, *, is_automatic: bool) -> None:
    """Tries by hand count only as the first one: https://docs.stripe.com/api/invoices/object#invoice_object-attempt_count"""
    count = invoice.data["attempt_count"]
    invoice.change(attempted=True, attempt_count=count + 1 if is_automatic or count == 0 else count)


def require(invoice: StoredObject, states: tuple[str, ...], verb: str) -> None:
    """Raises StripeRefusal if the invoice is in none of these states."""
    if invoice.data["status"] not in states:
        message = f"You can only {verb} an invoice that is {' or '.join(states)}; this one is {invoice.data['status']}."
        raise StripeRefusal(message, code="invoice_not_editable")


@follows("invoice")
def follow(intent: StoredObject, at: int) -> None:
    """What became of the intent becomes of its invoice."""
    invoice = hold(intent.hidden["invoice"])
    if invoice.data["status"] not in CAN_BE_PAID:
        return
    if intent.data["status"] == "succeeded":
        paid(invoice, at=at, intent=intent)
    elif intent.data["status"] == "processing":
        standing.after_processing(invoice, at=at)
    else:
        count_try(invoice, is_automatic=False)
        failed(invoice, at=at)


def _confirm(invoice: StoredObject, method: StoredObject, *, at: int, off_session: bool) -> None:
    intent = store.get("payment_intent", invoice.hidden["payment_intent"], lock=True)
    if intent.data["status"] == "canceled":
        cancel_link(invoice, at=at)
        intent = _new_intent(invoice, at)
        link(invoice, intent, at=at)
    try:
        payments.confirm(intent, method, at=at, off_session=off_session)
    except CardDeclined as decline:
        needs_customer = "authentication_required" in (decline.code, decline.decline_code)
        failed(invoice, at=at, event_type=f"invoice.payment_{'action_required' if needs_customer else 'failed'}")
        raise
    invoice.refresh_from_db()
    if intent.data["status"] == "requires_action":
        failed(invoice, at=at, event_type="invoice.payment_action_required")
        message = "This payment requires additional user action before it can be completed successfully."
        code = "invoice_payment_intent_requires_action"
        raise CardDeclined(message, code=code, payment_intent=intent.data)


def _new_intent(invoice: StoredObject, at: int) -> StoredObject:
    return payments.make_intent(
        at,
        amount=invoice.data["amount_remaining"],
        currency=invoice.data["currency"],
        parent=invoice,
        hidden={"invoice": invoice.stripe_id},
        customer=invoice.data["customer"],
        description=PURPOSES.get(invoice.data["billing_reason"], f"Payment for Invoice {invoice.data['number']}"),
    )


def _next_number(invoice: StoredObject) -> str:
    customer = store.get("customer", invoice.data["customer"], lock=True)
    number = customer.data["next_invoice_sequence"]
    customer.change(next_invoice_sequence=number + 1)
    return f"{customer.data['invoice_prefix']}-{number:04}"
