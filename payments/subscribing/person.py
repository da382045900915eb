"""Whom Stripe writes to: another address or name of a person here is told to their customer there, as an effect."""

from datetime import datetime
from hashlib import sha256

from django.utils import timezone
from django.utils.translation import gettext_lazy, gettext_noop

from accounts.models import User
from payments.apply.apply import apply
from payments.apply.batch import FactSet
from payments.billing.models import Customer
from payments.effects.deliver import Skip, delivers
from payments.effects.enqueue import EffectRequest, enqueue
from payments.effects.models import Effect
from payments.stripe_api.gateway import update_customer
from payments.stripe_api.snapshots import StripeCustomer
from payments.subscribing.current import SOURCE

CUSTOMER_UPDATE = "customer.update"
NOBODY = Skip(gettext_noop("The customer belongs to nobody here, or is deleted at Stripe."))


def tell_stripe_who(user: User, *, at: datetime) -> None:
    """Have Stripe told, for each of the person's customers that is known there otherwise; in the transaction."""
    rows = Customer.objects.living_of(user.pk)
    differing = [row for row in rows if row.email != user.email or user.name not in ("", row.name)]
    enqueue([_request(row, user, at=at) for row in differing], at=at)


@delivers(CUSTOMER_UPDATE, repeatable=True, words=gettext_lazy("Stripe is told the person’s name and address"))
def deliver_customer(effect: Effect) -> Skip | None:
    """The person as they are called now. Raises GatewayUnavailable, GatewayRefused."""
    row = Customer.objects.select_related("user").filter(stripe_id=effect.data["customer"]).first()
    if row is None or row.user is None or row.deleted_at:
        return NOBODY
    key = f"{effect.key}:{_mark(row.user)}:{effect.data.get('again', 0)}"
    answer = update_customer(customer=row.stripe_id, email=row.user.email, name=row.user.name, idempotency_key=key)
    fact = StripeCustomer.read(answer.raw).to_fact(at=answer.said_at)
    apply([FactSet([fact], source=SOURCE, occurred_at=answer.said_at)], at=timezone.now())
    return None


def _request(row: Customer, user: User, *, at: datetime) -> EffectRequest:
    """One for each change: who goes back to an old address is told of as well."""
    key = f"{CUSTOMER_UPDATE}:{row.stripe_id}:{_mark(user)}:{at:%Y%m%d%H%M%S}"
    return EffectRequest(key, CUSTOMER_UPDATE, None, {"customer": row.stripe_id, "email": user.email})


def _mark(user: User) -> str:
    return sha256(f"{user.email}\n{user.name}".encode()).hexdigest()[:16]
