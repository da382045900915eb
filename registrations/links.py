"""The addresses of a registration: its own page, and the receipt for its payment."""

from django.conf import settings
from django.urls import reverse

from registrations.models import Registration
from registrations.tokens import token_of


def page_path(registration: Registration) -> str:
    """The person's own page, on this site: whoever has the address may see it and pay."""
    return reverse("registration", args=[token_of(registration)])


def page_url(registration: Registration) -> str:
    """The same for a mail or for Stripe."""
    return f"{settings.SITE_URL}{page_path(registration)}"


def receipt_url(registration: Registration) -> str:
    """The receipt, for a mail; there is one once the order is paid."""
    return f"{settings.SITE_URL}{reverse('receipt', args=[token_of(registration)])}"
