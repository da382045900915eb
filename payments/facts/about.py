"""The names that a fact is about: Stripe's ids, and ours from the metadata."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class About:
    """The names under which we may know the order: Stripe's ids, and ours from the metadata ("" = not told)."""

    session: str = ""
    payment_intent: str = ""
    charge: str = ""
    subscription: str = ""
    invoice: str = ""
    customer: str = ""
    order: str = ""
    """Our order's public id, from `orderId` in the metadata."""
    registration: str = ""
    """`registrationId` in the metadata: our registration's public id or an imported one."""
    site: str = ""
    """The site that made the Stripe object, from `site` in the metadata."""
    attempt: int | None = None
    """The number of the Checkout session within the order, from `attempt` in the metadata."""

    def our_names(self) -> tuple[str, ...]:
        """Names that we give out: an order must exist behind them. Another product's `orderId` is no UUID."""
        order = (f"order:{self.order}",) if _is_uuid(self.order) else ()
        registration = (f"registration:{self.registration}",) if self.registration else ()
        return order + registration

    def names(self) -> tuple[str, ...]:
        """Every name, the one that decides first: session, our own ids, then Stripe's other ids.

        A customer has many orders and subscriptions: their id decides only where nothing else is named.
        """
        candidates = (self.session, *self.our_names(), *self._bound())
        return tuple(name for name in candidates if name) or ((self.customer,) if self.customer else ())

    def stripe_names(self) -> tuple[str, ...]:
        """Stripe's ids: what an event may teach us about an order or a subscription."""
        return tuple(name for name in (self.session, *self._bound()) if name)

    def _bound(self) -> tuple[str, ...]:
        """What belongs to one order or to one subscription."""
        return self.subscription, self.invoice, self.payment_intent, self.charge


def _is_uuid(value: str) -> bool:
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False
