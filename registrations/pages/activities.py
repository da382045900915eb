"""`/` and `/activities/<slug>/`: what one can register for, one activity of it, and the way to a place in it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.views import View
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from config.rate_limit import limited
from payments.checkout.attempts import OrderNotPayable
from payments.pages.base_views import see_other
from registrations.forms import PersonForm
from registrations.links import page_path
from registrations.models import Activity, Registration, Sale
from registrations.services.register import (
    ActivityFull,
    AlreadyRegistered,
    CheckoutUnavailable,
    SalesClosed,
    register_or_resume,
    start_checkout,
)
from registrations.services.waiting_list import PlacesLeft, join_waiting_list

ACTIVITIES_PER_PAGE = 60
MAX_PAGE_NUMBER = 10_000


@dataclass(frozen=True, slots=True)
class ActivityCard:
    """One activity as it is offered."""

    activity: Activity
    sale: Sale


class Notice(StrEnum):
    """What the visitor is told first, beside what is true of the activity anyway."""

    NONE = ""
    INVALID = "invalid"
    JUST_FULL = "just_full"
    ALREADY = "already"
    UNAVAILABLE = "unavailable"
    UNAVAILABLE_HELD = "unavailable_held"
    WAITING = "waiting"
    PLACES_LEFT = "places_left"


HTTP_STATUS = {
    Notice.INVALID: 400,
    Notice.JUST_FULL: 409,
    Notice.ALREADY: 409,
    Notice.UNAVAILABLE: 503,
    Notice.UNAVAILABLE_HELD: 503,
}


@dataclass(frozen=True, slots=True)
class FormResult:
    """What became of a form: where to go on, or what to say on this page."""

    redirect_to: str = ""
    notice: Notice = Notice.NONE
    registration: Registration | None = None


@require_safe
@cache_control(private=True, no_cache=True)
def catalogue(request: HttpRequest) -> HttpResponse:
    """What is on sale, the soonest first."""
    page = _page_number(request)
    found = _cards(at=timezone.now(), page=page)
    context = {
        "cards": found[:ACTIVITIES_PER_PAGE],
        "previous_page": page - 1,
        "next_page": page + 1 if len(found) > ACTIVITIES_PER_PAGE else 0,
    }
    return render(request, "public/catalogue.html", context)


class ActivityFormPage(View):
    """A form about one person and one activity: sent off, it leads on or says on the activity's page why not."""

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        activity, form = get_object_or_404(Activity, slug=slug), PersonForm(request.POST)
        result = self.submit(activity, form) if form.is_valid() else FormResult(notice=Notice.INVALID)
        if result.redirect_to:
            return see_other(result.redirect_to)
        return _show(request, activity, form, result)

    def submit(self, activity: Activity, form: PersonForm) -> FormResult:
        """What the form is for."""
        raise NotImplementedError


@method_decorator(cache_control(private=True, no_cache=True), name="dispatch")
@method_decorator(limited("payment"), name="dispatch")
class ActivityPage(ActivityFormPage):
    """The description and the form, which leads to the payment."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        notice = Notice.WAITING if "waiting" in request.GET else Notice.NONE
        return _show(request, get_object_or_404(Activity, slug=slug), PersonForm(), FormResult(notice=notice))

    def submit(self, activity: Activity, form: PersonForm) -> FormResult:
        try:
            result = register_or_resume(activity=activity, at=timezone.now(), **_person(form))
        except SalesClosed:
            # The page says why, instead of the form.
            return FormResult(redirect_to=reverse("activity", args=[activity.slug]))
        except ActivityFull:
            return FormResult(notice=Notice.JUST_FULL)
        except AlreadyRegistered:
            return FormResult(notice=Notice.ALREADY)
        if activity.price == 0 and not result.is_resumed:
            return FormResult(redirect_to=page_path(result.registration))
        return _to_checkout(result.registration)


@method_decorator(limited("payment"), name="dispatch")
class WaitingListPage(ActivityFormPage):
    """The form of a full activity; nothing of its own to see."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        return redirect("activity", slug)

    def submit(self, activity: Activity, form: PersonForm) -> FormResult:
        try:
            join_waiting_list(activity=activity, at=timezone.now(), **_person(form))
        except SalesClosed:
            return FormResult(redirect_to=reverse("activity", args=[activity.slug]))
        except AlreadyRegistered:
            return FormResult(notice=Notice.ALREADY)
        except PlacesLeft:
            return FormResult(notice=Notice.PLACES_LEFT)
        return FormResult(redirect_to=f"{reverse('activity', args=[activity.slug])}?waiting")


def _cards(*, at: datetime, page: int) -> list[ActivityCard]:
    """One page of what can be registered for, and one card more if there is another page. One query."""
    first = (page - 1) * ACTIVITIES_PER_PAGE
    rows = Activity.objects.coming(at=at).with_waiting()[first : first + ACTIVITIES_PER_PAGE + 1]
    return [ActivityCard(row, row.sale_at(at, has_waiting=cast(Any, row).has_waiting)) for row in rows]


def _page_number(request: HttpRequest) -> int:
    """The page that was asked for; the first for anything odd."""
    text = request.GET.get("page", "")
    return min(max(int(text), 1), MAX_PAGE_NUMBER) if text.isascii() and text.isdigit() and len(text) < 9 else 1


def _show(request: HttpRequest, activity: Activity, form: PersonForm, result: FormResult) -> HttpResponse:
    """The page with what happened; the form keeps what was typed."""
    activity.refresh_from_db()
    context = {
        "activity": activity,
        "sale": activity.sale_at(timezone.now(), has_waiting=activity.has_waiting_people()),
        "Sale": Sale,
        "form": form,
        "notice": result.notice,
        "registration": result.registration,
    }
    return render(request, "public/activity.html", context, status=HTTP_STATUS.get(result.notice))


def _person(form: PersonForm) -> dict[str, str]:
    return {**form.cleaned_data, "language": (get_language() or settings.LANGUAGE_CODE)[:2]}


def _to_checkout(registration: Registration) -> FormResult:
    """To the payment. Nobody who merely knows a name and an address is led to that person's own page."""
    try:
        return FormResult(redirect_to=start_checkout(registration=registration, at=timezone.now()))
    except OrderNotPayable:
        return FormResult(notice=Notice.ALREADY)
    except CheckoutUnavailable as error:
        if error.is_place_free:
            return FormResult(notice=Notice.UNAVAILABLE)
        registration.refresh_from_db()
        return FormResult(notice=Notice.UNAVAILABLE_HELD, registration=registration)
