"""Which buttons an object offers, as it stands."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from stripe_emulator.models import StoredObject

ENDED_SUBSCRIPTIONS = ("canceled", "incomplete_expired")
BLOCKING_DISPUTES = ("needs_response", "under_review", "lost")
OPEN_DISPUTES = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")


@dataclass(frozen=True, slots=True)
class Button:
    """`act` names an action of actions.py; `amount_in`: the currency of an amount that may be given with it."""

    act: str
    id: str
    label: str
    amount_in: str = ""


def of_session(session: StoredObject) -> list[Button]:
    """What the buyer could do, without the Checkout page."""
    id = session.stripe_id
    if session.data["status"] != "open":
        return []
    return [
        Button("session.pay", id, _("Pay (4242)")),
        Button("session.decline", id, _("Decline (0002)")),
        Button("session.expire", id, _("Expire")),
    ]


def of_intent(intent: StoredObject, charge: StoredObject | None, disputes: list[StoredObject]) -> list[Button]:
    """What the bank, the buyer or a person at the Dashboard could do to a payment."""
    id, status = intent.stripe_id, intent.data["status"]
    if status == "processing":
        return [
            Button("payment.settle", id, _("Debit succeeds")),
            Button("payment.bounce", id, _("Debit fails")),
        ]
    if status == "requires_action":
        return [
            Button("payment.authenticate", id, _("Pass 3-D Secure")),
            Button("payment.reject", id, _("Fail 3-D Secure")),
        ]
    if charge is None or charge.data["status"] != "succeeded":
        return []
    is_blocked = any(dispute.data["status"] in BLOCKING_DISPUTES for dispute in disputes)
    return [
        *_of_charge(charge, id, is_blocked=is_blocked),
        *(button for dispute in disputes for button in of_dispute(dispute)),
    ]


def _of_charge(charge: StoredObject, intent_id: str, *, is_blocked: bool) -> list[Button]:
    """A bank that has taken its money back lets nobody refund it as well."""
    if charge.data["amount_refunded"] >= charge.data["amount"]:
        return []
    buttons = []
    if not is_blocked:
        buttons.append(
            Button("payment.refund", intent_id, _("Refund payment"), amount_in=charge.data["currency"].upper())
        )
    if not charge.data["disputed"]:
        buttons.append(Button("payment.dispute", intent_id, _("Open dispute")))
    return buttons


def of_dispute(dispute: StoredObject) -> list[Button]:
    """The two ways in which a dispute ends."""
    if dispute.data["status"] not in OPEN_DISPUTES:
        return []
    return [
        Button("dispute.win", dispute.stripe_id, _("Win dispute")),
        Button("dispute.lose", dispute.stripe_id, _("Lose dispute")),
    ]


def of_subscription(subscription: StoredObject) -> list[Button]:
    """What a customer or their bank could do."""
    id = subscription.stripe_id
    if subscription.data["status"] in ENDED_SUBSCRIPTIONS:
        return []
    ends = subscription.data["cancel_at_period_end"]
    return [
        Button("subscription.cancel", id, _("Cancel now")),
        Button("subscription.keep", id, _("Do not cancel"))
        if ends
        else Button("subscription.end", id, _("Cancel at period end")),
        Button("subscription.fail", id, _("Failing card")),
        Button("subscription.succeed", id, _("Working card")),
    ]


def of_invoice(invoice: StoredObject) -> list[Button]:
    """What the customer does on the page that the invoice links to."""
    is_open = invoice.data["status"] == "open"
    return [Button("invoice.pay", invoice.stripe_id, _("Pay (4242)"))] if is_open else []


def of_endpoint(endpoint: StoredObject) -> list[Button]:
    """Whether events are sent there."""
    if endpoint.is_deleted:
        return []
    if endpoint.data["status"] == "enabled":
        return [Button("endpoint.disable", endpoint.stripe_id, _("Disable"))]
    return [Button("endpoint.enable", endpoint.stripe_id, _("Enable"))]
