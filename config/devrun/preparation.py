"""`python -m config.devrun.preparation`: what has to be done before the processes start, in one process and in order.

All of it can be repeated. Progress goes to the terminal (stderr); stdout has what is to be told when all is ready: the
staff account, whose password is told only once.
"""

import os
import sys
import time
from collections.abc import Callable
from functools import partial
from io import StringIO

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError

from config.catalogues import compile_all
from config.command_line import why_refused

WEBHOOK_PATH = "/stripe/webhooks"
# What a step finds, the steps before it have made: what has to look at the database before its migrations run stands
# before them.
STEPS: dict[str, tuple[str, ...]] = {
    "checks": ("check",),
    "database": ("migrate", "--noinput"),
    "demo data": ("seed_demo",),
    "demo modules": ("seed_modules",),
}
ENSURE_STAFF = ("ensure_staff",)


def main() -> int:
    """Take every step; 1 as soon as one fails."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        # Before Django starts: it reads a catalogue once.
        timed("translations", compile_all)
        timed("Django", django.setup)
        for name, command in (STEPS | emulator_steps()).items():
            timed(name, partial(run_command, command))
        print(run_command(ENSURE_STAFF))
    except CommandError as refusal:
        progress(f"\n{refusal}\n")
        return 1
    except (ImproperlyConfigured, OperationalError) as error:
        if not (sentence := why_refused(error)):
            raise
        progress(f"\n{sentence}\n")
        return 1
    return 0


def emulator_steps() -> dict[str, tuple[str, ...]]:
    """The emulator delivers to the site, signed with the site's own webhook secret."""
    if not settings.STRIPE_EMULATOR:
        return {}
    url = settings.SITE_URL + WEBHOOK_PATH
    # By its name: on another port it is still the same one, and nothing is sent to the old address.
    known = ("--name", "make run", "--api-version", settings.STRIPE_API_VERSION)
    secret = ("--secret", settings.STRIPE_WEBHOOK_SECRETS[0])
    return {"webhook endpoint": ("stripe_emulator", "endpoint", "--url", url, *known, *secret)}


def timed(name: str, step: Callable[[], object]) -> None:
    """Say what is being done, then how long it took."""
    began = time.monotonic()
    progress(f"  {name} …")
    step()
    progress(f" {time.monotonic() - began:.1f} s\n")


def run_command(command: tuple[str, ...]) -> str:
    """The output of the command, which is shown at once only if it fails."""
    said, is_done = StringIO(), False
    try:
        call_command(*command, stdout=said)
        is_done = True
    finally:
        if not is_done:
            progress(f"\n{said.getvalue()}")
    return said.getvalue().strip()


def progress(text: str) -> None:
    """To the terminal at once, also in the middle of a line."""
    sys.stderr.write(text)
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
