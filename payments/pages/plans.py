"""`/plans/`: what one can subscribe to, and the way to pay for it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from config.rate_limit import limited
from payments.billing.subscriptions import Plan
from payments.operations.subscribing import AlreadySubscribed, NotNow, live_of, subscribe
from payments.pages.doorway import OwnPage, see_other, to_account, trouble_page, user_of


@require_safe
@cache_control(private=True, no_cache=True)
def plans(request: HttpRequest) -> HttpResponse:
    """The plans on sale; whoever has one already is shown the way to another."""
    live = live_of(user_of(request)).first() if request.user.is_authenticated else None
    context = {"plans": Plan.objects.filter(is_on_sale=True), "subscription": live}
    return render(request, "payments/plans.html", context)


@method_decorator(limited("payment"), name="dispatch")
class SubscribePage(OwnPage):
    """The button of a plan; nothing of its own to see."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not request.user.is_authenticated:
            return see_other(f"{reverse('sign-in')}?next={reverse('plans')}")
        answer: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[assignment]
        return answer

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        return redirect("plans")

    def act(self, request: HttpRequest, **names: str) -> HttpResponse:
        plan = get_object_or_404(Plan, slug=names["slug"], is_on_sale=True)
        try:
            return see_other(subscribe(user=user_of(request), plan=plan, at=timezone.now()))
        except AlreadySubscribed as already:
            if already.subscription.plan_id == plan.pk:
                return to_account("already")
            return see_other(reverse("change-to", args=[plan.slug]))
        except NotNow:
            return trouble_page(request, "not_now", status=409)
