"""`/activities/<slug>/`: one activity, and the way to a place in it."""

from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.views import View
from django.views.decorators.cache import cache_control

from accounts.language import typed_before
from config.rate_limit import ALLOWED, LimitDecision, allow, sentence
from payments.checkout.attempts import OrderNotPayable
from payments.incidents.switches import while_selling
from payments.pages.base_views import see_other
from registrations.forms import PersonForm
from registrations.holds import TooManyEntries, TooManyHolds
from registrations.links import page_path
from registrations.models import Activity, Registration, Sale
from registrations.pages.shared import structured
from registrations.services.register import (
    ActivityFull,
    AlreadyRegistered,
    CheckoutUnavailable,
    RegisterResult,
    SalesClosed,
    register_or_resume,
    start_checkout,
)
from registrations.services.waiting_list import PlacesLeft, join_waiting_list
from registrations.visitors import Visitor, visitor_of

# For each try to pay, so many forms that cost nothing: each may send a mail to somebody.
FREE_TRIES = 4


class Notice(StrEnum):
    """What the visitor is told first, beside what is true of the activity anyway."""

    NONE = ""
    INVALID = "invalid"
    JUST_FULL = "just_full"
    ALREADY = "already"
    UNAVAILABLE = "unavailable"
    UNAVAILABLE_HELD = "unavailable_held"
    WAITING = "waiting"
    MAILED = "mailed"
    PLACES_LEFT = "places_left"
    TOO_MANY_HOLDS = "too_many_holds"
    TOO_MANY_ENTRIES = "too_many_entries"
    TOO_OFTEN = "too_often"


HTTP_STATUS = {
    Notice.INVALID: 400,
    Notice.JUST_FULL: 409,
    Notice.ALREADY: 409,
    Notice.TOO_MANY_HOLDS: 409,
    Notice.TOO_MANY_ENTRIES: 409,
    Notice.TOO_OFTEN: 429,
    Notice.UNAVAILABLE: 503,
    Notice.UNAVAILABLE_HELD: 503,
}


@dataclass(frozen=True, slots=True)
class FormResult:
    """What became of a form: where to go on, or what to say on this page."""

    redirect_to: str = ""
    notice: Notice = Notice.NONE
    registration: Registration | None = None
    decision: LimitDecision = ALLOWED


@method_decorator(cache_control(private=True, no_cache=True), name="dispatch")
class ActivityFormPage(View):
    """A form about one person and one activity: sent off, it leads on or says on the activity's page why not."""

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        activity, form = get_object_or_404(Activity, slug=slug), PersonForm(request.POST)
        result = self._result(request, activity, form)
        if result.redirect_to:
            return see_other(result.redirect_to)
        return _show(request, activity, form, result)

    def submit(self, activity: Activity, form: PersonForm, visitor: Visitor) -> FormResult:
        """What the form is for."""
        raise NotImplementedError

    def limit(self, request: HttpRequest, activity: Activity) -> LimitDecision:
        """What ends in a mail and costs nothing is counted apart from payments, and less strictly."""
        return allow(request, "registration", times=FREE_TRIES)

    def _result(self, request: HttpRequest, activity: Activity, form: PersonForm) -> FormResult:
        """What is not filled in right is no try."""
        if not form.is_valid():
            return FormResult(notice=Notice.INVALID)
        if not (decision := self.limit(request, activity)).is_allowed:
            return FormResult(notice=Notice.TOO_OFTEN, decision=decision)
        return self.submit(activity, form, visitor_of(request))


@method_decorator(while_selling, name="dispatch")
class ActivityPage(ActivityFormPage):
    """The description and the form, which leads to the payment, or by mail to a place that is free."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        notice = next((word for word in (Notice.WAITING, Notice.MAILED) if word in request.GET), Notice.NONE)
        form = PersonForm(initial=typed_before(request))
        return _show(request, get_object_or_404(Activity, slug=slug), form, FormResult(notice=notice))

    def limit(self, request: HttpRequest, activity: Activity) -> LimitDecision:
        return allow(request, "payment") if activity.price else super().limit(request, activity)

    def submit(self, activity: Activity, form: PersonForm, visitor: Visitor) -> FormResult:
        try:
            result = register_or_resume(activity=activity, at=timezone.now(), visitor=visitor, **_person(form))
        except SalesClosed:
            # The page says why, instead of the form.
            return FormResult(redirect_to=reverse("activity", args=[activity.slug]))
        except ActivityFull:
            return FormResult(notice=Notice.JUST_FULL)
        except AlreadyRegistered:
            return FormResult(notice=Notice.ALREADY)
        except TooManyHolds:
            return FormResult(notice=Notice.TOO_MANY_HOLDS)
        return _way_on(result, visitor)


class WaitingListPage(ActivityFormPage):
    """The form of a full activity; nothing of its own to see."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        return redirect("activity", slug)

    def submit(self, activity: Activity, form: PersonForm, visitor: Visitor) -> FormResult:
        try:
            entry = join_waiting_list(activity=activity, at=timezone.now(), visitor=visitor, **_person(form))
        except SalesClosed:
            return FormResult(redirect_to=reverse("activity", args=[activity.slug]))
        except AlreadyRegistered:
            return FormResult(notice=Notice.ALREADY)
        except PlacesLeft:
            return FormResult(notice=Notice.PLACES_LEFT)
        except TooManyEntries:
            return FormResult(notice=Notice.TOO_MANY_ENTRIES)
        return _activity_with(Notice.MAILED if entry.is_unconfirmed else Notice.WAITING, activity)


def _show(request: HttpRequest, activity: Activity, form: PersonForm, result: FormResult) -> HttpResponse:
    """The page with what happened; the form keeps what was typed."""
    activity.refresh_from_db()
    sale = activity.sale_at(timezone.now(), has_waiting=activity.has_waiting_people())
    context = {
        "activity": activity,
        "sale": sale,
        "structured": structured(activity, sale),
        "Sale": Sale,
        "form": form,
        "notice": result.notice,
        "registration": result.registration,
    }
    if result.decision.is_allowed:
        return render(request, "public/activity.html", context, status=HTTP_STATUS.get(result.notice))
    context["too_often"] = sentence(result.decision.retry_after)
    response = render(request, "public/activity.html", context, status=HTTP_STATUS[Notice.TOO_OFTEN])
    response["Retry-After"] = str(result.decision.retry_after)
    return response


def _person(form: PersonForm) -> dict[str, str]:
    return {**form.cleaned_data, "language": (get_language() or settings.LANGUAGE_CODE)[:2]}


def _activity_with(notice: Notice, activity: Activity) -> FormResult:
    return FormResult(redirect_to=f"{reverse('activity', args=[activity.slug])}?{notice}")


def _way_on(result: RegisterResult, visitor: Visitor) -> FormResult:
    """Nobody who merely knows a name and an address is led to that person's own page, nor to their payment."""
    row = result.registration
    if result.is_mailed and result.is_resumed and not visitor.may_go_on_with(row):
        return _activity_with(Notice.MAILED, row.activity)
    return _to_checkout(row) if row.order.amount else FormResult(redirect_to=page_path(row))


def _to_checkout(registration: Registration) -> FormResult:
    try:
        return FormResult(redirect_to=start_checkout(registration=registration, at=timezone.now()))
    except OrderNotPayable:
        return FormResult(notice=Notice.ALREADY)
    except CheckoutUnavailable as error:
        if error.is_place_free:
            return FormResult(notice=Notice.UNAVAILABLE)
        registration.refresh_from_db()
        return FormResult(notice=Notice.UNAVAILABLE_HELD, registration=registration)
