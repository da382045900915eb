"""The addresses of a registration: its own page, the receipt for its payment, and where one registers again."""

from django.conf import settings
from django.urls import reverse

from payments.statuses import WAS_PAID
from registrations.models import Activity, Registration
from registrations.tokens import token_of


def page_path(registration: Registration) -> str:
    """The person's own page, on this site: whoever has the address may see it and pay."""
    return reverse("registration", args=[token_of(registration)])


def page_url(registration: Registration) -> str:
    """The same for a mail or for Stripe."""
    return f"{settings.SITE_URL}{page_path(registration)}"


def receipt_path(registration: Registration) -> str:
    """The receipt for what was paid, be the money still here or given back; "" where nothing was."""
    order = registration.order
    is_paid = order.amount_received > 0 and order.status in WAS_PAID
    return reverse("receipt", args=[token_of(registration)]) if is_paid else ""


def receipt_url(registration: Registration) -> str:
    """The receipt, for a mail; there is one once the order is paid."""
    return f"{settings.SITE_URL}{reverse('receipt', args=[token_of(registration)])}"


def activity_url(activity: Activity) -> str:
    """Where one registers for the activity, for a mail."""
    return f"{settings.SITE_URL}{reverse('activity', args=[activity.slug])}"
