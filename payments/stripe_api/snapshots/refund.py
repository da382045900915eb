"""A refund in our words: https://docs.stripe.com/api/refunds/object"""

from dataclasses import dataclass

from payments.facts import About
from payments.statuses import RefundStatus
from payments.stripe_api.snapshots.reading import (
    LONGEST_ID,
    LONGEST_WORD,
    Json,
    find_object,
    find_text,
    get_amount,
    get_currency,
    get_id,
    id_of,
    read_about,
)

LONGEST_STATUS = 20


@dataclass(frozen=True, slots=True)
class Refund:
    """`status` is Stripe's word; it may be one that we do not know yet."""

    id: str
    about: About
    amount: int
    currency: str
    status: str
    reason: str
    failure_reason: str
    effect: str = ""
    """The key of the effect that asked for it, from `effect` in the metadata; "" for a refund made elsewhere."""

    @classmethod
    def read(cls, source: Json) -> "Refund":
        """Raises MalformedObject without an id, amount or currency."""
        return cls(
            id=get_id(source),
            about=read_about(
                source,
                payment_intent=id_of(source.get("payment_intent")),
                charge=id_of(source.get("charge")),
            ),
            amount=get_amount(source, "amount"),
            currency=get_currency(source),
            # Null in old versions for methods that report nothing back: the money has left all the same.
            status=find_text(source, "status", longest=LONGEST_STATUS) or RefundStatus.PENDING.value,
            reason=find_text(source, "reason", longest=LONGEST_WORD),
            failure_reason=find_text(source, "failure_reason", longest=LONGEST_WORD),
            effect=find_text(find_object(source, "metadata"), "effect", longest=LONGEST_ID),
        )
