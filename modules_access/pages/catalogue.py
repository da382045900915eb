"""The catalogue of modules, one module, and the button that buys it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from config.rate_limit import allow, too_often
from modules_access.entitlements import Openings
from modules_access.links import encours_path
from modules_access.models import AccessType, Module, ModuleAccess
from modules_access.services.buy import AlreadyBought, NotOnSale, buy
from payments.billing.models import Plan
from payments.incidents.switches import while_selling
from payments.pages.base_views import OwnPage, see_other, user_of

PER_PAGE = 60


class Held(StrEnum):
    """Whether the visitor can enter the module, and why."""

    NOT = ""
    BOUGHT = "bought"
    IN_PLAN = "in_plan"
    OTHER = "otherwise"


@dataclass(frozen=True, slots=True)
class ModuleCard:
    """One module as it is offered to this visitor."""

    module: Module
    held: Held


@require_safe
@cache_control(private=True, no_cache=True)
def catalogue(request: HttpRequest) -> HttpResponse:
    """The modules on sale, as staff have ordered them."""
    page = Paginator(Module.objects.on_sale(), PER_PAGE).get_page(request.GET.get("page"))
    held = held_by(request, at=timezone.now())
    cards = [ModuleCard(module, held.get(module.pk, Held.NOT)) for module in page.object_list]
    return render(request, "modules_access/catalogue.html", {"cards": cards, "page": page})


def held_by(request: HttpRequest, *, at: datetime) -> Mapping[int, Held]:
    """What is open for the visitor, by the module's id; one query for who is signed in, none for others."""
    if not request.user.is_authenticated:
        return {}
    sources: dict[int, set[str]] = {}
    rows = ModuleAccess.objects.open(at).filter(user=user_of(request)).values_list("module_id", "access_type")
    for module_id, source in rows:
        sources.setdefault(module_id, set()).add(source)
    return {module_id: _held(kinds) for module_id, kinds in sources.items()}


def _held(sources: set[str]) -> Held:
    if AccessType.PURCHASE in sources:
        return Held.BOUGHT
    return Held.IN_PLAN if AccessType.SUBSCRIPTION in sources else Held.OTHER


@require_safe
@cache_control(private=True, no_cache=True)
def module(request: HttpRequest, slug: str) -> HttpResponse:
    """The description, what it costs, and the plans that open it as well."""
    row = Module.objects.filter(slug=slug).first()
    if row is None:
        # A link of the old system.
        return redirect("module", get_object_or_404(Module, external_id=slug).slug, permanent=True)
    held = held_by(request, at=timezone.now()).get(row.pk, Held.NOT)
    context = {"module": row, "held": held, "plans": plans_with(row)}
    return render(request, "modules_access/module.html", context)


@method_decorator(while_selling, name="dispatch")
class BuyPage(OwnPage):
    """The button of a module; nothing of its own to see."""

    trouble_template = "modules_access/trouble.html"

    def handle_no_permission(self) -> HttpResponse:  # type: ignore[override]  # leads there with a GET
        here = reverse("module", args=[self.kwargs["slug"]])
        return see_other(f"{reverse('sign-in')}?next={here}")

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        return redirect("module", slug)

    def act(self, request: HttpRequest, **names: str) -> HttpResponse:
        row = get_object_or_404(Module, slug=names["slug"])
        # What is free is no try to pay.
        if row.price and not (decision := allow(request, "payment")).is_allowed:
            return too_often(request, decision)
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
