"""`/modules/`: what one can learn, and what of it is open for the visitor already."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from modules_access.models import AccessType, Module, ModuleAccess
from payments.pages.base_views import user_of

PER_PAGE = 60


class Held(StrEnum):
    """Whether the visitor can enter the module, and why."""

    NO = ""
    BOUGHT = "bought"
    IN_PLAN = "in_plan"
    OTHERWISE = "otherwise"


@dataclass(frozen=True, slots=True)
class Card:
    """One module as it is offered to this visitor."""

    module: Module
    held: Held


@require_safe
@cache_control(private=True, no_cache=True)
def catalogue(request: HttpRequest) -> HttpResponse:
    """The modules on sale, as staff have ordered them."""
    page = Paginator(Module.objects.on_sale(), PER_PAGE).get_page(request.GET.get("page"))
    held = held_by(request, at=timezone.now())
    cards = [Card(module, held.get(module.pk, Held.NO)) for module in page.object_list]
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
    return Held.IN_PLAN if AccessType.SUBSCRIPTION in sources else Held.OTHERWISE
