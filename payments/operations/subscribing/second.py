"""Asks staff about people with two subscriptions: both may have been paid at the very same moment.

Run by the timetable, after the fact: no lock of ours reaches two pages that are open at Stripe.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import Count

from payments.billing.models import Subscription
from payments.orders.exceptions import save_exceptions
from payments.orders.models import OrderException
from payments.products import Question
from payments.statuses import ExceptionKind


@transaction.atomic
def ask_about_second(*, at: datetime) -> int:
    """Open a question for each subscription beyond a person's first, close those whose cause is gone.

    Returns how many there are. Staff who have settled a question are not asked again.
    """
    seconds = list(_seconds())
    names = {question.subject for question in seconds}
    asked = OrderException.objects.filter(kind=ExceptionKind.SECOND_SUBSCRIPTION, is_open=True)
    settled = [Question(ExceptionKind.SECOND_SUBSCRIPTION, row.subject, row.order_id, False) for row in asked]
    save_exceptions([*seconds, *[question for question in settled if question.subject not in names]], at=at)
    return len(seconds)


def _seconds() -> Iterator[Question]:
    live = Subscription.objects.live().filter(customer__user__isnull=False)
    many = live.order_by().values("customer__user").annotate(count=Count("pk")).filter(count__gt=1)
    rows = live.filter(customer__user__in=many.values("customer__user")).select_related("customer")
    by_person = defaultdict(list)
    for row in rows.order_by("started_at", "pk"):
        by_person[row.customer and row.customer.user_id].append(row)
    for first, *others in by_person.values():
        for row in others:
            detail = f"{row.customer}: {first.stripe_id}, {row.stripe_id}"
            yield Question(ExceptionKind.SECOND_SUBSCRIPTION, row.stripe_id, row.order_id, True, detail)
