import json
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from payments.alerts.models import Alert
from payments.effects.deliver import deliver_all
from payments.effects.models import Effect
from payments.heartbeats import WORKER, Heartbeat, note_heartbeat
from payments.statuses import EffectStatus
from payments.stripe_api.signature import verify
from tests.support.road import NOON
from tests.support.watching import A_MINUTE, everything_lives, watched

pytestmark = pytest.mark.django_db
SECRET = "whsec_of_ours"


@pytest.fixture
def listener():
    """Who listens to alerts: it keeps what it is told, and answers with `status`."""

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.told.append((body, self.headers["X-Signature"]))
            self.send_response(server.status)
            self.end_headers()

        def log_message(self, *_args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Listener)
    server.told, server.status = [], 200
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def hooked(listener, settings):
    settings.ALERT_WEBHOOK_URL = f"http://127.0.0.1:{listener.server_port}/alerts"
    settings.ALERT_WEBHOOK_SECRET, settings.LANGUAGE_CODE = SECRET, "en"
    everything_lives(at=NOON)
    Heartbeat.objects.filter(name=WORKER).update(at=NOON - 4 * A_MINUTE)
    return listener


def deliver():
    deliver_all(clock=lambda: NOON + 2 * A_MINUTE)


class TestSendHook:
    def test_tells_of_beginning_and_end_signed_and_in_words(self, hooked, settings):
        watched(at=NOON)
        note_heartbeat(WORKER, at=NOON)
        watched(at=NOON + A_MINUTE)
        deliver()

        opened, closed = [json.loads(body) for body, _signature in hooked.told]
        row = Alert.objects.get()
        for body, signature in hooked.told:
            assert verify(body, signature, secrets=[SECRET], tolerance=60, now=time.time()).seconds < 60
        assert opened["text"].startswith(f"🔴 {settings.SITE_NAME} (test): No worker lives. No worker has given")
        assert opened["text"].endswith(f"{settings.SITE_URL}{row.page}")
        assert (opened["alert"]["what"], opened["alert"]["severity"]) == ("opened", "high")
        assert (closed["alert"]["what"], closed["alert"]["id"]) == ("closed", row.pk)

    def test_is_tried_again_when_nobody_takes_it(self, hooked):
        hooked.status = 500
        watched(at=NOON)
        deliver()

        effect = Effect.objects.get(kind="alert.hook")

        assert (effect.status, effect.attempts) == (EffectStatus.PENDING, 1)
        assert "500" in effect.outcome

    def test_says_nothing_without_an_address(self):
        note_heartbeat(WORKER, at=NOON - 4 * A_MINUTE)
        watched(at=NOON)

        assert list(Effect.objects.values_list("kind", flat=True)) == ["alert.opened"]
        assert Heartbeat.objects.filter(name="watch").exists()
