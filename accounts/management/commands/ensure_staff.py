"""`manage.py ensure_staff`: somebody can enter the admin, with all rights or those of a group; safe to run again."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from accounts.roles import NoSuchGroup, ensure_group

DEFAULT_ADDRESS = "staff@example.com"


class Command(BaseCommand):
    """Creates members of staff, and shows the password of a new one this once."""

    help = (
        "Create a superuser with a random password if nobody can enter the admin; with --group, let this person enter "
        "with the rights of the group (safe to run again)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", default=DEFAULT_ADDRESS, help="address to sign in with (%(default)s)")
        parser.add_argument(
            "--group", metavar="NAME", action="append", default=[],
            help=f"one of {', '.join(settings.STAFF_GROUPS)}; may be given several times",
        )  # fmt: skip

    def handle(self, *args: Any, email: str, group: list[str], **options: Any) -> None:
        if group:
            self._ensure_member(email, group)
            return
        staff = User.objects.filter(is_staff=True, is_active=True).order_by("pk").first()
        if staff:
            self.stdout.write(f"{staff.email} can enter the admin.")
            self.stdout.write(f"Is the password lost?  manage.py changepassword {staff.email}")
        elif User.objects.filter(email=email).exists():
            raise CommandError(f"{email} is a customer, or switched off. Choose another address with --email.")
        else:
            self._create(email, is_superuser=True)

    def _ensure_member(self, email: str, names: list[str]) -> None:
        """A member of staff joins; somebody new is made. A customer is not made staff by a slip of the keyboard."""
        try:
            groups = [ensure_group(name) for name in names]
        except NoSuchGroup as error:
            raise CommandError(str(error)) from error
        user = User.objects.filter(email=email).first()
        if user and not (user.is_staff and user.is_active):
            raise CommandError(f"{email} is a customer, or switched off. Choose another address with --email.")
        user = user or self._create(email)
        user.groups.add(*groups)
        self.stdout.write(f"{user.email} is in {', '.join(names)}.")

    def _create(self, email: str, *, is_superuser: bool = False) -> User:
        try:
            User._meta.get_field("email").clean(email, None)
        except ValidationError as error:
            raise CommandError(f"{email!r} is no e-mail address.") from error
        password = secrets.token_urlsafe(12)
        if is_superuser:
            user = User.objects.create_superuser(email, password)
        else:
            user = User.objects.create_user(email, password, is_staff=True)
        self.stdout.write(f"Staff account: {user.email}\nPassword:      {password}\nIt is shown only this once.")
        return user
