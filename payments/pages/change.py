"""`/subscription/change/…`, `/cancel` and `/resume`: each says what will happen before it is done."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.rate_limit import limited
from payments.billing.subscriptions import Plan
from payments.operations.subscribing import cancel_at_period_end, change_plan, live_of, resume
from payments.operations.subscribing.change import can_change
from payments.pages.doorway import OwnPage, see_other, to_account, user_of
from payments.pages.standing import standing_of


@require_safe
@never_cache
@login_required
def offers(request: HttpRequest) -> HttpResponse:
    """The other plans, or why the subscription cannot go to one now."""
    row = live_of(user_of(request)).first()
    if row is None:
        return redirect("plans")
    others = [plan for plan in Plan.objects.filter(is_on_sale=True) if can_change(row, plan)]
    context = {"subscription": row, "standing": standing_of(row), "plans": others}
    return render(request, "payments/offers.html", context)


@method_decorator(limited("payment"), name="dispatch")
class ChangePage(OwnPage):
    """What changes, and when; the button does it."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        plan = get_object_or_404(Plan, slug=slug, is_on_sale=True)
        row = live_of(user_of(request)).first()
        if row is None or not can_change(row, plan):
            return redirect("change-plan")
        return render(
            request, "payments/change.html", {"subscription": row, "standing": standing_of(row), "plan": plan}
        )

    def act(self, request: HttpRequest, **names: str) -> HttpResponse:
        plan = get_object_or_404(Plan, slug=names["slug"])
        change_plan(user=user_of(request), plan=plan, at=timezone.now())
        return to_account("changed")


@method_decorator(limited("subscription"), name="dispatch")
class CancelPage(OwnPage):
    """Until when it goes on, and what happens then; the button cancels."""

    def get(self, request: HttpRequest) -> HttpResponse:
        row = live_of(user_of(request)).first()
        if row is None or row.cancel_at:
            return redirect("account")
        return render(request, "payments/cancel.html", {"subscription": row, "standing": standing_of(row)})

    def act(self, request: HttpRequest, **names: str) -> HttpResponse:
        cancel_at_period_end(user=user_of(request), at=timezone.now())
        return to_account("ends")


@method_decorator(limited("subscription"), name="dispatch")
class ResumePage(OwnPage):
    """The button of a subscription that is going to end."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return see_other(reverse("account"))

    def act(self, request: HttpRequest, **names: str) -> HttpResponse:
        resume(user=user_of(request), at=timezone.now())
        return to_account("resumed")
