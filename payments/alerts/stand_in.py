"""Where no worker watches, a web process does: that no worker lives must not be what nobody hears of.

Each web process looks once a minute, by one row, whether somebody watches; the lock lets one of them stand in. It sends
the mails about alerts by itself, since nobody else would.
"""

from datetime import datetime, timedelta
from threading import Event, Thread

import structlog
from django.utils import timezone

from payments.alerts.watch import mail_key, watch
from payments.effects.deliver import deliver_now
from payments.heartbeats import WATCH, last_heartbeats
from payments.processing.loops import run_once, tell

log = structlog.get_logger(__name__)
INTERVAL_SECONDS = 60.0
# The delivery process of a worker watches every few seconds.
NOBODY_WATCHES_AFTER = timedelta(minutes=2)


def start() -> None:
    """For a web process, once it is forked."""
    stopping = Event()

    def stand_in_for_workers() -> None:
        stand_in(at=timezone.now())

    def keep_looking() -> None:
        while not stopping.wait(INTERVAL_SECONDS):
            if trouble := run_once(stand_in_for_workers):
                tell(trouble, loop="stand-in", again_in=INTERVAL_SECONDS)

    Thread(target=keep_looking, name="stand-in", daemon=True).start()


def stand_in(*, at: datetime) -> bool:
    """Watch if nobody else does, and tell what was found. Returns whether that was so."""
    last = last_heartbeats().get(WATCH)
    if last and at - last < NOBODY_WATCHES_AFTER:
        return False
    watched = watch(at=at)
    if watched is None:
        return False
    for row in watched.opened:
        deliver_now(key=mail_key(row), at=at)
    log.warning("alerts.stood_in", opened=len(watched.opened), closed=len(watched.closed))
    return True
