"""The threads that send, so that one slow receiver holds up nobody else."""

import queue
import threading
from collections.abc import Callable, Sequence

import structlog
from django.db import Error, close_old_connections, connections

from stripe_emulator.events import bell
from stripe_emulator.events.claim import release
from stripe_emulator.events.sending import send

log = structlog.get_logger(__name__)

THREADS = 8
MOST_IN_HAND = 4 * THREADS


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
