"""Tells a plot to the product, once, in a transaction that is rolled back: what the product leaves is the template.

So the rows of demo data are those of this very version. No mail goes out: each that the product asks for is asked
whether it would, and is written down as delivered.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.db import transaction
from structlog.contextvars import bound_contextvars

from payments.billing.models import Receipt
from payments.checkout.attempts import SESSION_LIFE
from payments.effects.deliver import Skip
from payments.effects.mail import find_writer
from payments.effects.models import Effect
from payments.ledger.models import EventSource, PaymentEvent
from payments.ledger.read_event import read_event
from payments.ledger.record import claim_these, record_event
from payments.names import demo_id
from payments.orders.models import Order, Reference
from payments.processing.drain import process_claimed
from payments.products import product_of
from payments.samples.events import sample_event
from payments.samples.plots import CITY, NAME, NAMES, ORDER, RECEIPT, REQUEST, Plot
from payments.samples.story import CURRENT_SHAPE, Json, SampleSubject, Story
from payments.samples.template import BEGAN, Template, unmistakable
from payments.sql import kept_or_untold
from payments.statuses import EVENT_DONE, EffectStatus

# From what happens at Stripe until it is received, and until it is processed; from then until a mail is delivered.
RECEIVED, PROCESSED = timedelta(milliseconds=1271), timedelta(milliseconds=1318)
SENT = timedelta(milliseconds=640)
# Our own clock has more than whole seconds.
BEGAN_HERE = BEGAN + timedelta(milliseconds=371)


class NotTold(RuntimeError):
    """The product has not taken a plot as it was meant; the text says why. Nothing has happened."""


def tell(plot: Plot, *, begin: Callable[[datetime], Order]) -> Template:
    """The template of this plot. `begin` makes the one order with what is sold, at the moment given, and returns it.

    Raises NotTold.
    """
    with kept_or_untold(), bound_contextvars(request_id=REQUEST):
        telling = _Telling(begin(BEGAN_HERE))
        telling.tell(plot)
        template = Template.of(telling.order, telling.names, lasts=telling.last - BEGAN)
        transaction.set_rollback(True)
    return template


@dataclass(slots=True)
class _Telling:
    """One order on its way. `last`: the latest moment at which anything has happened to it."""

    order: Order
    names: dict[str, str] = field(default_factory=NAMES.copy)
    last: datetime = BEGAN_HERE

    def tell(self, plot: Plot) -> None:
        if plot.has_page:
            self._open_page()
        for number, (event_type, after) in enumerate(plot.events, start=1):
            self._deliver(until=BEGAN + after)
            self._hear(event_type, number=number, at=BEGAN + after)
        self._deliver()
        if plot.has_receipt:
            Receipt.objects.create(number=RECEIPT, order=self.order, issued_at=self.last)

    def _open_page(self) -> None:
        """As `payments.checkout` leaves it once Stripe has answered."""
        attempt = self.order.checkouts.get()
        attempt.session, attempt.expires_at = self.subject.session, BEGAN + SESSION_LIFE
        attempt.save(update_fields=["session", "expires_at"])
        product_of(self.order).hold(self.order, until=attempt.expires_at)
        Reference.objects.create(name=attempt.session, order=self.order, attempt=attempt.number)

    @property
    def subject(self) -> SampleSubject:
        mode = "live" if settings.STRIPE_LIVEMODE else "test"
        row = self.order.references.filter(name__startswith="registration:").first()
        return SampleSubject(
            order=str(self.order.public_id), registration=row.name.partition(":")[2] if row else "",
            site=settings.SITE_NAME, attempt=1, amount=self.order.amount, currency=self.order.currency,
            email=self.order.email, name=NAME, livemode=settings.STRIPE_LIVEMODE,
            session=demo_id(f"cs_{mode}", ORDER), payment_intent=demo_id("pi", ORDER), charge=demo_id("ch", ORDER),
            began_at=BEGAN,
        )  # fmt: skip

    def _hear(self, event_type: str, *, number: int, at: datetime) -> None:
        """The event comes by the webhook, and the worker processes it."""
        key, request = unmistakable(100 + number), f"5eed{number:04d}".ljust(32, "f")
        event = self._event(event_type, event_id=demo_id("evt", key), at=at)
        body = sha256(json.dumps(event).encode()).hexdigest()
        incoming = read_event(
            event, body_sha256=body, expected_livemode=settings.STRIPE_LIVEMODE,
            expected_account=settings.STRIPE_ACCOUNT,
        )  # fmt: skip
        stored = record_event(incoming, source=EventSource.WEBHOOK, request_id=request, at=at + RECEIVED)
        PaymentEvent.objects.filter(pk=stored.id).update(id=key)
        self.names |= {str(key): f"event_{number}", request: f"request_{number}", body: f"body_{number}"}
        process_claimed(lambda: claim_these([key]), at=at + PROCESSED)
        row = PaymentEvent.objects.get(pk=key)
        if row.status not in EVENT_DONE:
            raise NotTold(f"{event_type} is {row.status} {row.error}: is the type held back?")
        self.last = max(self.last, at + PROCESSED)

    def _event(self, event_type: str, *, event_id: str, at: datetime) -> Json:
        """With ids of demo data, and the city where the buyer lives."""
        story = Story(self.subject, CURRENT_SHAPE, at)
        made = sample_event(event_type, subject=self.subject, shape=CURRENT_SHAPE, at=at, event_id=event_id)
        text = json.dumps(made)
        for n, usual in enumerate((story.declined_charge, story.refund, story.dispute)):
            prefix, _, tail = usual.partition("_")
            text = text.replace(tail, demo_id(prefix, f"{ORDER}x{n}").removeprefix(f"{prefix}_"))
        event = json.loads(text)
        if buyer := event["data"]["object"].get("customer_details"):
            buyer["address"]["city"] = CITY
        return event

    def _deliver(self, *, until: datetime | None = None) -> None:
        """Every mail that is due by then, without sending it; all of them if no end is given."""
        pending = Effect.objects.filter(order=self.order, status=EffectStatus.PENDING)
        for effect in (pending.filter(not_before__lte=until) if until else pending).order_by("not_before", "pk"):
            effect.claimed_at = max(effect.not_before, effect.created_at) + SENT
            self._write_down(effect, at=effect.claimed_at)

    def _write_down(self, effect: Effect, *, at: datetime) -> None:
        write = find_writer(effect.kind)
        if write is None:
            raise NotTold(f"{effect.kind} is no mail.")
        skip = write(effect)
        effect.attempts = 1
        if isinstance(skip, Skip):
            effect.status, effect.outcome = EffectStatus.SKIPPED, skip.reason
        else:
            effect.status, effect.delivered_at = EffectStatus.DONE, at
        effect.save()
        self.last = max(self.last, at)
