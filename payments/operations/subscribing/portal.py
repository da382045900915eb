"""Leads a person to Stripe's own pages about their cards and invoices."""

from django.conf import settings

from accounts.models import User
from payments.billing.subscribers import living_customers
from payments.operations.subscribing.live import live_of
from payments.stripe_api.gateway import create_portal_session


class NoCustomer(Exception):
    """Stripe does not know the person: they have bought nothing there that renews itself."""


def open_portal(*, user: User, return_path: str, language: str) -> str:
    """The address of Stripe's Customer Portal for the person, good for some minutes. Raises NoCustomer."""
    live = live_of(user).first()
    customer = live.customer if live else living_customers(user.pk).last()
    if customer is None:
        raise NoCustomer(str(user.pk))
    return_url = f"{settings.SITE_URL}{return_path}"
    return create_portal_session(customer=customer.stripe_id, return_url=return_url, language=language)
