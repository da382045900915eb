"""Demo data: a module for money, one free of charge, one for thirty days; the same at every start."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from modules_access.models import Module
from modules_access.services.follow_plan import request_follow


@dataclass(frozen=True, slots=True)
class DemoModule:
    """One demo module: `price` in minor units, `days` of access, None: without end."""

    slug: str
    title: str
    price: int
    days: int | None
    summary: str
    description: str


MODULES = (
    DemoModule(
        "drawing", "Dessiner d’après nature", 4900, None,
        "Douze leçons pour apprendre à regarder, puis à dessiner ce que l’on voit.",
        "Du premier trait à la lumière : chaque leçon se regarde en une demi-heure et se pratique le même jour.\n\n"
        "L’accès reste ouvert sans limite de durée.",
    ),
    DemoModule(
        "first-steps", "Premiers pas à l’atelier", 0, None,
        "Les outils, les gestes et les mots de l’atelier, pour bien commencer.",
        "Une introduction gratuite en quatre courtes leçons, sans matériel ni expérience.",
    ),
    DemoModule(
        "glazes", "Les secrets des émaux", 2900, 30,
        "Composer, poser et cuire ses propres émaux : trente jours pour tout essayer.",
        "Recettes, fiches d’essai et vidéos de cuisson.\n\nL’accès dure trente jours à partir du paiement.",
    ),
)  # fmt: skip


@transaction.atomic
def seed(*, at: datetime) -> list[Module]:
    """Create what is missing, and let the addresses follow the site. Returns the modules that are new."""
    new = [module for place, spec in enumerate(MODULES) if (module := _module(spec, place=place))]
    if new:
        request_follow(plan_id=None, at=at)
    return new


def _module(spec: DemoModule, *, place: int) -> Module | None:
    """None: it was there."""
    room = reverse("demo-module", args=[spec.slug])
    defaults = {
        "title": spec.title,
        "summary": spec.summary,
        "description": spec.description,
        "price": spec.price,
        "access_days": spec.days,
        "url": f"{settings.SITE_URL}{room}",
        "position": place,
    }
    module, is_new = Module.objects.get_or_create(slug=spec.slug, defaults=defaults)
    if not is_new and module.url.endswith(room) and module.url != defaults["url"]:
        # The site has another port than at the last start.
        module.url = f"{settings.SITE_URL}{room}"
        module.save(update_fields=["url"])
    return module if is_new else None
