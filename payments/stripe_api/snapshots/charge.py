"""A charge in our words: https://docs.stripe.com/api/charges/object"""

from dataclasses import dataclass, replace
from datetime import datetime

from payments.facts import About
from payments.stripe_api.snapshots.reading import (
    Json,
    find_moment,
    find_object,
    find_rows,
    find_text,
    get_amount,
    get_currency,
    get_id,
    id_of,
    read_about,
)
from payments.stripe_api.snapshots.refund import Refund

# Ways to pay whose money comes days after the charge: https://docs.stripe.com/payments/payment-methods/payment-method-support
DELAYED = frozenset(
    {
        "ach_debit", "acss_debit", "au_becs_debit", "bacs_debit", "boleto", "customer_balance", "konbini",
        "multibanco", "nz_bank_account", "oxxo", "sepa_debit", "sofort", "us_bank_account",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Charge:
    """`refunded` is the running total of its refunds; `refunds` are those that older versions list inside."""

    about: About
    captured: int
    refunded: int
    currency: str
    created: datetime | None
    refunds: tuple[Refund, ...]
    is_delayed: bool = False

    @property
    def paid_at(self) -> datetime | None:
        """When its money came, if the charge tells: of a delayed one it tells only when it was begun."""
        return None if self.is_delayed else self.created

    @classmethod
    def read(cls, source: Json) -> "Charge":
        """Raises MalformedObject without an id, its amounts or its currency."""
        about = read_about(source, payment_intent=id_of(source.get("payment_intent")), charge=get_id(source))
        # Until https://docs.stripe.com/changelog/basil it named the invoice that it pays.
        about = replace(about, invoice=id_of(source.get("invoice")))
        return cls(
            about=about,
            captured=_captured(source),
            refunded=get_amount(source, "amount_refunded"),
            currency=get_currency(source),
            created=find_moment(source, "created"),
            refunds=tuple(Refund.read(row) for row in find_rows(source, "refunds")),
            is_delayed=find_text(find_object(source, "payment_method_details"), "type") in DELAYED,
        )


def _captured(source: Json) -> int:
    """What was really taken; before `amount_captured` existed, all or nothing."""
    if source.get("amount_captured") is not None:
        return get_amount(source, "amount_captured")
    return 0 if source.get("captured") is False else get_amount(source, "amount")
