"""Who a person is at Stripe: one customer each, made when they subscribe first."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from accounts.models import User
from payments.apply.apply import apply
from payments.apply.batch import FactSet
from payments.billing.models import Customer
from payments.billing.subscribers import living_customers
from payments.operations.subscribing.live import SOURCE
from payments.orders.models import Reference
from payments.processing.drain import requeue_naming
from payments.stripe_api.gateway import GatewayRefused, create_customer
from payments.stripe_api.lookups import look_up_customer
from payments.stripe_api.snapshots import StripeCustomer


def ensure_customer(user: User, *, at: datetime) -> Customer:
    """The person's customer, which Stripe knows at this moment; made if there is none.

    A page of Checkout for somebody whom Stripe has forgotten could never be opened.
    """
    for row in living_customers(user.pk):
        if _is_there(row, at=at):
            return row
    return _make(user, at=at)


def _is_there(row: Customer, *, at: datetime) -> bool:
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


def _make(user: User, *, at: datetime) -> Customer:
    """At the same moment from two tabs: the same key, so the same customer."""
    former = Customer.objects.filter(user=user).count()
    # Other sites may share the Stripe account, and a database that was set up anew counts from 1 again.
    key = f"cust:{settings.SITE_NAME}:{user.pk}:{int(user.date_joined.timestamp())}:{former}"
    metadata = {"site": settings.SITE_NAME, "userId": str(user.pk)}
    name = create_customer(email=user.email, metadata=metadata, idempotency_key=key)
    row = _keep(name, user)
    requeue_naming([name], at=at)
    return row


@transaction.atomic
def _keep(name: str, user: User) -> Customer:
    row, is_new = Customer.objects.get_or_create(stripe_id=name, defaults={"user": user, "email": user.email})
    if not is_new and row.user_id is None:
        Customer.objects.filter(pk=row.pk).update(user=user)
    Reference.objects.get_or_create(name=name, defaults={"customer": row})
    return row
