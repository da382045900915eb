"""What sample events are about: one order, one try to pay it, and Stripe ids that stay the same all along."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Json = dict[str, Any]
OLD_SHAPE, CURRENT_SHAPE = "2023-10-16", "current"
SHAPES = (OLD_SHAPE, CURRENT_SHAPE)
USUAL_DECLINE = "insufficient_funds"


@dataclass(frozen=True, slots=True)
class SampleSubject:
    """The order that the events tell of. A Stripe id that is not given is made up, always the same one."""

    order: str
    registration: str
    site: str
    attempt: int
    amount: int
    currency: str
    email: str
    name: str
    livemode: bool = False
    session: str = ""
    payment_intent: str = ""
    charge: str = ""
    began_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Variation:
    """What may differ from the usual story. None and "" leave it as usual."""

    amount: int | None = None
    """What the event speaks of, in minor units: paid, refunded (a charge: in all) or disputed."""
    status: str = ""
    """Stripe's word: `payment_status` of a session, `status` of a refund or dispute."""
    decline_code: str = USUAL_DECLINE
    number: int = 1
    """Which decline, refund or dispute of this order: another number has another id."""


@dataclass(frozen=True, slots=True)
class Story:
    """A subject as seen at one moment in one shape of the API."""

    subject: SampleSubject
    shape: str
    at: datetime
    variation: Variation = field(default_factory=Variation)

    @property
    def amount(self) -> int:
        return self.subject.amount if self.variation.amount is None else self.variation.amount

    @property
    def session(self) -> str:
        mode = "live" if self.subject.livemode else "test"
        return self.subject.session or f"cs_{mode}_a1{self._made_up('session', 56)}"

    @property
    def payment_intent(self) -> str:
        return self.subject.payment_intent or f"pi_3{self._made_up('payment_intent')}"

    @property
    def charge(self) -> str:
        """The charge that paid."""
        return self.subject.charge or f"ch_3{self._made_up('charge')}"

    @property
    def declined_charge(self) -> str:
        return f"ch_3{self._made_up(f'declined {self.variation.number}')}"

    @property
    def refund(self) -> str:
        return f"re_3{self._made_up(f'refund {self.variation.number}')}"

    @property
    def dispute(self) -> str:
        return f"du_1{self._made_up(f'dispute {self.variation.number}')}"

    @property
    def metadata(self) -> dict[str, str]:
        """What we write into Session and PaymentIntent."""
        return {
            "orderId": self.subject.order,
            "registrationId": self.subject.registration,
            "attempt": str(self.subject.attempt),
            "site": self.subject.site,
        }

    def is_old(self) -> bool:
        return self.shape == OLD_SHAPE

    def now(self) -> int:
        """The moment of the event in whole seconds, as Stripe counts."""
        return int(self.at.timestamp())

    def after(self, **passed: int) -> int:
        """So long after the session began, yet never later than the event itself."""
        began = self.subject.began_at or self.at
        return min(int((began + timedelta(**passed)).timestamp()), self.now())

    def by_shape(self, *, old: Json, current: Json) -> Json:
        """The fields that only one of the two shapes has."""
        return old if self.is_old() else current

    def _made_up(self, what: str, length: int = 23) -> str:
        seed = f"{self.subject.order}:{self.subject.attempt}:{what}"
        return hashlib.sha256(seed.encode()).hexdigest()[:length]
