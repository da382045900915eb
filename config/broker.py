"""Celery's broker: the one that is named, else files, for one machine without Redis.

kombu's broker in files creates a message's file and writes it afterwards. A worker that looks in between reads nothing,
and ends with a JSONDecodeError: 11 times in 20 000 messages when both sides hurry. Ours is without that race.
"""

import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from django.conf import settings
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps

EMBEDDED = "filesystem://"
TRANSPORT_ALIASES["filesystem"] = "config.broker:Transport"
# Half a second is what Celery would poll with; fifty milliseconds cost nothing one could measure.
POLLING_SECONDS = 0.05
SILENCE_SECONDS = 3


def broker(url: str) -> dict[str, Any]:
    """The broker by its address; without one, files under `var/` carry the few messages of one machine."""
    if url.startswith("redis"):
        # A broker that takes connections and says nothing would otherwise keep the worker from stopping.
        timeouts = {"socket_timeout": SILENCE_SECONDS, "socket_connect_timeout": SILENCE_SECONDS}
        return {"broker_url": url, "broker_transport_options": timeouts}
    if not url.startswith(EMBEDDED):
        return {"broker_url": url}
    for name in ("queue", "control"):
        (settings.BROKER_DIR / name).mkdir(parents=True, exist_ok=True)
    return {
        "broker_url": f"{EMBEDDED}localhost",
        "broker_transport_options": {
            # One directory for both ways: who reads and who writes are the same kind of process.
            "data_folder_in": str(settings.BROKER_DIR / "queue"),
            "data_folder_out": str(settings.BROKER_DIR / "queue"),
            "control_folder": str(settings.BROKER_DIR / "control"),
            "polling_interval": POLLING_SECONDS,
        },
        # Answers to `celery inspect` would pile up as files that nobody reads.
        "worker_enable_remote_control": False,
    }


class Channel(filesystem.Channel):
    """A message appears whole or not at all."""

    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:  # type: ignore[override]
        finished = Path(self.data_folder_out, f"{time.time_ns():020}_{uuid.uuid4()}.{queue}.msg")
        unfinished = finished.with_suffix(".unfinished")
        unfinished.write_text(dumps(payload))
        unfinished.replace(finished)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        try:
            return super()._get(queue)
        except ValueError as error:
            # A power cut can still leave half a message. It is gone, and the timetable sends the next one.
            raise Empty from error


class Transport(filesystem.Transport):
    """Takes the place of kombu's transport of the same name."""

    Channel = Channel
