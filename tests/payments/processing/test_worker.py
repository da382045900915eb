"""The loops of a real worker process: when they wake up, how they end."""

import signal
import statistics
from threading import Event

import psycopg
import pytest
from django.db import DatabaseError
from django.utils import timezone

from payments import bell
from payments.ledger.models import EventAttempt, PaymentEvent
from payments.processing.drain import drain
from payments.processing.loops import Every, Loops
from payments.processing.models import ReplayRun, ReplayState
from payments.processing.replay_runs import Selection, start_run
from tests.support.deep import so_many
from tests.support.ledger_rows import is_all_done, ring_bell, waiting_events
from tests.support.processes import BELL_ONLY, PROCESS_TIMEOUT, running_command, running_worker, wait_until

pytestmark = pytest.mark.slow
EVENTS = so_many(400, deep=1_000)


@pytest.mark.django_db(transaction=True)
class TestWorker:
    @pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
    def test_drains_with_every_pool_and_stops_when_asked(self, tmp_path, pool):
        with running_worker(tmp_path, pool=pool, **BELL_ONLY) as worker:
            waiting_events(150)
            ring_bell()
            wait_until(is_all_done, or_show=lambda: worker.output)

            worker.stop()

        assert worker.popen.returncode == 0
        assert "loop.left_behind" not in worker.output

    def test_wakes_up_when_the_bell_rings(self, tmp_path):
        with running_worker(tmp_path, **BELL_ONLY) as worker:
            waits = []
            for _ in range(20):
                waiting_events()
                bell.ring()
                waits.append(wait_until(is_all_done, or_show=lambda: worker.output))

        print(f"wake-up: median {statistics.median(waits) * 1000:.1f} ms, longest {max(waits) * 1000:.1f} ms")

    def test_finds_what_nobody_rang_for(self, tmp_path):
        with running_worker(tmp_path) as worker:
            waiting_events()

            wait_until(is_all_done, or_show=lambda: worker.output)

    def test_takes_up_what_waited_before_it_started(self, tmp_path):
        waiting_events(3)

        with running_worker(tmp_path, **BELL_ONLY) as worker:
            wait_until(is_all_done, or_show=lambda: worker.output)

    def test_goes_on_with_a_replay(self, tmp_path):
        waiting_events(3)
        drain(at=timezone.now())
        ids = tuple(PaymentEvent.objects.values_list("stripe_event_id", flat=True))
        run = start_run(Selection(ids=ids), by=None, reason="repaired", at=timezone.now())

        with running_worker(tmp_path) as worker:
            wait_until(
                lambda: ReplayRun.objects.filter(pk=run.pk, state=ReplayState.DONE).exists(),
                or_show=lambda: worker.output,
            )

        assert EventAttempt.objects.filter(trigger="replay").count() == 3

    def test_stops_on_ctrl_c(self, tmp_path):
        with running_worker(tmp_path) as worker:
            worker.wait_for("ready.")

            worker.stop(signal.SIGINT)

        assert "loop.left_behind" not in worker.output

    def test_two_workers_share_the_queue_without_doing_anything_twice(self, tmp_path):
        first_home, second_home = tmp_path / "first", tmp_path / "second"
        first_home.mkdir()
        second_home.mkdir()

        with running_worker(first_home) as first, running_worker(second_home) as second:
            waiting_events(EVENTS)
            ring_bell()
            wait_until(is_all_done, or_show=lambda: first.output + second.output)

        assert EventAttempt.objects.count() == EVENTS
        assert EventAttempt.objects.values("event").distinct().count() == EVENTS


@pytest.mark.django_db(transaction=True)
class TestDrainCommand:
    def test_processes_what_is_due_and_says_how_much(self, tmp_path):
        waiting_events(3)

        with running_command(tmp_path, "drain") as command:
            command.popen.wait(PROCESS_TIMEOUT)

        assert "3 events processed." in command.output
        assert is_all_done()

    def test_goes_on_when_it_shall_watch_until_it_is_told_to_stop(self, tmp_path):
        with running_command(tmp_path, "drain", "--watch", **BELL_ONLY) as command:
            command.wait_for("drain.listening")
            waiting_events(3)
            ring_bell()
            wait_until(is_all_done, or_show=lambda: command.output)

            command.stop()

        assert command.popen.returncode == 0


class TestKeepRunning:
    def test_starts_over_after_any_error_and_says_so(self, caplog):
        loops = Loops({}, stopping=Event())
        turns: list[int] = []

        def unlucky_loop():
            turns.append(len(turns))
            if len(turns) == 3:
                loops.ask_to_stop()
            raise (psycopg.OperationalError("gone"), KeyError("a bug"), DatabaseError("gone too"))[len(turns) - 1]

        loops.keep_running(unlucky_loop)

        assert turns == [0, 1, 2]
        said = [record.msg["event"] for record in caplog.records]
        assert said == ["loop.interrupted", "loop.failed", "loop.interrupted"]

    @pytest.mark.parametrize(
        ("trouble", "expected"),
        [
            (KeyError("a bug"), [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]),
            # One that is back shall be found within a second.
            (psycopg.OperationalError("nobody there"), [0.2, 0.4, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]),
        ],
    )
    def test_waits_longer_each_time_but_not_for_ever(self, monkeypatch, caplog, trouble, expected):
        loops = Loops({}, stopping=Event())
        pauses: list[float] = []
        monkeypatch.setattr(loops.stopping, "wait", pauses.append)

        def dead_loop():
            if len(pauses) == 7:
                loops.ask_to_stop()
            raise trouble

        loops.keep_running(dead_loop)

        assert pauses == expected
        # A database that stays away is not said twice a second.
        assert len(caplog.records) == (8 if isinstance(trouble, KeyError) else 3)


class TestEvery:
    def test_is_due_at_once_and_then_once_in_a_while(self, monkeypatch):
        now = 1000.0
        monkeypatch.setattr("payments.processing.loops.monotonic", lambda: now)
        minutely = Every(60)

        answers = []
        for now in (1000.0, 1059.0, 1060.0, 1061.0, 1200.0):  # noqa: B007 - read by the clock above
            answers.append(minutely.is_due())

        assert answers == [True, False, True, False, True]
