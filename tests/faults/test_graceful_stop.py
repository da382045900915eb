"""SIGTERM, as Docker sends it: everything ends within its grace period; nothing is lost, and nothing is done twice."""

import os
import signal
import socket
import sys
import time

import pytest
import yaml
from django.utils import timezone

from config import alive
from config.env import ROOT
from payments.ledger.models import EventAttempt, PaymentEvent
from payments.processing.drain import drain
from payments.statuses import EventStatus
from tests.support.ledger_rows import is_all_done, waiting_events
from tests.support.processes import running, running_worker, wait_until
from tests.support.signing import URL, body_of, make_event, signature_of
from tests.support.web_server import web_server

pytestmark = pytest.mark.slow
EVENTS = 1_200
SERVICES = yaml.safe_load((ROOT / "compose.yml").read_text())["services"]


def stopped_within_grace(service, process):
    """Ended by itself, with the code that says so, in the time that compose.yml gives it."""
    began = time.monotonic()
    process.stop(signal.SIGTERM)
    return process.popen.returncode == 0 and time.monotonic() - began < int(SERVICES[service]["stop_grace_period"][:-1])


def is_noted(task, folder):
    """Whether beat has written when this is due."""
    return any(task.encode() in path.read_bytes() for path in folder.glob("beat*"))


@pytest.mark.django_db(transaction=True)
class TestStop:
    def test_lets_a_delivery_that_is_arriving_come_to_its_end(self, tmp_path, monkeypatch):
        body = body_of(make_event())
        head = f"POST {URL} HTTP/1.1\r\nHost: 127.0.0.1\r\nStripe-Signature: {signature_of(body)}\r\n"
        said = f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        with web_server(tmp_path) as web, socket.create_connection(("127.0.0.1", web.port), timeout=30) as wire:
            monkeypatch.setenv("PORT", str(web.port))
            assert alive.web()
            wire.sendall(said[:-10])
            time.sleep(0.3)  # it has arrived, as far as it was sent

            os.kill(web.process.popen.pid, signal.SIGTERM)
            time.sleep(0.3)
            wire.sendall(said[-10:])

            assert wire.recv(65536).startswith(b"HTTP/1.1 200")
            assert stopped_within_grace("web", web.process)
        assert PaymentEvent.objects.count() == 1

    def test_ends_a_worker_after_the_batch_at_hand(self, tmp_path):
        waiting_events(EVENTS)
        done = PaymentEvent.objects.exclude(status=EventStatus.RECEIVED)
        with running_worker(tmp_path) as worker:
            wait_until(done.exists, or_show=lambda: worker.output)

            assert stopped_within_grace("worker", worker)

        assert done.count() > 0
        drain(at=timezone.now())
        assert is_all_done()
        assert EventAttempt.objects.count() == EventAttempt.objects.values("event").distinct().count() == EVENTS

    def test_ends_the_timetable(self, tmp_path, monkeypatch):
        command = (sys.executable, "-m", "celery", "-A", "config", "beat", "--pidfile=", "--loglevel=info")
        told = {"VAR_DIR": str(tmp_path), "REDIS_URL": "", "CELERY_BROKER_URL": ""}
        with running(*command, log=tmp_path / "log", environment=told) as beat:
            monkeypatch.setenv("VAR_DIR", str(tmp_path))
            # The file is there before what is due has been noted in it: until then a stop is an error to Celery.
            wait_until(lambda: is_noted("payments.heartbeat", tmp_path), or_show=lambda: beat.output)
            assert alive.beat()

            assert stopped_within_grace("beat", beat)
