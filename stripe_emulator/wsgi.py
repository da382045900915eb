"""What the emulator's web server runs: the emulator alone, on an address of its own."""

import os

from django.core.management.base import BaseCommand
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_emulator")
application = get_wsgi_application()
# A web server asks for no system check by itself, and here one must stop it.
BaseCommand().check()
