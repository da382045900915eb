"""An invoice, and what pays it, in our words: https://docs.stripe.com/api/invoices/object

The places of its fields moved with https://docs.stripe.com/changelog/basil: both shapes are read.
"""

from dataclasses import dataclass
from datetime import datetime

from payments.facts import About, InvoiceFact
from payments.stripe_api.snapshots.reading import (
    LONGEST_WORD,
    Json,
    find_moment,
    find_object,
    find_rows,
    find_text,
    get_amount,
    get_currency,
    get_id,
    get_word,
    id_of,
    read_billing_about,
)


@dataclass(frozen=True, slots=True)
class Invoice:
    """`about.subscription` is "" where it belongs to none."""

    about: About
    status: str
    raw: Json

    @classmethod
    def read(cls, source: Json) -> "Invoice":
        """Raises MalformedObject without an id or a status."""
        parent = find_object(find_object(source, "parent"), "subscription_details")
        former = find_object(source, "subscription_details")
        payment = _payment(source)
        about = read_billing_about(
            parent or former,
            subscription=id_of(parent.get("subscription")) or id_of(source.get("subscription")),
            customer=id_of(source.get("customer")),
            invoice=get_id(source),
            payment_intent=id_of(source.get("payment_intent")) or id_of(payment.get("payment_intent")),
            charge=id_of(source.get("charge")) or id_of(payment.get("charge")),
        )
        return cls(about=about, status=get_word(source, "status"), raw=source)

    @property
    def is_paid(self) -> bool:
        """Nothing is left to pay: paid, free, or settled by another way than Stripe."""
        return self.status == "paid"

    @property
    def next_try_at(self) -> datetime | None:
        """When Stripe tries again by itself; None: not any more."""
        return find_moment(self.raw, "next_payment_attempt")

    @property
    def finalization_error(self) -> str:
        """Why it could not be made ready to be paid."""
        error = find_object(self.raw, "last_finalization_error")
        return find_text(error, "code", longest=LONGEST_WORD) or find_text(error, "type", longest=LONGEST_WORD)

    def told(self, *, at: datetime) -> InvoiceFact:
        """Its money as it was at that moment. Raises MalformedObject where a paid one does not tell how much."""
        if not self.is_paid:
            return InvoiceFact(self.about, status=self.status, occurred_at=at, price=self._price())
        received = get_amount(self.raw, "amount_paid")
        off_stripe = self._off_stripe()
        return InvoiceFact(
            self.about,
            status=self.status,
            occurred_at=at,
            received=max(received, off_stripe),
            currency=get_currency(self.raw),
            paid_at=find_moment(find_object(self.raw, "status_transitions"), "paid_at") or at,
            period_end=self._period_end(),
            off_stripe=off_stripe,
            price=self._price(),
        )

    def _off_stripe(self) -> int:
        """Before it was told as an amount, all or nothing came by another way."""
        if isinstance(self.raw.get("amount_paid_off_stripe"), int):
            return get_amount(self.raw, "amount_paid_off_stripe")
        return get_amount(self.raw, "amount_due") if self.raw.get("paid_out_of_band") is True else 0

    def _period_end(self) -> datetime | None:
        """The end of the latest period that a line charges; prorations settle what was charged before."""
        lines = [line for line in find_rows(self.raw, "lines") if _is_period(line)]
        ends = [moment for line in lines if (moment := find_moment(find_object(line, "period"), "end"))]
        return max(ends, default=None)

    def _price(self) -> str:
        prices = (_price_of(line) for line in find_rows(self.raw, "lines"))
        return next(filter(None, prices), "")


@dataclass(frozen=True, slots=True)
class InvoicePayment:
    """The link between an invoice and what pays it: https://docs.stripe.com/api/invoice-payment/object"""

    about: About

    @classmethod
    def read(cls, source: Json) -> "InvoicePayment":
        """Raises MalformedObject without an id."""
        get_id(source)
        payment = find_object(source, "payment")
        return cls(
            About(
                invoice=id_of(source.get("invoice")),
                payment_intent=id_of(payment.get("payment_intent")),
                charge=id_of(payment.get("charge")),
            )
        )


def _payment(source: Json) -> Json:
    """What pays it, where the list of payments was asked for: the paid one, else the usual one."""
    rows = find_rows(source, "payments")
    chosen = [row for row in rows if row.get("status") == "paid"] or [row for row in rows if row.get("is_default")]
    return find_object(chosen[0], "payment") if chosen else {}


def _is_period(line: Json) -> bool:
    details = find_object(find_object(line, "parent"), "subscription_item_details")
    is_item = bool(details) or line.get("type") == "subscription"
    return is_item and details.get("proration") is not True and line.get("proration") is not True


def _price_of(line: Json) -> str:
    pricing = find_object(find_object(line, "pricing"), "price_details")
    return id_of(pricing.get("price")) or id_of(line.get("price")) or id_of(line.get("plan"))
