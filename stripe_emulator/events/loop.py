"""What the emulator's process does by itself: timers that are due happen, deliveries that are due are sent."""

import threading
from collections.abc import Callable

import structlog
from django.db import Error, close_old_connections, connections

from stripe_emulator import timers
from stripe_emulator.events import bell
from stripe_emulator.events.chaos import Chaos
from stripe_emulator.events.claim import claim
from stripe_emulator.events.senders import MOST_IN_HAND, Senders

log = structlog.get_logger(__name__)

TURN = 0.25
"""Seconds between two looks when nobody rings: other processes too advance the clock and plan deliveries."""
PAUSE_AFTER_TROUBLE = 2.0
PATIENCE = 5.0


def _stay_dead() -> None:
    """The trace of the mistake is on stderr."""


class Loop:
    """One thread that looks and a few that send. `on_death` is called when one ends by a mistake of ours."""

    def __init__(self, *, on_death: Callable[[], None] = _stay_dead) -> None:
        self._on_death = on_death
        self._stopping = threading.Event()
        self._senders = Senders(on_death=on_death)
        self._thread = threading.Thread(target=self._run, name="emulator", daemon=True)

    def start(self) -> None:
        """Begin; a loop starts once."""
        self._senders.start()
        self._thread.start()

    def stop(self) -> None:
        """End within a few seconds, after what is being sent."""
        self._stopping.set()
        bell.ring()
        self._thread.join(PATIENCE)
        self._senders.stop(seconds=PATIENCE)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._take_turn()
        finally:
            connections.close_all()
            if not self._stopping.is_set():
                self._on_death()

    def _take_turn(self) -> None:
        """The database may be away for a while, restarted, or not yet prepared."""
        try:
            close_old_connections()
            timers.fire_due()
            self._hand_out()
        except Error as trouble:
            log.warning("emulator.database_trouble", error=str(trouble))
            connections.close_all()
            self._stopping.wait(PAUSE_AFTER_TROUBLE)
            return
        bell.wait(TURN)

    def _hand_out(self) -> None:
        """Give due deliveries to the senders: while events are shuffled, to a single one."""
        in_hand = self._senders.in_hand
        in_order = Chaos.current().shuffle > 0
        free = MOST_IN_HAND - len(in_hand)
        if not free or (in_order and in_hand):
            return
        self._senders.take(claim(free, busy=in_hand), in_order=in_order)
