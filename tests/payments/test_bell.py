import os
import threading
import time

import psycopg
import pytest
from django.db import transaction
from structlog.testing import capture_logs

from payments import bell
from payments.bell import CHANNEL, Bell, connect

SOON = 60  # at the latest: a loaded machine is slow, but not wrong
A_WHILE = 0.4


@pytest.fixture
def ear(transactional_db):
    with connect() as listener:
        listener.execute(f"LISTEN {CHANNEL}")
        yield listener


@pytest.fixture
def one_bell():
    ours = Bell()
    yield ours
    ours.stop()


@pytest.fixture
def the_bell():
    yield bell
    bell.stop()


def heard(ear, *, within=SOON, stop_after=1):
    return len(list(ear.notifies(timeout=within, stop_after=stop_after)))


def ringing_connections(ear):
    """By their number: over which connection the next notification came."""
    return [notification.pid for notification in ear.notifies(timeout=SOON, stop_after=1)]


@pytest.fixture
def made(monkeypatch):
    """The connections that bells have made."""
    connections: list[psycopg.Connection] = []

    def connect_and_remember():
        connections.append(connect())
        return connections[-1]

    monkeypatch.setattr(bell, "connect", connect_and_remember)
    return connections


def bell_threads():
    return {thread for thread in threading.enumerate() if thread.name == "bell"}


class TestRing:
    def test_wakes_who_listens(self, ear, one_bell):
        one_bell.ring()

        assert heard(ear) == 1

    def test_does_not_wait_for_the_database(self, ear, one_bell, monkeypatch):
        answers = threading.Event()

        def connect_late():
            assert answers.wait(SOON)
            return connect()

        monkeypatch.setattr(bell, "connect", connect_late)

        one_bell.ring()

        answers.set()
        assert heard(ear) == 1

    def test_of_a_burst_becomes_few_notifications_the_last_after_the_last_ring(self, ear, one_bell):
        began = time.monotonic()
        for _ in range(400):
            one_bell.ring()
            time.sleep(0.0005)
        pauses = (time.monotonic() - began) / bell.RING_INTERVAL_SECONDS
        with connect() as other:
            other.execute(f"LISTEN {CHANNEL}")
            one_bell.ring()

            assert heard(other) == 1
        assert 1 < heard(ear, within=A_WHILE, stop_after=1000) <= min(pauses + 5, 399)

    def test_during_the_pause_gets_a_notification_after_it(self, ear, one_bell, monkeypatch):
        monkeypatch.setattr(bell, "RING_INTERVAL_SECONDS", 5 * A_WHILE)
        one_bell.ring()
        heard(ear)

        one_bell.ring()

        assert heard(ear, within=A_WHILE) == 0
        assert heard(ear) == 1

    def test_keeps_to_one_thread_and_one_connection(self, ear, one_bell, made):
        others = bell_threads()
        ringers = [threading.Thread(target=one_bell.ring) for _ in range(20)]
        for ringer in ringers:
            ringer.start()
        for ringer in ringers:
            ringer.join()

        # One, or two where the ringers needed longer than the pause between two notifications.
        assert heard(ear) >= 1
        assert len(made) == 1
        assert len(bell_threads() - others) == 1

    def test_opens_a_lost_connection_again(self, ear, one_bell):
        one_bell.ring()
        ear.execute("SELECT pg_terminate_backend(%s, 5000)", ringing_connections(ear))

        with capture_logs() as lines:
            one_bell.ring()
            assert heard(ear) == 1

        assert [line["event"] for line in lines] == ["bell.failed"]
        assert lines[0]["log_level"] == "warning"

    def test_survives_a_database_that_is_away(self, ear, one_bell, monkeypatch):
        def refuse():
            raise psycopg.OperationalError("connection refused")

        monkeypatch.setattr(bell, "RETRY_INTERVAL_SECONDS", 0.01)
        monkeypatch.setattr(bell, "connect", refuse)
        with capture_logs() as lines:
            one_bell.ring()
            assert heard(ear, within=A_WHILE) == 0
        monkeypatch.undo()

        one_bell.ring()

        assert heard(ear) == 1
        assert lines[0]["event"] == "bell.failed"

    def test_works_again_after_it_was_stopped(self, ear, one_bell):
        one_bell.ring()
        heard(ear)
        one_bell.stop()

        one_bell.ring()

        assert heard(ear) == 1

    @pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
    def test_works_in_a_child_that_was_forked_later(self, ear, the_bell):
        the_bell.ring()
        (parents_connection,) = ringing_connections(ear)
        until_heard, heard_it = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(heard_it)
            the_bell.ring()
            os.read(until_heard, 1)
            os._exit(0)

        (childs_connection,) = ringing_connections(ear)
        os.close(heard_it)
        os.close(until_heard)
        os.waitpid(child, 0)
        the_bell.ring()

        assert ringing_connections(ear) == [parents_connection]
        assert childs_connection != parents_connection


class TestRingOnCommit:
    def test_rings_after_the_commit(self, ear, the_bell):
        with transaction.atomic():
            the_bell.ring_on_commit()
            assert heard(ear, within=A_WHILE) == 0

        assert heard(ear) == 1

    def test_rings_at_once_outside_a_transaction(self, ear, the_bell):
        the_bell.ring_on_commit()

        assert heard(ear) == 1

    def test_is_silent_about_what_was_rolled_back(self, ear, the_bell):
        with transaction.atomic():
            the_bell.ring_on_commit()
            transaction.set_rollback(True)

        assert heard(ear, within=A_WHILE) == 0
