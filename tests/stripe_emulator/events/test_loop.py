"""The threads of the emulator's process, with real commits."""

import threading
from contextlib import contextmanager

import pytest
from django.db import OperationalError, transaction

from stripe_emulator import clock, store, timers
from stripe_emulator.events import loop
from stripe_emulator.events.chaos import Chaos
from stripe_emulator.events.deliver import RETRIES
from stripe_emulator.events.loop import Loop
from stripe_emulator.models import Delivery, Timer
from tests.support.emulator import send_due
from tests.support.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def running_loop(**options):
    loop = Loop(**options)
    loop.start()
    try:
        yield loop
    finally:
        loop.stop()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("sender-", "emulator"))]


def arrived(receiver, count):
    return wait_until(lambda: len(receiver.received) >= count, or_show=lambda: receiver.received)


class TestLoop:
    def test_sends_what_was_committed_at_once(self, endpoint, receiver, happen, monkeypatch):
        monkeypatch.setattr(loop, "TURN_SECONDS", 60)
        with running_loop():
            with transaction.atomic():
                happen()

            seconds = arrived(receiver, 1)

        assert seconds < 5

    def test_sends_again_when_another_process_has_advanced_the_clock(self, endpoint, receiver, happen, pass_time):
        receiver.answers = [500]
        happen()
        with running_loop():
            wait_until(lambda: Delivery.objects.filter(attempt_count=1).exists())
            pass_time(RETRIES[0])

            arrived(receiver, 2)

    def test_lets_timers_go_off(self, happen, monkeypatch):
        gone_off = threading.Event()
        monkeypatch.setitem(timers.REACTIONS, "test.bang", lambda stored, at: gone_off.set())
        customer = store.get("customer", happen().object_id)
        timers.set_timer("test.bang", customer, at=clock.real_now())

        with running_loop():
            assert gone_off.wait(10)
        assert not Timer.objects.exists()

    def test_sends_to_others_while_one_is_slow(self, endpoint, receiver, happen):
        receiver.may_answer.clear()
        for _ in range(loop.THREADS):
            happen()

        with running_loop():
            arrived(receiver, loop.THREADS)
            assert not Delivery.objects.filter(state="delivered").exists()
            receiver.may_answer.set()

    def test_sends_a_great_many_each_once(self, endpoint, receiver, happen):
        events = [happen().stripe_id for _ in range(100)]

        with running_loop():
            wait_until(lambda: not Delivery.objects.filter(state="pending").exists())

        assert sorted(event["id"] for event in receiver.events) == sorted(events)

    def test_keeps_the_order_while_events_are_shuffled(self, endpoint, receiver, happen):
        Chaos(seed=3, shuffle=10, duplicates=2).save()
        for _ in range(20):
            happen()

        with running_loop():
            arrived(receiver, 60)

        planned = Delivery.objects.order_by("position").values_list("event__stripe_id", flat=True)
        assert [event["id"] for event in receiver.events] == list(planned)

    def test_survives_trouble_with_the_database(self, endpoint, receiver, happen, monkeypatch):
        monkeypatch.setattr(loop, "SECONDS_AFTER_DATABASE_TROUBLE", 0.05)
        troubles = [OperationalError("gone"), OperationalError("still gone")]
        fire_due = timers.fire_due
        monkeypatch.setattr(timers, "fire_due", lambda: _raise(troubles.pop()) if troubles else fire_due())
        happen()

        with running_loop():
            arrived(receiver, 1)

    def test_sends_after_its_lease_what_the_database_did_not_take(
        self, endpoint, receiver, happen, pass_time, monkeypatch
    ):
        troubles = [OperationalError("gone")]
        send = loop.send
        monkeypatch.setattr(loop, "send", lambda pk: _raise(troubles.pop()) if troubles else send(pk))
        happen()

        with running_loop():
            wait_until(lambda: not troubles)
            pass_time(3600)
            arrived(receiver, 1)

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
    def test_says_so_when_it_dies_of_a_mistake(self, happen, monkeypatch):
        died = threading.Event()
        monkeypatch.setattr(timers, "fire_due", lambda: _raise(KeyError("a mistake")))

        with running_loop(on_death=died.set):
            assert died.wait(10)

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
    def test_says_so_when_a_sender_dies_of_a_mistake(self, endpoint, happen, monkeypatch):
        died = threading.Event()
        monkeypatch.setattr(loop, "send", lambda pk: _raise(KeyError("a mistake")))
        happen()

        with running_loop(on_death=died.set):
            assert died.wait(10)


def _raise(error):
    raise error


def test_stopping_gives_back_what_nobody_has_begun(endpoint, receiver, happen):
    receiver.seconds = 0.5
    for _ in range(60):
        happen()

    with running_loop():
        arrived(receiver, 1)

    begun = len(receiver.received)
    assert begun < 60
    assert Delivery.objects.filter(state="delivered").count() == begun
    receiver.seconds = 0
    assert send_due(100) == 60 - begun
