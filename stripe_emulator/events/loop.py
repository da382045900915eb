"""What the emulator's process does by itself: timers that are due happen, deliveries that are due are sent."""

import queue
import threading
from collections.abc import Callable, Sequence

import structlog
from django.db import Error, close_old_connections, connections

from stripe_emulator import timers
from stripe_emulator.events import bell
from stripe_emulator.events.chaos import Chaos
from stripe_emulator.events.deliver import claim, release, send

log = structlog.get_logger(__name__)

TURN_SECONDS = 0.25
"""Seconds between two looks when nobody rings: other processes too advance the clock and plan deliveries."""
SECONDS_AFTER_DATABASE_TROUBLE = 2.0
STOP_SECONDS = 5.0
THREADS = 8
MOST_IN_HAND = 4 * THREADS


class Loop:
    """One thread that looks and a few that send. `on_death` is called when one ends by a mistake of ours."""

    def __init__(self, *, on_death: Callable[[], None] = lambda: None) -> None:
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
        self._thread.join(STOP_SECONDS)
        self._senders.stop(seconds=STOP_SECONDS)

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
            self._stopping.wait(SECONDS_AFTER_DATABASE_TROUBLE)
            return
        bell.wait(TURN_SECONDS)

    def _hand_out(self) -> None:
        """Give due deliveries to the senders: while events are shuffled, to a single one."""
        in_hand = self._senders.in_hand
        in_order = Chaos.current().shuffle > 0
        free = MOST_IN_HAND - len(in_hand)
        if not free or (in_order and in_hand):
            return
        self._senders.take(claim(free, busy=in_hand), in_order=in_order)


class Senders:
    """Threads with a queue of claimed deliveries. `on_death` is called when one of them ends by a mistake of ours."""

    def __init__(self, *, on_death: Callable[[], None]) -> None:
        self._queue: queue.SimpleQueue[Sequence[int] | None] = queue.SimpleQueue()
        self._in_hand: set[int] = set()
        self._lock = threading.Lock()
        self._on_death = on_death
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._work, name=f"sender-{number}", daemon=True) for number in range(THREADS)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, *, seconds: float) -> None:
        """Send no more and give back what nobody has begun; wait so long for what is under way."""
        self._stopping = True
        for _thread in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(seconds)

    @property
    def in_hand(self) -> frozenset[int]:
        """What waits for a thread or is being sent."""
        with self._lock:
            return frozenset(self._in_hand)

    def take(self, claimed: Sequence[int], *, in_order: bool) -> None:
        """Send these; `in_order`: by a single thread, one after another."""
        with self._lock:
            self._in_hand.update(claimed)
        for batch in [claimed] if in_order else [[pk] for pk in claimed]:
            self._queue.put(batch)

    def _work(self) -> None:
        is_done = False
        try:
            while (batch := self._queue.get()) is not None:
                self._send_all(batch)
            is_done = True
        finally:
            connections.close_all()
            if not is_done:
                self._on_death()

    def _send_all(self, batch: Sequence[int]) -> None:
        close_old_connections()
        for pk in batch:
            self._send(pk)
        bell.ring()

    def _send(self, pk: int) -> None:
        try:
            if self._stopping:
                release(pk)
            else:
                send(pk)
        except Error as trouble:
            log.warning("emulator.delivery_postponed", delivery=pk, error=str(trouble))
            connections.close_all()
        finally:
            with self._lock:
                self._in_hand.discard(pk)
