"""Who a person is at Stripe and which subscription they have: as we know it, and as Stripe knows it at this moment."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, QuerySet

from accounts.models import User
from payments.apply.apply import apply, save_exceptions
from payments.apply.batch import FactSet
from payments.billing.models import Customer, Subscription
from payments.checkout.refusals import Cause, asking_about_refusals
from payments.ledger.record import requeue_naming
from payments.orders.models import OrderException, Reference
from payments.products import Question
from payments.statuses import SUBSCRIPTION_ENDED, ExceptionKind, SubscriptionStatus
from payments.stripe_api.gateway import Answer, GatewayRefused, create_customer
from payments.stripe_api.lookups import look_up_customer, look_up_subscription, subscriptions_of
from payments.stripe_api.snapshots import StripeCustomer, StripeSubscription

SOURCE = "account"
NOT_LIVE = (*SUBSCRIPTION_ENDED, SubscriptionStatus.INCOMPLETE)


class NoSubscription(Exception):
    """The person has none that could be changed."""


def live_of(user: User) -> QuerySet[Subscription]:
    """What the person has, the oldest first: with more than one, that is the one which they act on."""
    rows = Subscription.objects.live().filter(customer__user=user).select_related("plan", "customer")
    return rows.order_by("started_at", "pk")


def get_live(user: User) -> Subscription:
    """The one which they act on. Raises NoSubscription."""
    if row := live_of(user).first():
        return row
    raise NoSubscription(str(user.pk))


def refresh_live(user: User, *, at: datetime) -> Subscription | None:
    """The one which they act on, after a look at Stripe: events of another one, or of an end, may not have come."""
    own = Subscription.objects.filter(customer__user=user)
    to_ask = set(own.filter(needs_resync=True).values_list("stripe_id", flat=True))
    for customer in Customer.objects.living_of(user.pk):
        listed = [StripeSubscription.read(raw) for raw in subscriptions_of(customer.stripe_id)]
        to_ask |= {each.refs.subscription for each in listed if each.status not in NOT_LIVE}
    sure = live_of(user).filter(needs_resync=False).values_list("stripe_id", flat=True)
    for name in sorted(to_ask - set(sure)):
        apply_answer(look_up_subscription(name), at=at)
    return live_of(user).first()


def apply_answer(answer: Answer, *, at: datetime, source: str = SOURCE) -> None:
    """Apply what Stripe has just answered about a subscription; its events find it known.

    Dated by Stripe's clock, and later than all that was known: it was asked after that.
    """
    subscription = StripeSubscription.read(answer.raw)
    name = subscription.refs.subscription
    known = Subscription.objects.filter(stripe_id=name).values_list("stripe_updated_at", flat=True).first()
    said_at = max(answer.said_at, known + timedelta(seconds=1)) if known else answer.said_at
    report = apply([FactSet([subscription.to_fact(at=said_at)], source=source, occurred_at=said_at)], at=at)
    if error := report.applied[0].error:
        raise error
    requeue_naming(report.new_references, at=at)


def ensure_customer(user: User, *, at: datetime) -> Customer:
    """The person's customer, which Stripe knows at this moment; made if there is none.

    A page of Checkout for somebody whom Stripe has forgotten could never be opened.
    """
    for row in Customer.objects.living_of(user.pk):
        if _is_at_stripe(row, at=at):
            return row
    return _make_customer(user, at=at)


def _is_at_stripe(row: Customer, *, at: datetime) -> bool:
    """Whether Stripe still has them; if not, that is kept."""
    try:
        answer = look_up_customer(row.stripe_id)
    except GatewayRefused as refusal:
        if refusal.code != "resource_missing":
            raise
        Customer.objects.filter(pk=row.pk, deleted_at__isnull=True).update(deleted_at=at)
        return False
    told = StripeCustomer.read(answer.raw).to_fact(at=answer.said_at)
    apply([FactSet([told], source=SOURCE, occurred_at=answer.said_at)], at=at)
    return not told.is_deleted


def _make_customer(user: User, *, at: datetime) -> Customer:
    """From two tabs at one moment there is one key, so one customer."""
    former = Customer.objects.filter(user=user).count()
    # Other sites may share the Stripe account, and a database that was set up anew counts from 1 again.
    key = f"cust:{settings.SITE_NAME}:{user.pk}:{int(user.date_joined.timestamp())}:{former}"
    metadata = {"site": settings.SITE_NAME, "userId": str(user.pk)}
    with asking_about_refusals(Cause(f"customer:{user.pk}", user.email), at=at):
        name = create_customer(email=user.email, metadata=metadata, idempotency_key=key)
    row = _record_customer(name, user)
    requeue_naming([name], at=at)
    return row


@transaction.atomic
def _record_customer(name: str, user: User) -> Customer:
    row, is_new = Customer.objects.get_or_create(stripe_id=name, defaults={"user": user, "email": user.email})
    if not is_new and row.user_id is None:
        Customer.objects.filter(pk=row.pk).update(user=user)
    Reference.objects.get_or_create(name=name, defaults={"customer": row})
    return row


@transaction.atomic
def ask_about_second_subscriptions(*, at: datetime) -> int:
    """Open a question for each subscription beyond a person's first, close those whose cause is gone.

    Two may have been paid at the very same moment, and no lock of ours reaches two pages that are open at Stripe: so
    the timetable looks after the fact. Returns how many there are. Staff who have settled a question are not asked
    again.
    """
    found = list(_second_subscriptions())
    names = {question.subject for question in found}
    asked = OrderException.objects.filter(kind=ExceptionKind.SECOND_SUBSCRIPTION, is_open=True)
    gone = [
        Question(ExceptionKind.SECOND_SUBSCRIPTION, row.subject, row.order_id, False)
        for row in asked
        if row.subject not in names
    ]
    save_exceptions([*found, *gone], at=at)
    return len(found)


def _second_subscriptions() -> Iterator[Question]:
    live = Subscription.objects.live().filter(customer__user__isnull=False)
    many = live.order_by().values("customer__user").annotate(count=Count("pk")).filter(count__gt=1)
    rows = live.filter(customer__user__in=many.values("customer__user")).select_related("customer")
    by_person = defaultdict(list)
    for row in rows.order_by("started_at", "pk"):
        by_person[row.customer and row.customer.user_id].append(row)
    for first, *others in by_person.values():
        for row in others:
            detail = f"{row.customer}: {first.stripe_id}, {row.stripe_id}"
            yield Question(
                ExceptionKind.SECOND_SUBSCRIPTION, row.stripe_id, row.order_id, True, detail, subscription_id=row.pk
            )
