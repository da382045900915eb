"""`manage.py seed_demo`: demo activities and registrations; safe to run again."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from registrations.demo import seed


class Command(BaseCommand):
    """Creates what is missing of the demo data."""

    help = "Create demo activities and registrations that wait for payment (safe to run again)."

    def handle(self, *args: Any, **options: Any) -> None:
        made = seed(at=timezone.now())
        if not made:
            self.stdout.write("The demo data is there already.")
        for row in made:
            self.stdout.write(f"{row.order.number}  {row.order.price}  {row.order.label}: {row.name}")
