"""`/registrations/<token>/cannot-come` and `…/calendar.ics`: what else a person does with a place that is theirs."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.rate_limit import allow, too_often
from payments.money import format_amount
from payments.pages.base_views import see_other
from registrations.details import CALENDAR_FILE, CALENDAR_TYPE, calendar_file
from registrations.links import Link, find_link, page_url
from registrations.pages.display_state import RegistrationDisplayState, display_state_of
from registrations.services.withdraw import CannotWithdraw, Way, withdraw, withdrawal_of


@method_decorator(never_cache, name="dispatch")
class WithdrawPage(View):
    """Says first what goes back; only the button does it."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        row, now = _living(token).registration, timezone.now()
        found = withdrawal_of(row, at=now)
        if found.way in (Way.NONE, Way.UNDER_WAY):
            return see_other(reverse("registration", args=[token]))
        context = {
            "token": token, "registration": row, "activity": row.activity, "order": row.order, "withdrawal": found,
            "sum": format_amount(found.amount, row.order.currency),
        }  # fmt: skip
        return render(request, "registrations/withdraw.html", context)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        row = _living(token).registration
        if not (decision := allow(request, "registration")).is_allowed:
            return too_often(request, decision)
        try:
            withdraw(registration=row, at=timezone.now())
        except CannotWithdraw:
            # The page says how it stands now.
            return see_other(reverse("cannot-come", args=[token]))
        return see_other(reverse("registration", args=[token]))


@require_safe
@never_cache
def calendar(request: HttpRequest, token: str) -> HttpResponse:
    """The activity for one's calendar; only for whoever has a place, or had one in what is called off."""
    row, now = _living(token).registration, timezone.now()
    shown = (RegistrationDisplayState.CONFIRMED, RegistrationDisplayState.CALLED_OFF_PAID)
    if display_state_of(row, at=now) not in shown:
        raise Http404
    headers = {"Content-Disposition": f'attachment; filename="{CALENDAR_FILE}"'}
    return HttpResponse(calendar_file(row, url=page_url(row), at=now), content_type=CALENDAR_TYPE, headers=headers)


def _living(token: str) -> Link:
    """Raises Http404, also for a link that has ended."""
    link = find_link(token)
    if link is None or link.has_ended:
        raise Http404
    return link
