"""What a person's account shows of their modules."""

from datetime import datetime

from django.utils.translation import gettext as _

from accounts.hooks import Section, account_section
from accounts.models import User
from modules_access.services.my_modules import my_modules_of

# All of it is one click away.
MOST_LINES = 5


@account_section
def modules(user: User, at: datetime) -> Section:
    """The few that are open, and the way to all; one query."""
    active = my_modules_of(user, at=at).active
    context = {"lines": active[:MOST_LINES], "more": max(0, len(active) - MOST_LINES)}
    return Section(_("Your modules"), "modules_access/section.html", context)
