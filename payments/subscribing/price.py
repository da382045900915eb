"""What Stripe takes for a price, held against the plan that is to be sold with it."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from payments.billing.models import Interval
from payments.money import format_amount
from payments.stripe_api.gateway import GatewayRefused
from payments.stripe_api.lookups import look_up_price
from payments.stripe_api.snapshots import Json
from payments.stripe_api.snapshots.reading import find_object, find_text


class UnknownPrice(LookupError):
    """Stripe knows no price of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(_("Stripe knows no price %s: it may belong to another account or mode.") % name)


@dataclass(frozen=True, slots=True)
class PriceAtStripe:
    """What Stripe takes. `amount` in minor units for `interval_count` intervals; None: it has no fixed amount.

    `interval` "": it is paid once.
    """

    name: str
    amount: int | None
    currency: str
    interval: str
    interval_count: int
    is_active: bool

    @classmethod
    def read(cls, name: str, source: Json) -> "PriceAtStripe":
        """From Stripe's object: https://docs.stripe.com/api/prices/object"""
        recurring = find_object(source, "recurring")
        amount, count = source.get("unit_amount"), recurring.get("interval_count")
        is_fixed = isinstance(amount, int) and recurring.get("usage_type") != "metered"
        return cls(
            name, amount if is_fixed else None, find_text(source, "currency").lower(),
            find_text(recurring, "interval"), count if isinstance(count, int) else 1, source.get("active") is True,
        )  # fmt: skip

    @property
    def words(self) -> str:
        """ "€4.00 a month"."""
        if self.amount is None:
            return _("no fixed amount")
        amount = format_amount(self.amount, self.currency)
        if not self.interval:
            return _("%(amount)s once") % {"amount": amount}
        if self.interval_count > 1 or self.interval not in Interval.values:
            values = {"amount": amount, "count": self.interval_count, "interval": self.interval}
            return _("%(amount)s every %(count)d × %(interval)s") % values
        return f"{amount} {Interval(self.interval).label}"

    def differences(self, *, amount: int, currency: str, interval: str, is_on_sale: bool) -> list[str]:
        """What keeps a plan on these terms from being sold with it, in sentences; none: nothing does."""
        found = []
        if (self.amount, self.currency, self.interval, self.interval_count) != (amount, currency, interval, 1):
            here = f"{format_amount(amount, currency)} {Interval(interval).label}"
            told = _("At Stripe %(price)s is %(there)s; here it is %(here)s.")
            found.append(told % {"price": self.name, "there": self.words, "here": here})
        if is_on_sale and not self.is_active:
            found.append(_("%(price)s is archived at Stripe: nobody can subscribe with it.") % {"price": self.name})
        return found


def find_price(name: str) -> PriceAtStripe:
    """What Stripe knows of it. Not to be called inside a transaction.

    Raises UnknownPrice, GatewayUnavailable, and GatewayRefused for anything else that Stripe refuses.
    """
    try:
        answer: Any = look_up_price(name)
    except GatewayRefused as refusal:
        if refusal.code != "resource_missing":
            raise
        raise UnknownPrice(name) from refusal
    return PriceAtStripe.read(name, answer.raw)
