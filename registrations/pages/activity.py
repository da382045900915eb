"""`/activities/<slug>/`: one activity, and the way to a place in it."""

from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.views import View
from django.views.decorators.cache import cache_control

from config.rate_limit import limited
from payments.checkout.attempts import OrderNotPayable
from registrations.forms import PersonForm
from registrations.links import page_path
from registrations.models import Activity, Registration
from registrations.sales import Sale, sale_of
from registrations.services.begin import begin
from registrations.services.checkout import CheckoutUnavailable, start_checkout
from registrations.services.register import ActivityFull, AlreadyRegistered, SalesClosed
from registrations.services.waiting_list import PlacesLeft, has_waiting_people, join_waiting_list

SEE_OTHER = 303


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


STATUS = {
    Notice.INVALID: 400,
    Notice.JUST_FULL: 409,
    Notice.ALREADY: 409,
    Notice.UNAVAILABLE: 503,
    Notice.UNAVAILABLE_HELD: 503,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a form: where to go on, or what to say on the same page."""

    go_to: str = ""
    notice: Notice = Notice.NONE
    registration: Registration | None = None


@method_decorator(cache_control(private=True, no_cache=True), name="dispatch")
@method_decorator(limited("payment"), name="dispatch")
class ActivityPage(View):
    """The description and the form; sent off, it leads to the payment or says why not."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        notice = Notice.WAITING if "waiting" in request.GET else Notice.NONE
        return show(request, find_activity(slug), PersonForm(), Outcome(notice=notice))

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        activity, form = find_activity(slug), PersonForm(request.POST)
        if not form.is_valid():
            return show(request, activity, form, Outcome(notice=Notice.INVALID))
        outcome = _register(activity, form)
        if outcome.go_to:
            return HttpResponseRedirect(outcome.go_to, status=SEE_OTHER)
        return show(request, activity, form, outcome)


@method_decorator(limited("payment"), name="dispatch")
class WaitingListPage(View):
    """The form of a full activity; nothing of its own to see."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        return redirect("activity", slug)

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        activity, form = find_activity(slug), PersonForm(request.POST)
        if not form.is_valid():
            return show(request, activity, form, Outcome(notice=Notice.INVALID))
        outcome = _join(activity, form)
        if outcome.go_to:
            return HttpResponseRedirect(outcome.go_to, status=SEE_OTHER)
        return show(request, activity, form, outcome)


def find_activity(slug: str) -> Activity:
    """The activity at this address; 404 if there is none."""
    return get_object_or_404(Activity, slug=slug)


def show(request: HttpRequest, activity: Activity, form: PersonForm, outcome: Outcome) -> HttpResponse:
    """The page with what happened; the form keeps what was typed."""
    activity.refresh_from_db()
    context = {
        "activity": activity,
        "sale": sale_of(activity, at=timezone.now(), has_waiting=has_waiting_people(activity)),
        "Sale": Sale,
        "form": form,
        "notice": outcome.notice,
        "registration": outcome.registration,
    }
    return render(request, "public/activity.html", context, status=STATUS.get(outcome.notice))


def _person(form: PersonForm) -> dict[str, str]:
    return {**form.cleaned_data, "language": (get_language() or settings.LANGUAGE_CODE)[:2]}


def _register(activity: Activity, form: PersonForm) -> Outcome:
    at = timezone.now()
    try:
        begun = begin(activity=activity, at=at, **_person(form))
    except SalesClosed:
        # The page says why, instead of the form.
        return Outcome(go_to=reverse("activity", args=[activity.slug]))
    except ActivityFull:
        return Outcome(notice=Notice.JUST_FULL)
    except AlreadyRegistered:
        return Outcome(notice=Notice.ALREADY)
    if activity.price == 0 and not begun.is_resumed:
        return Outcome(go_to=page_path(begun.registration))
    return _to_checkout(begun.registration)


def _to_checkout(registration: Registration) -> Outcome:
    """To the payment. Nobody who merely knows a name and an address is led to that person's own page."""
    try:
        return Outcome(go_to=start_checkout(registration=registration, at=timezone.now()))
    except OrderNotPayable:
        return Outcome(notice=Notice.ALREADY)
    except CheckoutUnavailable as trouble:
        if trouble.is_place_free:
            return Outcome(notice=Notice.UNAVAILABLE)
        registration.refresh_from_db()
        return Outcome(notice=Notice.UNAVAILABLE_HELD, registration=registration)


def _join(activity: Activity, form: PersonForm) -> Outcome:
    try:
        join_waiting_list(activity=activity, at=timezone.now(), **_person(form))
    except SalesClosed:
        return Outcome(go_to=reverse("activity", args=[activity.slug]))
    except AlreadyRegistered:
        return Outcome(notice=Notice.ALREADY)
    except PlacesLeft:
        return Outcome(notice=Notice.PLACES_LEFT)
    return Outcome(go_to=f"{reverse('activity', args=[activity.slug])}?waiting")
