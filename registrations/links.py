"""The addresses of a registration: its own page, the receipt for its payment, and where one registers again.

Its own page is reached by a token: whoever has the link may see the registration and pay.
"""

from django.conf import settings
from django.core import signing
from django.urls import reverse

from payments.statuses import WAS_PAID
from registrations.models import Activity, Registration

TOKEN_SALT = "registrations.link"


def token_of(registration: Registration) -> str:
    """One token for ever; it tells nothing but an id, and cannot be guessed or made by others."""
    return signing.Signer(salt=TOKEN_SALT).sign(str(registration.public_id))


def find_by_token(token: str) -> Registration | None:
    """The registration with its order and activity; None for a token that is not ours."""
    try:
        public_id = signing.Signer(salt=TOKEN_SALT).unsign(token)
    except signing.BadSignature:
        return None
    return Registration.objects.select_related("order", "activity").filter(public_id=public_id).first()


def page_path(registration: Registration) -> str:
    """The person's own page, as a path on this site."""
    return reverse("registration", args=[token_of(registration)])


def page_url(registration: Registration) -> str:
    """The person's own page with the name of the site, for a mail or for Stripe."""
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
