"""`/plans/` and `/subscription/…`: subscribing, coming back from Checkout, changing, canceling, Stripe's own portal."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe

from config.rate_limit import limited
from payments.billing.models import Plan, Subscription
from payments.incidents.switches import while_selling
from payments.orders.models import Order
from payments.pages.base_views import OwnPage, log, see_other, user_of
from payments.pages.checkout_return import CheckoutReturn, UnpaidState
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from payments.stripe_api.snapshots import MalformedObject
from payments.subscribing import (
    AlreadySubscribed,
    NoCustomer,
    NoSubscription,
    NotChangeable,
    SumMoved,
    can_change,
    cancel_at_period_end,
    change_plan,
    live_of,
    open_portal,
    preview_change,
    resume,
    subscribe,
)
from payments.subscribing.account import display_state_of
from payments.subscribing.offer import offers_of


def to_account(done: str) -> HttpResponse:
    """Back to the account, which says what was done."""
    return see_other(f"{reverse('account')}?subscription={done}")


class SubscriptionPage(OwnPage):
    """One thing done with the person's own subscription; where there is none to do it with, a way on."""

    trouble_template = "payments/trouble.html"

    def post(self, request: HttpRequest, **names: Any) -> HttpResponse:
        try:
            return super().post(request, **names)
        except NoSubscription:
            return redirect("account")
        except NotChangeable:
            return see_other(reverse("change-plan"))

    def refused_page(self, refusal: GatewayRefused) -> HttpResponse:
        """The bank may refuse as well: then it is about the card."""
        return self.trouble_page("declined", status=402) if refusal.is_declined else super().refused_page(refusal)


@require_safe
@cache_control(private=True, no_cache=True)
def plans(request: HttpRequest) -> HttpResponse:
    """The plans on sale; whoever has one already is shown the way to another."""
    context = {"offers": offers_of(list(Plan.objects.filter(is_on_sale=True))), "subscription": _live(request)}
    return render(request, "payments/plans.html", context)


@require_safe
@cache_control(private=True, no_cache=True)
def plan(request: HttpRequest, slug: str) -> HttpResponse:
    """One plan with one button: where somebody who had to sign in first, or sign up, comes back to."""
    chosen, live = get_object_or_404(Plan, slug=slug, is_on_sale=True), _live(request)
    offer = next(each for each in offers_of(list(Plan.objects.filter(is_on_sale=True))) if each.plan == chosen)
    return render(request, "payments/plan.html", {"offer": offer, "plan": chosen, "subscription": live})


def _live(request: HttpRequest) -> Subscription | None:
    return live_of(user_of(request)).first() if request.user.is_authenticated else None


@method_decorator([while_selling, limited("payment")], name="dispatch")
class SubscribePage(SubscriptionPage):
    """The button of a plan; nothing of its own to see."""

    def handle_no_permission(self) -> HttpResponse:  # type: ignore[override]  # leads there with a GET
        return see_other(f"{reverse('sign-in')}?next={reverse('plan', args=[self.kwargs['slug']])}")

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        return redirect("plan", slug)

    def act(self, request: HttpRequest, **names: str) -> HttpResponse:
        plan = get_object_or_404(Plan, slug=names["slug"], is_on_sale=True)
        try:
            return see_other(subscribe(user=user_of(request), plan=plan, at=timezone.now()))
        except AlreadySubscribed as already:
            if already.subscription.plan_id == plan.pk:
                return to_account("already")
            return see_other(reverse("change-to", args=[plan.slug]))


@require_safe
@never_cache
@login_required
def offers(request: HttpRequest) -> HttpResponse:
    """The other plans, or why the subscription cannot go to one now."""
    row = live_of(user_of(request)).first()
    if row is None:
        return redirect("plans")
    others = [plan for plan in Plan.objects.filter(is_on_sale=True) if can_change(row, plan)]
    context = {"subscription": row, "display_state": display_state_of(row), "plans": others}
    return render(request, "payments/offers.html", context)


@method_decorator([while_selling, limited("payment")], name="dispatch")
class ChangePage(SubscriptionPage):
    """What changes, and when; the button does it."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        plan = get_object_or_404(Plan, slug=slug, is_on_sale=True)
        row = live_of(user_of(request)).first()
        if row is None or not can_change(row, plan):
            return redirect("change-plan")
        return self._show(row, plan)

    def act(self, request: HttpRequest, **names: str) -> HttpResponse:
        plan, user = get_object_or_404(Plan, slug=names["slug"]), user_of(request)
        try:
            change_plan(user=user, plan=plan, at=timezone.now(), agreed=request.POST.get("agreed", ""))
        except SumMoved as moved:
            log.info("subscription.sum_moved", user=user.pk, plan=plan.slug, reason=str(moved))
            row = live_of(user).first()
            return self._show(row, plan, has_moved=True) if row else redirect("account")
        return to_account("changed")

    def _show(self, row: Subscription, plan: Plan, *, has_moved: bool = False) -> HttpResponse:
        """With the sum of today as Stripe says it, or without a button."""
        context = {"subscription": row, "display_state": display_state_of(row), "plan": plan, "has_moved": has_moved}
        try:
            preview = preview_change(row, plan, at=timezone.now())
        except (GatewayUnavailable, GatewayRefused, MalformedObject) as trouble:
            log.warning("subscription.no_preview", subscription=row.stripe_id, plan=plan.slug, error=str(trouble))
            return render(self.request, "payments/change.html", context, status=503)
        return render(
            self.request, "payments/change.html", {**context, "preview": preview}, status=409 if has_moved else 200
        )


@method_decorator(limited("subscription"), name="dispatch")
class CancelPage(SubscriptionPage):
    """Until when it goes on, and what happens then; the button cancels."""

    def get(self, request: HttpRequest) -> HttpResponse:
        row = live_of(user_of(request)).first()
        if row is None or row.cancel_at:
            return redirect("account")
        return render(request, "payments/cancel.html", {"subscription": row, "display_state": display_state_of(row)})

    def act(self, request: HttpRequest, **names: str) -> HttpResponse:
        cancel_at_period_end(user=user_of(request), at=timezone.now())
        return to_account("ends")


@method_decorator(limited("subscription"), name="dispatch")
class ResumePage(SubscriptionPage):
    """The button of a subscription that is going to end."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return see_other(reverse("account"))

    def act(self, request: HttpRequest, **names: str) -> HttpResponse:
        resume(user=user_of(request), at=timezone.now())
        return to_account("resumed")


@require_safe
@never_cache
@login_required
def returning(request: HttpRequest) -> HttpResponse:
    """Where Checkout leads back: waits until Stripe has told of the subscription, then on to the account."""
    user = user_of(request)
    returned = CheckoutReturn.read(request, orders=Order.objects.filter(user=user), at=timezone.now())
    if returned is None:
        return redirect("account")
    if live_of(user).exists():
        return to_account("began")
    response = render(request, "payments/returning.html", {"order": returned.order, "state": returned.state})
    if returned.state == UnpaidState.CONFIRMING:
        returned.refresh(request, response)
    return response


@method_decorator(limited("subscription"), name="dispatch")
class PortalPage(SubscriptionPage):
    """The button "Card and invoices"."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return redirect("account")

    def act(self, request: HttpRequest, **names: str) -> HttpResponse:
        language = (get_language() or "auto")[:2]
        try:
            url = open_portal(
                user=user_of(request), return_path=reverse("account"), language=language, at=timezone.now()
            )
        except NoCustomer:
            return redirect("account")
        return see_other(url)
