"""Celery's broker: chosen by its address; in files, messages arrive whole, and half a message harms nobody."""

import subprocess
import sys
from queue import Empty

import pytest
from celery import Celery

from config.broker import broker
from tests.support.processes import ROOT

MESSAGES = 3000
SENDER = f"""
import sys
from pathlib import Path
from kombu import Connection
from config.broker import Transport
folder = sys.argv[1]
options = {{"data_folder_in": folder, "data_folder_out": folder, "control_folder": folder + "-control"}}
channel = Connection(transport=Transport, transport_options=options).channel()
for number in range({MESSAGES}):
    channel._put("hurried", {{"number": number}})
"""


@pytest.fixture
def channel(settings, tmp_path):
    settings.BROKER_DIR = tmp_path
    app = Celery("reader", set_as_current=False)
    app.conf.update(broker("filesystem://"))
    with app.connection_for_read() as connection:
        yield connection.channel()


class TestBroker:
    def test_is_files_of_one_directory_when_none_is_named(self, settings, tmp_path):
        settings.BROKER_DIR = tmp_path / "broker"

        options = broker("filesystem://")["broker_transport_options"]

        assert options["data_folder_in"] == options["data_folder_out"]
        assert {path.name for path in settings.BROKER_DIR.iterdir()} == {"queue", "control"}

    @pytest.mark.parametrize("url", ["redis://redis:6379/0", "rediss://redis:6379/0", "amqp://rabbit//"])
    def test_is_taken_from_its_address(self, url):
        assert broker(url)["broker_url"] == url


class TestChannel:
    def test_gives_each_message_once_and_whole_while_another_process_writes(self, channel, tmp_path):
        received: list[int] = []
        sender = subprocess.Popen([sys.executable, "-c", SENDER, str(tmp_path / "queue")], cwd=ROOT)
        while len(received) < MESSAGES:
            try:
                received.append(channel._get("hurried")["number"])
            except Empty:
                assert sender.poll() in (None, 0)

        assert sender.wait(10) == 0
        assert sorted(received) == list(range(MESSAGES))

    def test_takes_half_a_message_for_none(self, channel, tmp_path):
        (tmp_path / "queue" / "1_torn.celery.msg").write_text('{"body": "eyJ')

        with pytest.raises(Empty):
            channel._get("celery")

    def test_hands_out_the_oldest_first(self, channel):
        for number in (1, 2, 3):
            channel._put("celery", {"number": number})

        assert [channel._get("celery")["number"] for _ in range(3)] == [1, 2, 3]
