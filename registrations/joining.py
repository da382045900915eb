"""What somebody registered for as a guest joins their account, once the address is known to be theirs."""

from datetime import datetime

from accounts.hooks import joins
from accounts.models import User
from registrations.models import Registration


@joins
def join_registrations(user: User, at: datetime) -> None:
    """Those with the address that belong to nobody yet; locked in the order in which everybody locks them."""
    guests = Registration.objects.filter(email=user.email, user__isnull=True).order_by("pk")
    ids = list(guests.select_for_update(no_key=True).values_list("pk", flat=True))
    Registration.objects.filter(pk__in=ids).update(user=user)
