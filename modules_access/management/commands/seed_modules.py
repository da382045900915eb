"""`manage.py seed_modules`: demo modules; safe to run again."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from modules_access.demo import seed


class Command(BaseCommand):
    """Creates what is missing of the demo modules."""

    help = "Create demo modules (safe to run again)."

    def handle(self, *args: Any, **options: Any) -> None:
        made = seed(at=timezone.now())
        if not made:
            self.stdout.write("The demo modules are there already.")
        for module in made:
            self.stdout.write(f"{module.slug}  {module.price_text}  {module.url}")
