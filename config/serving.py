"""How gunicorn runs the site: `gunicorn -c python:config.serving config.wsgi`."""

import logging
import os
from typing import Any

import django
from django.utils.module_loading import import_string

from config.command_line import sentence_instead_of_traceback
from config.startup import WEB_EXIT_CODE

# The worker's class, which gunicorn loads before the application, needs the settings.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
with sentence_instead_of_traceback(code=WEB_EXIT_CODE):
    django.setup()

worker_class = "config.web_worker.Worker"
threads = 4
# Loaded once, then forked: what no process changes is there once (config/startup.py: settle).
preload_app = True
# Seconds without a byte, in the middle of a request or between two of them, after which a connection is closed.
keepalive = 10
# In each process; what unfinished requests may hold in memory is this many times STRIPE_WEBHOOK_MAX_BYTES.
worker_connections = 256
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    """What gunicorn says of a request goes the way of all log lines, which masks secrets."""
    said = logging.getLogger("gunicorn.error")
    said.handlers.clear()
    said.propagate = True
    import_string("payments.tallies.write_in_background")()
    import_string("payments.alerts.stand_in.start")()
