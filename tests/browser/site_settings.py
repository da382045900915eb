"""The tests' settings for the processes of the site: their mails become files, which a test can read."""

import os

from config.settings_test import *  # noqa: F403

EMAIL_BACKEND = "payments.effects.mail.EmailBackend"
EMAIL_FILE_PATH = os.environ["MAILS"]
