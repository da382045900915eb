"""The emulator's own process, as `make run` starts it."""

import re
import signal
import sys
from contextlib import contextmanager

import pytest
import requests
from django.conf import settings

from stripe_emulator import clock, store
from stripe_emulator.events.endpoints import keep_endpoint
from stripe_emulator.models import Delivery
from stripe_emulator.objects.account import new_webhook_endpoint
from tests.support.processes import running, wait_until
from tests.support.webhook_receiver import running_receiver

COMMAND = (sys.executable, "-m", "gunicorn", "-c", "python:stripe_emulator.serving", "stripe_emulator.wsgi")
SECRET = "whsec_of_the_receiver"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@contextmanager
def emulator(directory):
    """The process and its address."""
    environment = {"DJANGO_SETTINGS_MODULE": "config.settings_emulator", "VAR_DIR": str(directory)}
    log = directory / "emulator.log"
    with running(*COMMAND, "--bind", "127.0.0.1:0", log=log, environment=environment) as process:
        process.wait_for("Booting worker")
        listening = re.search(r"Listening at: (http://127\.0\.0\.1:\d+)", process.output)
        assert listening, process.output
        yield process, listening[1]


def create_customer(base):
    headers = {"Authorization": f"Bearer {settings.STRIPE_SECRET_KEY}"}
    return requests.post(f"{base}/v1/customers", headers=headers, data={"name": "Ada"}, timeout=20).json()


class TestTheProcess:
    def test_answers_calls_and_delivers_what_they_cause(self, tmp_path):
        with running_receiver() as receiver, emulator(tmp_path) as (process, base):
            data = new_webhook_endpoint(clock.real_now(), url=receiver.url, enabled_events=["*"])
            keep_endpoint(data, secret=SECRET)

            made = create_customer(base)
            wait_until(lambda: receiver.received, or_show=lambda: process.output)
            wait_until(lambda: Delivery.objects.get().state == "delivered")
            process.stop()

        (request,) = receiver.received
        assert request.event["data"]["object"]["id"] == made["id"]
        assert request.is_signed_with(SECRET)
        assert "Traceback" not in process.output

    def test_finishes_what_it_is_sending_when_it_is_stopped(self, tmp_path):
        with running_receiver() as receiver, emulator(tmp_path) as (process, base):
            receiver.seconds = 1
            data = new_webhook_endpoint(clock.real_now(), url=receiver.url, enabled_events=["*"])
            keep_endpoint(data, secret=SECRET)

            create_customer(base)
            wait_until(lambda: receiver.received, or_show=lambda: process.output)
            process.stop(signal.SIGTERM)

        assert Delivery.objects.get().state == "delivered"
        assert store.find("customer").count() == 1
