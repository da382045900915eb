"""What a person's account shows of their registrations."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from accounts.hooks import Section, account_section
from accounts.models import User
from registrations.links import page_path, receipt_path
from registrations.models import Registration
from registrations.pages.display_state import DisplayState, display_state

# Nobody has so many; the page must not grow without limit all the same.
MAX_LINES = 200
# The pills of the registration's own page (templates/registrations/state.html).
LABELS: dict[DisplayState, tuple[str, str | Promise]] = {
    DisplayState.CONFIRMED: ("good", pgettext_lazy("pill", "confirmed")),
    DisplayState.NO_PLACE: ("few", pgettext_lazy("pill", "paid, without a place")),
    DisplayState.CONFIRMING: ("few", pgettext_lazy("pill", "being confirmed")),
    DisplayState.UNHEARD: ("few", pgettext_lazy("pill", "being confirmed")),
    DisplayState.WAITING: ("few", pgettext_lazy("pill", "waiting for payment")),
    DisplayState.ACTION_REQUIRED: ("few", pgettext_lazy("pill", "waiting for you")),
    DisplayState.PROCESSING: ("few", pgettext_lazy("pill", "payment under way")),
    DisplayState.DECLINED: ("none", pgettext_lazy("pill", "payment declined")),
    DisplayState.TOO_LATE: ("off", pgettext_lazy("pill", "over")),
    DisplayState.EXPIRED: ("off", pgettext_lazy("pill", "expired")),
    DisplayState.CANCELED: ("off", pgettext_lazy("pill", "canceled")),
    DisplayState.REFUNDED: ("off", pgettext_lazy("pill", "refunded")),
    DisplayState.GIVEN_UP: ("off", pgettext_lazy("pill", "canceled")),
    DisplayState.TAKEN_BACK: ("off", pgettext_lazy("pill", "ended")),
    DisplayState.CALLED_OFF: ("none", pgettext_lazy("pill", "called off")),
    DisplayState.CALLED_OFF_PAID: ("none", pgettext_lazy("pill", "called off")),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One registration. `page` and `receipt`: addresses; "" where nothing was paid."""

    registration: Registration
    tint: str
    label: str | Promise
    page: str
    receipt: str


@account_section
def registrations(user: User, at: datetime) -> Section:
    """The latest date first; what ended unpaid is left out, as in every list. One query."""
    rows = user.registrations.live().select_related("activity", "order").order_by("-activity__starts_at", "-pk")
    lines = [_line(row, at=at) for row in rows[:MAX_LINES]]
    return Section(_("Your registrations"), "accounts/registrations.html", {"lines": lines})


def _line(row: Registration, *, at: datetime) -> Line:
    tint, label = LABELS[display_state(row, at=at)]
    return Line(row, tint, label, page=page_path(row), receipt=receipt_path(row))
