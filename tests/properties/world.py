"""A small world to tell stories in: one activity, one registration a person, and a picture of all that must agree."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings

from payments.billing.models import Dispute, Payment, Refund
from payments.effects.models import Effect
from payments.ledger.models import PaymentEvent
from payments.orders.models import CheckoutAttempt, Order, OrderException, Reference
from payments.processing.drain import drain
from payments.samples.events import sample_event
from payments.samples.story import CURRENT_SHAPE, Json, SampleSubject
from registrations.mails import message_for
from registrations.models import Activity, Registration
from registrations.services.register import register
from tests.properties.stories import CURRENCY, NOON, PRICE, Story
from tests.support.road import keep

SPACE = UUID(int=7)


def public_id_of(number: int, *, again: bool = False) -> UUID:
    """The same person always has the same ids, so that two worlds can be compared."""
    return uuid5(SPACE, f"{number}{'again' * again}")


class World:
    """One activity and its people, as they are before Stripe says anything."""

    def __init__(self, stories: Sequence[Story], *, capacity: int) -> None:
        self.activity = Activity.objects.create(
            slug="world",
            title="World",
            price=PRICE,
            currency=CURRENCY,
            capacity=capacity,
            starts_at=NOON + timedelta(days=30),
        )
        for number, story in enumerate(stories):
            self._person(number, story)
            if story.registers_again:
                self._let_expire(number)
                self._person(number, story, again=True)

    def _person(self, number: int, story: Story, *, again: bool = False) -> None:
        row = register(
            activity=self.activity, name=f"P{number}", email=f"p{number}@example.com", language="en", at=NOON
        )
        public_id = public_id_of(number, again=again)
        Reference.objects.filter(order=row.order).delete()
        Order.objects.filter(pk=row.order_id).update(public_id=public_id, attempt_number=story.attempts)
        Registration.objects.filter(pk=row.pk).update(public_id=public_id)
        names = (f"order:{public_id}", f"registration:{public_id}")
        Reference.objects.bulk_create(Reference(name=name, order_id=row.order_id) for name in names)
        for attempt in range(2, story.attempts + 1):
            CheckoutAttempt.objects.create(order_id=row.order_id, number=attempt, created_at=NOON)
        if story.knows_sessions:
            self._answer(row.order_id, number, story, again=again)

    def _answer(self, order_id: int, number: int, story: Story, *, again: bool) -> None:
        """Stripe's answers have told us the sessions' ids."""
        for attempt in range(1, story.attempts + 1):
            session = self.subject(number, attempt, again=again).session
            CheckoutAttempt.objects.filter(order_id=order_id, number=attempt).update(session=session)
            Reference.objects.create(name=session, order_id=order_id, attempt=attempt)

    def _let_expire(self, number: int) -> None:
        subject = self.subject(number, 1)
        self.receive(sample_event("checkout.session.expired", subject=subject, shape=CURRENT_SHAPE, at=NOON), at=NOON)
        drain(at=NOON)

    def subject(self, number: int, attempt: int, *, again: bool = False) -> SampleSubject:
        """Whom the events of this person's n-th session are about."""
        public_id = str(public_id_of(number, again=again))
        return SampleSubject(
            order=public_id, registration=public_id, site=settings.SITE_NAME, attempt=attempt, amount=PRICE,
            currency=CURRENCY, email=f"p{number}@example.com", name=f"P{number}",
            session=f"cs_test_{number}_{attempt}{'_again' * again}",
        )  # fmt: skip

    def receive(self, event: Json, *, at: datetime) -> None:
        """Put the event into the ledger as the webhook does; one that is known is known."""
        keep(event, at=at)


def picture() -> dict[str, Any]:
    """All that must not depend on what was heard when."""
    numbers = dict(Order.objects.values_list("pk", "public_id"))
    orders = Order.objects.order_by("public_id").values(
        "public_id", "status", "paid_at", "amount_received", "amount_refunded", "dispute_state", "attempt_status",
        "attempt_number", "attempt_at", "failed_charge", "failure_code",
    )  # fmt: skip
    return {
        "orders": list(orders),
        "payments": sorted(
            map(
                str,
                Payment.objects.values_list(
                    "key",
                    "session",
                    "charge",
                    "currency",
                    "received",
                    "refunded",
                    "lost",
                    "paid_at",
                    "fraud_warning",
                    "fraud_told_at",
                    "is_fraud_actionable",
                ),
            )
        ),
        "refunds": sorted(Refund.objects.values_list("stripe_id", "payment", "amount", "status", "status_at")),
        "disputes": sorted(Dispute.objects.values_list("stripe_id", "payment", "status", "phase", "status_at")),
        "names": sorted(
            (name, str(numbers[order])) for name, order in Reference.objects.values_list("name", "order_id")
        ),
        "sessions": sorted(CheckoutAttempt.objects.values_list("order__public_id", "number", "session")),
        "questions": sorted(OrderException.objects.filter(is_open=True).values_list("kind", "subject")),
        "places": sorted(Registration.objects.values_list("public_id", "status", "holds_place", "waits_since")),
        "taken": list(Activity.objects.values_list("places_taken", flat=True)),
        "unread": sorted(PaymentEvent.objects.exclude(status="PROCESSED").values_list("stripe_event_id", "status")),
    }


def unsaid() -> list[str]:
    """Final states whose message was neither sent nor waits to be sent."""
    wanted = {
        message.key for row in Registration.objects.select_related("order") if (message := message_for(row, row.order))
    }
    return sorted(wanted - set(Effect.objects.exclude(status="SKIPPED").values_list("key", flat=True)))
