"""`manage.py ensure_staff`: somebody can enter the admin; safe to run again."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User


class Command(BaseCommand):
    """Creates the first member of staff, and shows the password this once."""

    help = "Create a superuser with a random password if nobody can enter the admin (safe to run again)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", default="staff@example.com", help="address to sign in with (%(default)s)")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        staff = User.objects.filter(is_staff=True, is_active=True).order_by("pk").first()
        if staff:
            self.stdout.write(f"{staff.email} can enter the admin.")
            self.stdout.write(f"Is the password lost?  manage.py changepassword {staff.email}")
        elif User.objects.filter(email=email).exists():
            raise CommandError(f"{email} is a customer, or switched off. Choose another address with --email.")
        else:
            self._create(email)

    def _create(self, email: str) -> None:
        try:
            User._meta.get_field("email").clean(email, None)
        except ValidationError as error:
            raise CommandError(f"{email!r} is no e-mail address.") from error
        password = secrets.token_urlsafe(12)
        user = User.objects.create_superuser(email, password)
        self.stdout.write(f"Staff account: {user.email}\nPassword:      {password}\nIt is shown only this once.")
