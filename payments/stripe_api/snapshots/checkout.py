"""Checkout sessions and customers in our words.

https://docs.stripe.com/api/checkout/sessions/object, https://docs.stripe.com/api/customers/object
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from accounts.fields import normal_address
from payments.facts import CustomerFact, ObjectRefs
from payments.stripe_api.snapshots.reading import (
    Json,
    Money,
    find_known,
    find_moment,
    find_object,
    find_text,
    find_uuid,
    get_id,
    id_of,
    read_intent_status,
    read_refs,
)

# https://docs.stripe.com/api/checkout/sessions/object; what old versions do not tell is "".
MODES, STATUSES = ("payment", "setup", "subscription"), ("open", "complete", "expired")
PAYMENT_STATUSES = ("paid", "unpaid", "no_payment_required")
MAX_EMAIL_LENGTH, MAX_TEXT_LENGTH, MAX_COUNTRY_LENGTH = 254, 200, 2


@dataclass(frozen=True, slots=True)
class StripeCustomer:
    """Somebody who pays; `raw` is read only for what is told about them."""

    refs: ObjectRefs
    raw: Json

    @classmethod
    def read(cls, source: Json) -> "StripeCustomer":
        """Raises MalformedObject without an id."""
        return cls(refs=ObjectRefs(customer=get_id(source)), raw=source)

    def to_fact(self, *, at: datetime, is_deleted: bool = False) -> CustomerFact:
        """Who they are and where they live, as it was at that moment."""
        city, country = read_place(find_object(self.raw, "address"))
        return CustomerFact(
            self.refs,
            occurred_at=at,
            email=normal_address(find_text(self.raw, "email", longest=MAX_EMAIL_LENGTH)),
            name=find_text(self.raw, "name", longest=MAX_TEXT_LENGTH),
            city=city,
            country=country,
            is_deleted=is_deleted or self.raw.get("deleted") is True,
        )


def read_place(address: Json) -> tuple[str, str]:
    """City and country of an address; "" for what it does not tell."""
    return find_text(address, "city", longest=MAX_TEXT_LENGTH), find_text(
        address, "country", longest=MAX_COUNTRY_LENGTH
    )


@dataclass(frozen=True, slots=True)
class StripeCheckoutSession:
    """`mode`, `status`, `payment_status` are Stripe's words; `total` is read only where money is at stake."""

    refs: ObjectRefs
    mode: str
    status: str
    payment_status: str
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def read(cls, source: Json) -> "StripeCheckoutSession":
        """Raises MalformedObject without an id, and for a word that we do not know: it may mean that money came."""
        return cls(
            refs=_about(source),
            mode=find_known(source, "mode", MODES),
            status=find_known(source, "status", STATUSES),
            payment_status=find_known(source, "payment_status", PAYMENT_STATUSES),
            raw=source,
        )

    @property
    def total(self) -> Money:
        """What the buyer pays in all, in the currency that we asked for. Raises MalformedObject.

        Where the payment came with it, that tells: of what is held a part only may have been taken.
        """
        intent = find_object(self.raw, "payment_intent")
        if find_text(intent, "status") == "succeeded" and intent.get("amount_received") is not None:
            return Money.read(intent, "amount_received")
        return Money.read(self.raw, "amount_total")

    @property
    def url(self) -> str:
        """Where the buyer pays, while the session is open; whoever knows it can pay there."""
        return find_text(self.raw, "url")

    @property
    def expires_at(self) -> datetime | None:
        """Until when one can pay there."""
        return find_moment(self.raw, "expires_at")

    @property
    def intent_status(self) -> str:
        """Stripe's word for its payment, where the PaymentIntent came with it; "" otherwise. Raises MalformedObject."""
        return read_intent_status(find_object(self.raw, "payment_intent"))

    @property
    def billing(self) -> ObjectRefs:
        """The subscription that it began, with its first invoice and its customer; what is "" was not told."""
        return ObjectRefs(
            subscription=id_of(self.raw.get("subscription")),
            invoice=id_of(self.raw.get("invoice")),
            customer=id_of(self.raw.get("customer")),
            site=self.refs.site,
        )

    @property
    def place(self) -> tuple[str, str]:
        """City and country of the buyer, as they told Checkout."""
        return read_place(find_object(find_object(self.raw, "customer_details"), "address"))

    def customer_fact(self, *, at: datetime) -> CustomerFact:
        """Where its customer lives, as they told Checkout; their name at Stripe need not be what they typed there."""
        city, country = self.place
        return CustomerFact(ObjectRefs(customer=id_of(self.raw.get("customer"))), at, city=city, country=country)


def _about(source: Json) -> ObjectRefs:
    refs = read_refs(source, session=get_id(source), payment_intent=id_of(source.get("payment_intent")))
    if refs.order:
        return refs
    # Anybody who makes sessions in the account may write here what they like: only a UUID can be ours.
    return replace(refs, order=find_uuid(source, "client_reference_id"))
