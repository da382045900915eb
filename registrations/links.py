"""The addresses of a registration: its own page, the receipt for its payment, and where one registers again.

Its own page is reached by a token: whoever has the link may see the registration and pay. Who begins it gets one link,
and mails carry another; the first ends as soon as somebody who reads mail at the address has gone on: a name and an
address are known to others, too.
"""

from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.urls import reverse

from payments.names import read_uuid
from payments.statuses import WAS_PAID
from registrations.models import Activity, Registration, WaitingEntry

TOKEN_SALT = "registrations.link"
# Sent to the mailbox and nowhere else: whoever has one of these reads mail there.
MAILED_SALT, CONFIRM_SALT, WAITING_SALT = "registrations.mailed", "registrations.confirm", "registrations.waiting"


@dataclass(frozen=True, slots=True)
class Link:
    """A link to a registration, which comes with its order and activity. `is_mailed`: it was sent to its address."""

    registration: Registration
    is_mailed: bool

    @property
    def has_ended(self) -> bool:
        """It is the one of who began it, and somebody who reads mail at the address has gone on since."""
        return not self.is_mailed and self.registration.address_proven_at is not None


def token_of(registration: Registration) -> str:
    """For the browser of who begins it or goes on with it; it tells nothing but an id, and cannot be guessed."""
    if registration.address_proven_at:
        return mailed_token_of(registration)
    return _sign(registration.public_id, salt=TOKEN_SALT)


def mailed_token_of(registration: Registration) -> str:
    """For mails to the present address and nowhere else."""
    return _sign(registration.public_id, salt=_mailed_salt(registration))


def find_link(token: str) -> Link | None:
    """What the token leads to, be it ended; None for one that is not ours, or of an address that was another one's."""
    row = _find(token)
    if row is None:
        return None
    salts = {_mailed_salt(row): True, TOKEN_SALT: False}
    own = (is_mailed for salt, is_mailed in salts.items() if _unsign(token, salt=salt) == str(row.public_id))
    is_mailed = next(own, None)
    return None if is_mailed is None else Link(row, is_mailed)


def find_confirmed_by_token(token: str) -> Registration | None:
    """Whose address the token of a confirmation proves, with its order and activity."""
    row = _find(token)
    return row if row and _unsign(token, salt=CONFIRM_SALT) == str(row.public_id) else None


def _find(token: str) -> Registration | None:
    public_id = read_uuid(token.partition(":")[0])
    rows = Registration.objects.select_related("order", "activity")
    return rows.filter(public_id=public_id).first() if public_id else None


def _mailed_salt(registration: Registration) -> str:
    """A corrected address takes the links away from whoever reads mail at the wrong one."""
    return f"{MAILED_SALT}:{registration.email}"


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


def mailed_page_path(registration: Registration) -> str:
    """The same for a mail."""
    return reverse("registration", args=[mailed_token_of(registration)])


def page_url(registration: Registration) -> str:
    """The person's own page with the name of the site, for a mail."""
    return f"{settings.SITE_URL}{mailed_page_path(registration)}"


def receipt_path(registration: Registration) -> str:
    """The receipt for what was paid, be the money still here or given back; "" where nothing was."""
    order = registration.order
    is_paid = order.amount_received > 0 and order.status in WAS_PAID
    return reverse("receipt", args=[token_of(registration)]) if is_paid else ""


def receipt_url(registration: Registration) -> str:
    """The receipt, for a mail; there is one once the order is paid."""
    return f"{settings.SITE_URL}{reverse('receipt', args=[mailed_token_of(registration)])}"


def activity_url(activity: Activity) -> str:
    """Where one registers for the activity, for a mail."""
    return f"{settings.SITE_URL}{reverse('activity', args=[activity.slug])}"
