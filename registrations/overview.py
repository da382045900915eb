"""What a person's account shows of their registrations."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from accounts.overview import Section, account_section
from registrations.links import page_path, receipt_path
from registrations.models import Registration
from registrations.pages.standing import Standing, standing_of

# Nobody has so many; the page must not grow without limit all the same.
MOST_LINES = 200
# The pills of the registration's own page (templates/registrations/state.html).
PILLS: dict[Standing, tuple[str, str | Promise]] = {
    Standing.CONFIRMED: ("good", pgettext_lazy("pill", "confirmed")),
    Standing.NO_PLACE: ("few", pgettext_lazy("pill", "paid, without a place")),
    Standing.CONFIRMING: ("few", pgettext_lazy("pill", "being confirmed")),
    Standing.UNHEARD: ("few", pgettext_lazy("pill", "being confirmed")),
    Standing.WAITING: ("few", pgettext_lazy("pill", "waiting for payment")),
    Standing.ACTION_REQUIRED: ("few", pgettext_lazy("pill", "waiting for you")),
    Standing.PROCESSING: ("few", pgettext_lazy("pill", "payment under way")),
    Standing.DECLINED: ("none", pgettext_lazy("pill", "payment declined")),
    Standing.TOO_LATE: ("off", pgettext_lazy("pill", "over")),
    Standing.EXPIRED: ("off", pgettext_lazy("pill", "expired")),
    Standing.CANCELED: ("off", pgettext_lazy("pill", "canceled")),
    Standing.REFUNDED: ("off", pgettext_lazy("pill", "refunded")),
    Standing.GIVEN_UP: ("off", pgettext_lazy("pill", "canceled")),
    Standing.TAKEN_BACK: ("off", pgettext_lazy("pill", "ended")),
    Standing.CALLED_OFF: ("none", pgettext_lazy("pill", "called off")),
    Standing.CALLED_OFF_PAID: ("none", pgettext_lazy("pill", "called off")),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One registration. `page` and `receipt`: addresses; "" where nothing was paid."""

    registration: Registration
    tint: str
    words: str | Promise
    page: str
    receipt: str


@account_section
def registrations(user: User, at: datetime) -> Section:
    """The latest date first; what ended unpaid is left out, as in every list. One query."""
    rows = user.registrations.live().select_related("activity", "order").order_by("-activity__starts_at", "-pk")
    lines = [_line(row, at=at) for row in rows[:MOST_LINES]]
    return Section(_("Your registrations"), "accounts/registrations.html", {"lines": lines})


def _line(row: Registration, *, at: datetime) -> Line:
    tint, words = PILLS[standing_of(row, at=at)]
    return Line(row, tint, words, page=page_path(row), receipt=receipt_path(row))
