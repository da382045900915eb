"""The database closes connections or is away for a while: the worker comes back by itself and nothing is lost."""

from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection

from tests.support.ledger_rows import is_all_done, ring_bell, waiting_events
from tests.support.processes import BELL_ONLY, running_worker, wait_until

OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s"

pytestmark = pytest.mark.slow


def end_backends(extra=""):
    """Ends every connection to the test database but the test's own, as a restart does. Returns how many."""
    with connection.cursor() as own:
        own.execute("SELECT pg_backend_pid()")
        (own_pid,) = own.fetchone()
        own.execute(OTHERS + extra, [connection.settings_dict["NAME"], own_pid])
        return len(own.fetchall())


@contextmanager
def database_away():
    """Nobody can connect to the test database, and who was connected is thrown out (but the test itself)."""
    connection.ensure_connection()  # afterwards it would be too late
    name = connection.settings_dict["NAME"]
    params = {**connection.get_connection_params(), "dbname": "postgres"}
    with psycopg.connect(**params, autocommit=True) as outside:
        outside.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
        try:
            end_backends()
            yield
        finally:
            outside.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')


@pytest.mark.django_db(transaction=True)
class TestWorkerWhoseDatabaseGoes:
    def test_listens_again_when_its_listener_was_thrown_out(self, tmp_path):
        with running_worker(tmp_path, **BELL_ONLY) as worker:
            assert end_backends(" AND application_name = 'payments-listener'") == 1
            waiting_events()
            took = wait_until(is_all_done, or_show=lambda: worker.output)
            wait_until(lambda: worker.output.count("drain.listening") == 2, or_show=lambda: worker.output)

            waiting_events()
            ring_bell()
            again = wait_until(is_all_done, or_show=lambda: worker.output)

        print(f"back after {took * 1000:.0f} ms, then woken up within {again * 1000:.0f} ms")

    def test_works_on_after_every_connection_was_closed(self, tmp_path):
        with running_worker(tmp_path, **BELL_ONLY) as worker:
            waiting_events()
            ring_bell()
            wait_until(is_all_done, or_show=lambda: worker.output)

            assert end_backends() >= 2
            waiting_events(3)
            wait_until(is_all_done, or_show=lambda: worker.output)

            worker.stop()

    def test_comes_back_after_a_database_that_refused_everybody_for_a_while(self, tmp_path):
        with running_worker(tmp_path, **BELL_ONLY) as worker:
            with database_away():
                worker.wait_for("not currently accepting connections")
                waiting_events(3)
                wait_until(lambda: worker.output.count("loop.interrupted") >= 4, or_show=lambda: worker.output)

            took = wait_until(is_all_done, or_show=lambda: worker.output)

        print(f"back after {took:.1f} s")
        assert "loop.failed" not in worker.output

    def test_stops_while_the_database_is_away(self, tmp_path):
        with running_worker(tmp_path, **BELL_ONLY) as worker, database_away():
            worker.wait_for("not currently accepting connections")

            worker.stop()
