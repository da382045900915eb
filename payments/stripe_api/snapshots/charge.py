"""A charge in our words: https://docs.stripe.com/api/charges/object"""

from dataclasses import dataclass
from datetime import datetime

from payments.facts import About
from payments.stripe_api.snapshots.reading import (
    Json,
    find_moment,
    find_rows,
    get_amount,
    get_currency,
    get_id,
    id_of,
    read_about,
)
from payments.stripe_api.snapshots.refund import Refund


@dataclass(frozen=True, slots=True)
class Charge:
    """`refunded` is the running total of its refunds; `refunds` are those that older versions list inside."""

    about: About
    captured: int
    refunded: int
    currency: str
    created: datetime | None
    refunds: tuple[Refund, ...]

    @classmethod
    def read(cls, source: Json) -> "Charge":
        """Raises MalformedObject without an id, its amounts or its currency."""
        about = read_about(source, payment_intent=id_of(source.get("payment_intent")), charge=get_id(source))
        return cls(
            about=about,
            captured=_captured(source),
            refunded=get_amount(source, "amount_refunded"),
            currency=get_currency(source),
            created=find_moment(source, "created"),
            refunds=tuple(Refund.read(row) for row in find_rows(source, "refunds")),
        )


def _captured(source: Json) -> int:
    """What was really taken; before `amount_captured` existed, all or nothing."""
    if source.get("amount_captured") is not None:
        return get_amount(source, "amount_captured")
    return 0 if source.get("captured") is False else get_amount(source, "amount")
