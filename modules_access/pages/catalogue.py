"""The catalogue of modules, one module, and the button that buys it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from config.middleware import let_forms_lead_to
from config.rate_limit import allow, too_often
from modules_access.entitlements import Openings
from modules_access.links import encours_path
from modules_access.models import AccessType, Module, ModuleAccess
from modules_access.models.modules import ModuleQuerySet
from modules_access.pages.opening import find_origin
from modules_access.pages.shared import structured
from modules_access.services.buy import AlreadyBought, NotOnSale, buy
from payments.billing.models import Plan
from payments.incidents.switches import while_selling
from payments.pages.base_views import OwnPage, see_other, user_of

PER_PAGE = 24
MAX_WORDS_LENGTH = 100


class Held(StrEnum):
    """Whether the visitor can enter the module, and why."""

    NOT = ""
    BOUGHT = "bought"
    IN_PLAN = "in_plan"
    OTHER = "otherwise"


@dataclass(frozen=True, slots=True)
class Holding:
    """What the visitor has of one module. `access`: the key of the one by which it is opened; 0 where there is none."""

    held: Held = Held.NOT
    access: int = 0


@dataclass(frozen=True, slots=True)
class ModuleCard:
    """One module as it is offered to this visitor."""

    module: Module
    holding: Holding


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for; what makes no sense in it is left out."""

    words: str = ""
    is_free: bool = False
    is_owned: bool = False
    page: str = "1"

    @classmethod
    def read(cls, request: HttpRequest) -> "Asked":
        """From the query of the address; who is not signed in owns nothing."""
        told = request.GET
        return cls(
            words=told.get("q", "").strip()[:MAX_WORDS_LENGTH],
            is_free="free" in told,
            is_owned="owned" in told and request.user.is_authenticated,
            page=told.get("page", "1"),
        )

    @property
    def is_filtered(self) -> bool:
        """Whether it is not simply everything."""
        return bool(self.parameters)

    @property
    def parameters(self) -> dict[str, str]:
        """As the address has them, without the page."""
        told = {"q": self.words, "free": "1" if self.is_free else "", "owned": "1" if self.is_owned else ""}
        return {name: value for name, value in told.items() if value}

    def but(self, *, page: int = 1, **changes: Any) -> str:
        """The address where this is different."""
        told = replace(self, **changes).parameters | ({"page": str(page)} if page > 1 else {})
        return f"{reverse('modules')}{'?' if told else ''}{urlencode(told)}"

    def of(self, rows: ModuleQuerySet, held: Mapping[int, Holding]) -> ModuleQuerySet:
        """Those of the rows that are asked for."""
        found = rows.matching(self.words)
        if self.is_free:
            found = found.filter(price=0)
        return found.filter(pk__in=list(held)) if self.is_owned else found


@require_safe
@cache_control(private=True, no_cache=True)
def catalogue(request: HttpRequest) -> HttpResponse:
    """The modules on sale, as staff have ordered them; a page at a time."""
    asked, held = Asked.read(request), held_by(request, at=timezone.now())
    rows = Module.objects.on_sale().select_related("picture").defer("picture__narrow", "picture__wide")
    page = Paginator(asked.of(rows, held), PER_PAGE).get_page(asked.page)
    cards = [ModuleCard(module, held.get(module.pk, Holding())) for module in page.object_list]
    context = {
        "asked": asked, "cards": cards, "page": page, "choices": _choices(request, asked),
        "previous_page": asked.but(page=page.previous_page_number()) if page.has_previous() else "",
        "next_page": asked.but(page=page.next_page_number()) if page.has_next() else "",
    }  # fmt: skip
    response = render(request, "modules_access/catalogue.html", context)
    let_forms_lead_to(response, _origins(cards))
    return response


def _choices(request: HttpRequest, asked: Asked) -> list[dict[str, Any]]:
    """Links that narrow the list, or (where they are chosen) widen it again."""
    free = {"label": _("Free of charge"), "address": asked.but(is_free=not asked.is_free), "is_chosen": asked.is_free}
    owned = {"label": _("Mine"), "address": asked.but(is_owned=not asked.is_owned), "is_chosen": asked.is_owned}
    return [free, owned] if request.user.is_authenticated else [free]


def _origins(cards: Iterable[ModuleCard]) -> list[str]:
    """Where the buttons "Open" lead."""
    own = (card.module.url for card in cards if card.holding.access)
    return [origin for url in own if (origin := find_origin(url))]


def held_by(request: HttpRequest, *, at: datetime) -> Mapping[int, Holding]:
    """What is open for the visitor, by the module's id; one query for who is signed in, none for others."""
    if not request.user.is_authenticated:
        return {}
    sources: dict[int, dict[str, int]] = {}
    rows = ModuleAccess.objects.open(at).filter(user=user_of(request)).order_by("-pk")
    for module_id, source, access in rows.values_list("module_id", "access_type", "pk"):
        sources.setdefault(module_id, {}).setdefault(source, access)
    return {module_id: _holding(accesses) for module_id, accesses in sources.items()}


def _holding(accesses: Mapping[str, int]) -> Holding:
    """By what was bought before what a plan opens, and by that before what is counted or was given."""
    if access := accesses.get(AccessType.PURCHASE):
        return Holding(Held.BOUGHT, access)
    if access := accesses.get(AccessType.SUBSCRIPTION):
        return Holding(Held.IN_PLAN, access)
    return Holding(Held.OTHER, accesses.get(AccessType.GRANT) or next(iter(accesses.values())))


@require_safe
@cache_control(private=True, no_cache=True)
def module(request: HttpRequest, slug: str) -> HttpResponse:
    """The description, what it costs, and the plans that open it as well."""
    rows = Module.objects.select_related("picture").defer("picture__narrow", "picture__wide")
    row = rows.filter(slug=slug).first()
    if row is None:
        # A link of the old system.
        return redirect("module", get_object_or_404(Module, external_id=slug).slug, permanent=True)
    holding = held_by(request, at=timezone.now()).get(row.pk, Holding())
    context = {
        "module": row, "held": holding.held, "access": holding.access, "plans": plans_with(row),
        "structured": structured(row),
    }  # fmt: skip
    response = render(request, "modules_access/module.html", context)
    let_forms_lead_to(response, _origins([ModuleCard(row, holding)]))
    return response


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
