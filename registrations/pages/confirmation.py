"""The links by which an address is confirmed: of a free place, and of somebody who wants to wait for one."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from payments.pages.base_views import see_other
from registrations.links import find_confirmed_by_token, find_waiting_by_token, page_path
from registrations.models import Registration, WaitingEntry
from registrations.pages.display_state import RegistrationDisplayState, display_state_of
from registrations.services.register import confirm_address, prove_address
from registrations.services.waiting_list import confirm_waiting


@method_decorator(never_cache, name="dispatch")
class ConfirmPage(View):
    """Opened, the link does nothing: mail programs look at links, too. The button takes the place."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        row = self._find(token)
        if display_state_of(row, at=timezone.now()) != RegistrationDisplayState.CONFIRM_ADDRESS:
            return see_other(page_path(row))
        context = {"registration": row, "order": row.order, "activity": row.activity}
        return render(request, "registrations/confirm.html", context)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        row, now = self._find(token), timezone.now()
        if display_state_of(row, at=now) == RegistrationDisplayState.CONFIRM_ADDRESS:
            confirm_address(registration=row, at=now)
            prove_address(registration=row, at=now)
        return see_other(page_path(row))

    def _find(self, token: str) -> Registration:
        if row := find_confirmed_by_token(token):
            return row
        raise Http404


@method_decorator(never_cache, name="dispatch")
class ConfirmWaitingPage(View):
    """The same for the waiting list."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        entry = self._find(token)
        if not entry.is_unconfirmed:
            return _on_the_list(entry)
        return render(request, "registrations/confirm_waiting.html", {"entry": entry, "activity": entry.activity})

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        entry = self._find(token)
        confirm_waiting(entry=entry, at=timezone.now())
        return _on_the_list(entry)

    def _find(self, token: str) -> WaitingEntry:
        if entry := find_waiting_by_token(token):
            return entry
        raise Http404


def _on_the_list(entry: WaitingEntry) -> HttpResponse:
    return see_other(f"{reverse('activity', args=[entry.activity.slug])}?waiting")
