"""A Checkout session in our words: https://docs.stripe.com/api/checkout/sessions/object"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from payments.facts import About, CustomerFact
from payments.stripe_api.snapshots.customer import read_place
from payments.stripe_api.snapshots.reading import (
    Json,
    Money,
    find_moment,
    find_object,
    find_text,
    find_uuid,
    get_id,
    id_of,
    read_about,
)


@dataclass(frozen=True, slots=True)
class CheckoutSession:
    """`mode`, `status`, `payment_status` are Stripe's words; `total` is read only where money is at stake."""

    about: About
    mode: str
    status: str
    payment_status: str
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def read(cls, source: Json) -> "CheckoutSession":
        """Raises MalformedObject without an id."""
        return cls(
            about=_about(source),
            mode=find_text(source, "mode"),
            status=find_text(source, "status"),
            payment_status=find_text(source, "payment_status"),
            raw=source,
        )

    @property
    def total(self) -> Money:
        """What the buyer pays in all, in the currency that we asked for. Raises MalformedObject."""
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
        """Stripe's word for its payment, where the PaymentIntent came with it; "" otherwise."""
        return find_text(find_object(self.raw, "payment_intent"), "status")

    @property
    def billing(self) -> About:
        """The subscription that it began, with its first invoice and its customer; what is "" was not told."""
        return About(
            subscription=id_of(self.raw.get("subscription")),
            invoice=id_of(self.raw.get("invoice")),
            customer=id_of(self.raw.get("customer")),
            site=self.about.site,
        )

    @property
    def place(self) -> tuple[str, str]:
        """City and country of the buyer, as they told Checkout."""
        return read_place(find_object(find_object(self.raw, "customer_details"), "address"))

    def told_customer(self, *, at: datetime) -> CustomerFact:
        """Where its customer lives, as they told Checkout; their name at Stripe need not be what they typed there."""
        city, country = self.place
        return CustomerFact(About(customer=id_of(self.raw.get("customer"))), at, city=city, country=country)


def _about(source: Json) -> About:
    about = read_about(source, session=get_id(source), payment_intent=id_of(source.get("payment_intent")))
    if about.order:
        return about
    # Anybody who makes sessions in the account may write here what they like: only a UUID can be ours.
    return replace(about, order=find_uuid(source, "client_reference_id"))
