"""A dispute in our words: https://docs.stripe.com/api/disputes/object"""

from dataclasses import dataclass
from datetime import datetime

from payments.facts import About
from payments.stripe_api.snapshots.reading import (
    LONGEST_WORD,
    Json,
    find_moment,
    find_object,
    find_text,
    get_amount,
    get_currency,
    get_id,
    get_word,
    id_of,
    read_about,
)

LONGEST_STATUS = 60


@dataclass(frozen=True, slots=True)
class Dispute:
    """`status` is Stripe's word; `due_by` None: no answer is possible (Stripe writes 0 or null)."""

    id: str
    about: About
    amount: int
    currency: str
    status: str
    reason: str
    due_by: datetime | None

    @classmethod
    def read(cls, source: Json) -> "Dispute":
        """Raises MalformedObject without an id, amount, currency or status: each decides about money."""
        return cls(
            id=get_id(source),
            about=read_about(
                source,
                payment_intent=id_of(source.get("payment_intent")),
                charge=id_of(source.get("charge")),
            ),
            amount=get_amount(source, "amount"),
            currency=get_currency(source),
            status=get_word(source, "status")[:LONGEST_STATUS],
            reason=find_text(source, "reason", longest=LONGEST_WORD),
            due_by=find_moment(find_object(source, "evidence_details"), "due_by"),
        )
