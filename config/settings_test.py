"""Settings for the tests: everything real but the mail box and the cost of a password."""

import atexit
import os
from contextlib import ExitStack

from config.catalogues import compile_all
from config.devdb.server import running

# Before Django starts: it reads a catalogue once, and many tests read French.
compile_all()

os.environ.setdefault("ENVIRONMENT", "test")
os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "x" * 40)
os.environ.setdefault("STRIPE_WEBHOOK_SECRET", "whsec_test_current whsec_test_previous")
os.environ.setdefault("STRIPE_SECRET_KEY", "sk_test_of_the_emulator")
os.environ.setdefault("STRIPE_EMULATOR", "1")
os.environ.setdefault("LOG_LEVEL", "WARNING")
if not os.environ.get("DATABASE_URL"):
    # Who starts pytest by hand gets a server of their own as well, for as long as this process lives.
    _server = ExitStack()
    atexit.register(_server.close)
    os.environ["DATABASE_URL"] = _server.enter_context(running(ephemeral=True))

from config.settings import *  # noqa: E402, F403

EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
