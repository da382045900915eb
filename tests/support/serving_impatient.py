"""The web server of production, which waits for nobody longer than a test may take."""

from config import web_worker
from config.serving import *  # noqa: F403

web_worker.REQUEST_SECONDS = 2
keepalive = 3
threads = 2
