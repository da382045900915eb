"""What an order has received, given back, lost and still has, in words: one sum for each currency."""

from typing import Any

from django.db.models import Sum
from django.utils.functional import lazy

from payments.money import format_amount, total_text
from payments.statuses import WAS_PAID


class MoneyInWords:
    """What people are told of an order's payments: what came in another currency than asked for shows in its own."""

    currency: Any
    amount_received: Any
    amount_refunded: Any
    payments: Any
    status: Any

    @property
    def received_text(self) -> str:
        """All that came for it, "€0.00" for nothing."""
        return self._total(self.amount_received, "received") or format_amount(0, self.currency)

    @property
    def refunded_text(self) -> str:
        """All that was given back; "" for nothing."""
        return self._total(self.amount_refunded, "refunded")

    @property
    def lost_text(self) -> str:
        """All that disputes took for good; "" for nothing."""
        return self._total(self._lost(), "lost")

    @property
    def here_text(self) -> str:
        """What is still here, "€0.00" for nothing."""
        own = self.amount_received - self.amount_refunded - self._lost()
        return self._total(own, "here") or format_amount(0, self.currency)

    @property
    def has_money_here(self) -> bool:
        """Whether money came for it, in any currency, and was neither given back nor lost."""
        own = self.amount_received - self.amount_refunded - self._lost()
        return bool(self._total(own, "here"))

    @property
    def other_money(self) -> list[dict[str, int | str]]:
        """What came in other currencies than was asked for: `currency`, `received`, `refunded` of each."""
        foreign = self.payments.filter(received__gt=0).exclude(currency=self.currency).order_by("currency")
        return list(foreign.values("currency").annotate(received=Sum("received"), refunded=Sum("refunded")))

    @property
    def has_unfitting_money(self) -> bool:
        """Money is here although it does not pay the order: staff decide what becomes of it."""
        return self.status not in WAS_PAID and any(payment.here for payment in self.payments.all())

    def _total(self, own: int, name: str) -> str:
        """So much of its own currency, and what its payments say in others."""
        foreign = [payment for payment in self.payments.all() if payment.currency != self.currency]
        return total_text([(own, self.currency), *((getattr(each, name), each.currency) for each in foreign)])

    def _lost(self) -> int:
        return sum(payment.lost for payment in self.payments.all() if payment.currency == self.currency)


# For a mail's context: it finds its words when the mail is written, in the reader's language.
refunded_in_words = lazy(lambda order: order.refunded_text, str)
here_in_words = lazy(lambda order: order.here_text, str)
