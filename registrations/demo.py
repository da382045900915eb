"""Demo data: three activities and people who wait to pay, the same at every start."""

from datetime import datetime, timedelta

from registrations.models import Activity, Registration
from registrations.services import ActivityFull, AlreadyRegistered, register

ACTIVITIES = (
    ("pottery", "Atelier poterie", 4900, 20, 14),
    ("first-aid", "Formation premiers secours", 6000, 12, 21),
    ("choir", "Stage de chorale", 3000, 3, 30),
)
PEOPLE = (
    ("Camille Martin", "camille.martin@example.com", "fr"),
    ("Alex Smith", "alex.smith@example.com", "en"),
    ("Inès Dubois", "ines.dubois@example.com", "fr"),
)


def seed(*, at: datetime) -> list[Registration]:
    """Create what is missing. Returns the registrations that are new."""
    return [row for spec in ACTIVITIES for row in _fill(_activity(*spec, at=at), at=at)]


def _activity(slug: str, title: str, price: int, capacity: int, days: int, *, at: datetime) -> Activity:
    defaults = {"title": title, "price": price, "capacity": capacity, "starts_at": at + timedelta(days=days)}
    activity, _created = Activity.objects.get_or_create(slug=slug, defaults=defaults)
    return activity


def _fill(activity: Activity, *, at: datetime) -> list[Registration]:
    if activity.registrations.exists():
        return []
    made = []
    for name, email, language in PEOPLE:
        try:
            made.append(register(activity=activity, name=name, email=email, language=language, at=at))
        except (ActivityFull, AlreadyRegistered):
            continue
    return made
