"""What the emulator's web server runs: the emulator alone, on an address of its own."""

import io
import os

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_emulator")
application = get_wsgi_application()
# A web server asks for no system check by itself, and here one must stop it. Only trouble is told, on stderr.
call_command("check", stdout=io.StringIO())
