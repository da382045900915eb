"""`/modules/<slug>/`: one module, and the way to have it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from config.rate_limit import limited
from modules_access.links import encours_path
from modules_access.models import Module
from modules_access.pages.catalogue import Held, held_by
from modules_access.pages.doorway import OwnPage
from modules_access.services.buy import AlreadyBought, NotOnSale, buy
from modules_access.wanted import Openings
from payments.billing.models import Plan
from payments.pages.base_views import see_other, user_of


@require_safe
@cache_control(private=True, no_cache=True)
def module(request: HttpRequest, slug: str) -> HttpResponse:
    """The description, what it costs, and the plans that open it as well."""
    row = get_object_or_404(Module, slug=slug)
    held = held_by(request, at=timezone.now()).get(row.pk, Held.NO)
    context = {"module": row, "held": held, "plans": plans_with(row)}
    return render(request, "modules_access/module.html", context)


@method_decorator(limited("payment"), name="dispatch")
class BuyPage(OwnPage):
    """The button of a module; nothing of its own to see."""

    def handle_no_permission(self) -> HttpResponse:  # type: ignore[override]  # leads there with a GET
        here = reverse("module", args=[self.kwargs["slug"]])
        return see_other(f"{reverse('sign-in')}?next={here}")

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        return redirect("module", slug)

    def act(self, request: HttpRequest, **names: str) -> HttpResponse:
        row = get_object_or_404(Module, slug=names["slug"])
        try:
            url = buy(user=user_of(request), module=row, at=timezone.now())
        except NotOnSale:
            # The page says so, instead of the button.
            return see_other(reverse("module", args=[row.slug]))
        except AlreadyBought:
            return see_other(encours_path(already=row.slug))
        return see_other(url or encours_path(got=row.slug))


def plans_with(row: Module) -> list[Plan]:
    """The plans on sale that open the module; those who follow subscriptions ask the same question."""
    openings = Openings.read()
    return [plan for plan in Plan.objects.filter(is_on_sale=True) if row.pk in openings.of_plan(plan.pk)]
