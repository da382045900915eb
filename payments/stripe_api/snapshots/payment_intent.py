"""A PaymentIntent in our words: https://docs.stripe.com/api/payment_intents/object"""

from dataclasses import dataclass, field, replace

from payments.facts import About, Failure
from payments.stripe_api.snapshots.reading import (
    LONGEST_WORD,
    Json,
    Money,
    find_object,
    find_rows,
    find_text,
    get_id,
    id_of,
    read_about,
)


@dataclass(frozen=True, slots=True)
class PaymentIntent:
    """`about` names the latest charge, `about_failure` the one that was declined last."""

    about: About
    about_failure: About
    status: str
    failure: Failure
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def read(cls, source: Json) -> "PaymentIntent":
        """Raises MalformedObject without an id."""
        about = read_about(source, payment_intent=get_id(source), charge=_latest_charge(source))
        # Until https://docs.stripe.com/changelog/basil it named the invoice that it pays.
        about = replace(about, invoice=id_of(source.get("invoice")))
        error = find_object(source, "last_payment_error")
        return cls(
            about=about,
            about_failure=replace(about, charge=id_of(error.get("charge")) or about.charge),
            status=find_text(source, "status"),
            failure=_failure(error),
            raw=source,
        )

    @property
    def received(self) -> Money:
        """What has arrived. Raises MalformedObject."""
        return Money.read(self.raw, "amount_received")


def _latest_charge(source: Json) -> str:
    """`latest_charge`; versions before 2022-11-15 listed the charges instead, the newest first."""
    newest = next(iter(find_rows(source, "charges")), {})
    return id_of(source.get("latest_charge")) or id_of(newest)


def _failure(error: Json) -> Failure:
    code = find_text(error, "decline_code", longest=LONGEST_WORD) or find_text(error, "code", longest=LONGEST_WORD)
    return Failure(code=code, message=find_text(error, "message"))
