"""`python -m config.devrun.endpoint URL`: the Stripe emulator delivers there, signed as the site expects it.

A process of its own, because on a command line everybody on this machine could read the secret.
"""

import os
import sys

import django
from django.conf import settings
from django.core.management import call_command


def main(url: str) -> None:
    """Make the endpoint, or give the one that is there the secret of the site."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    # By its name: on another port it is still the same one, and nothing is sent to the old address.
    known = ("--name", "make run", "--secret", settings.STRIPE_WEBHOOK_SECRETS[0])
    call_command("stripe_emulator", "endpoint", "--url", url, *known)


if __name__ == "__main__":
    main(sys.argv[1])
