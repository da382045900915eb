"""The addresses of a registration: its own page, the receipt for its payment, and where one registers again.

Its own page is reached by a token: whoever has the link may see the registration and pay.
"""

from django.conf import settings
from django.core import signing
from django.urls import reverse

from payments.statuses import WAS_PAID
from registrations.models import Activity, Registration, WaitingEntry

TOKEN_SALT = "registrations.link"
# Sent to the mailbox and nowhere else: whoever has one of these reads mail there.
CONFIRM_SALT, WAITING_SALT = "registrations.confirm", "registrations.waiting"


def token_of(registration: Registration) -> str:
    """One token for ever; it tells nothing but an id, and cannot be guessed or made by others."""
    return _sign(registration.public_id, salt=TOKEN_SALT)


def find_by_token(token: str, *, salt: str = TOKEN_SALT) -> Registration | None:
    """The registration with its order and activity; None for a token that is not ours."""
    if not (public_id := _unsign(token, salt=salt)):
        return None
    return Registration.objects.select_related("order", "activity").filter(public_id=public_id).first()


def find_waiting_by_token(token: str) -> WaitingEntry | None:
    """Who waits, with the activity; None for a token that is not ours."""
    if not (key := _unsign(token, salt=WAITING_SALT)):
        return None
    return WaitingEntry.objects.select_related("activity").filter(pk=key).first()


def confirmation_url(registration: Registration) -> str:
    """Where the address is confirmed, for the mail that goes there."""
    return f"{settings.SITE_URL}{reverse('confirm', args=[_sign(registration.public_id, salt=CONFIRM_SALT)])}"


def waiting_confirmation_url(entry: WaitingEntry) -> str:
    """Where somebody who wants to wait confirms the address, for the mail that goes there."""
    return f"{settings.SITE_URL}{reverse('confirm-waiting', args=[_sign(entry.pk, salt=WAITING_SALT)])}"


def _sign(name: object, *, salt: str) -> str:
    return signing.Signer(salt=salt).sign(str(name))


def _unsign(token: str, *, salt: str) -> str:
    """What was signed; "" for a token that is not ours."""
    try:
        return signing.Signer(salt=salt).unsign(token)
    except signing.BadSignature:
        return ""


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
