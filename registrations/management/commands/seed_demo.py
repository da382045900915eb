"""`manage.py seed_demo`: demo activities in every state of sale, and people who wait to pay; safe to run again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from registrations.models import Activity, Registration
from registrations.services.register import ActivityFull, AlreadyRegistered, SalesClosed, confirm_free, register


@dataclass(frozen=True, slots=True)
class Spec:
    """One demo activity: `price` in minor units, `days` from now."""

    slug: str
    title: str
    price: int
    capacity: int
    days: int
    place: str
    description: str
    has_people: bool = True


ACTIVITIES = (
    Spec(
        "pottery", "Atelier poterie", 4900, 20, 14, "Maison des arts, Lyon",
        "Une journée pour tourner, modeler et émailler votre premier bol.\n\n"
        "La terre, les outils et la cuisson sont compris. Prévoyez des vêtements qui ne craignent rien.",
    ),
    Spec(
        "first-aid", "Formation premiers secours", 6000, 12, 21, "Salle Jean-Moulin, Villeurbanne",
        "Les gestes qui sauvent, en petit groupe et avec beaucoup de pratique.\n\nUne attestation est remise à la fin.",
    ),
    Spec(
        "choir", "Stage de chorale", 3000, 5, 30, "Conservatoire, Grenoble",
        "Deux jours de chant pour toutes les voix, avec ou sans expérience.",
    ),
    Spec(
        "open-day", "Portes ouvertes", 0, 40, 10, "Maison des arts, Lyon",
        "Venez voir les ateliers, essayer le tour et rencontrer les artisans. L’entrée est libre, sur inscription.",
        has_people=False,
    ),
    Spec(
        "kiln", "Visite du four à bois", 0, 3, 17, "Poterie du Vallon, Vienne",
        "Une heure autour du four, le soir de la cuisson. Le lieu est petit : trois personnes au plus.",
    ),
)  # fmt: skip
PEOPLE = (
    ("Camille Martin", "camille.martin@example.com", "fr"),
    ("Alex Smith", "alex.smith@example.com", "en"),
    ("Inès Dubois", "ines.dubois@example.com", "fr"),
)


class Command(BaseCommand):
    """Creates what is missing of the demo data."""

    help = "Create demo activities and registrations that wait for payment (safe to run again)."

    def handle(self, *args: Any, **options: Any) -> None:
        made = seed(at=timezone.now())
        if not made:
            self.stdout.write("The demo data is there already.")
        for row in made:
            self.stdout.write(f"{row.order.number}  {row.order.price}  {row.order.label}: {row.name}")


def seed(*, at: datetime) -> list[Registration]:
    """Create what is missing. Returns the registrations that are new."""
    return [row for spec in ACTIVITIES for row in _fill(_activity(spec, at=at), spec, at=at)]


def _activity(spec: Spec, *, at: datetime) -> Activity:
    defaults = {
        "title": spec.title,
        "price": spec.price,
        "capacity": spec.capacity,
        "starts_at": (at + timedelta(days=spec.days)).replace(minute=0, second=0, microsecond=0),
        "place": spec.place,
        "description": spec.description,
    }
    activity, _created = Activity.objects.get_or_create(slug=spec.slug, defaults=defaults)
    return activity


def _fill(activity: Activity, spec: Spec, *, at: datetime) -> list[Registration]:
    """They hold more places at once than a visitor may, and nobody is asked whether the address is theirs."""
    if not spec.has_people or activity.registrations.exists():
        return []
    made = []
    for name, email, language in PEOPLE:
        try:
            row = register(activity=activity, name=name, email=email, language=language, at=at)
        except (ActivityFull, AlreadyRegistered, SalesClosed):
            continue
        if not row.order.amount:
            confirm_free(registration=row, at=at)
        made.append(row)
    return made
