"""`manage.py reconcile`: what people and machines read, and which questions it refuses."""

import io
import json
from datetime import UTC, datetime

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import translation

from payments.orders.models import Order
from payments.reconcile.models import ReconcileRun
from payments.stripe_api import gateway, lookups
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from payments.tasks import reconcile_job
from tests.support.emulator import official_client
from tests.support.resync import sold

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(autouse=True)
def emulated(db, monkeypatch):
    emulator = official_client()
    monkeypatch.setattr(gateway, "_made", lambda key, base: emulator)
    with time_machine.travel(NOW):
        yield


@pytest.fixture
def paid(registration):
    """Paid at Stripe, and nobody has told us."""
    sold(registration).pay()
    return registration.order


def told(*arguments):
    out = io.StringIO()
    call_command("reconcile", *arguments, stdout=out)
    return out.getvalue()


class TestReconcile:
    def test_puts_right_and_tells_each_finding(self, paid):
        lines = told().splitlines()

        assert " 1 put right, 0 need a person, 0 missing; complete up to " in lines[0]
        assert f"  {paid.number}  status: PENDING → PAID  (put right)" in lines
        assert Order.objects.get().status == "PAID"

    def test_changes_nothing_in_a_dry_run(self, paid):
        text = told("--dry-run")

        assert "  (to be put right)" in text
        assert text.endswith("Dry run: nothing was changed.\n")
        assert Order.objects.get().status == "PENDING"

    def test_tells_machines_one_object(self, paid):
        answer = json.loads(told("--json"))

        assert (answer["finished"], answer["counts"]["put_right"]) == (True, 1)
        assert {"subject", "what", "here", "at_stripe", "done"} == set(answer["findings"][0])

    @pytest.mark.parametrize(
        ("arguments", "days"),
        [(["--since", NOW.isoformat()[:10]], 1), (["--days", "7"], 7), ([], 2)],
        ids=str,
    )
    def test_covers_what_was_asked_for(self, arguments, days):
        told(*arguments)

        run = ReconcileRun.objects.get()
        assert (run.until - run.since).total_seconds() <= days * 24 * 3600
        assert run.is_continued is (not arguments)

    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            (["--since", "yesterday"], "no date such as"),
            (["--since", ""], "no date such as"),
            (["--until", ""], "no date such as"),
            (["--since", "2026-13-41"], "no date such as"),
            (["--until", "2999-01-01"], "in the future"),
            (["--since", "2026-01-02", "--until", "2026-01-01"], "ends before it begins"),
            (["--days", "0"], "a number from 1"),
            (["--days", "1", "--since", "2026-01-01"], "not allowed with"),
        ],
        ids=str,
    )
    def test_refuses_what_is_no_window(self, arguments, why):
        with pytest.raises(CommandError, match=why):
            told(*arguments)

        assert not ReconcileRun.objects.exists()

    def test_fails_when_stripe_does_not_answer(self, monkeypatch):
        def away(what, params):
            raise GatewayUnavailable("no answer")

        monkeypatch.setattr(lookups, "pages", away)

        with pytest.raises(CommandError, match="Not finished: no answer"):
            told()

    def test_says_what_a_restricted_key_could_not_check(self, paid, monkeypatch):
        real = lookups._page

        def page(what, params):
            if what == "checkout.sessions":
                raise GatewayRefused(code="", message="The key does not have the required permissions.")
            return real(what, params)

        monkeypatch.setattr(lookups, "_page", page)
        out = io.StringIO()

        with translation.override("fr"), pytest.raises(CommandError, match="Not finished: The key does not have"):
            call_command("reconcile", stdout=out)

        lines = out.getvalue().splitlines()
        assert lines[0].endswith("; not finished; not checked: Checkout sessions.")
        assert lines[1] == "  Checkout sessions: not checked (The key does not have the required permissions.)"
        assert Order.objects.get().status == "PAID", "its payment was listed"

    def test_says_so_when_another_one_is_under_way(self, monkeypatch):
        monkeypatch.setattr("payments.locks.connection", Busy())

        with pytest.raises(CommandError, match="under way"):
            told()


class TestReconcileJob:
    def test_goes_on_where_the_last_one_ended(self, paid):
        reconcile_job(later=1)

        run = ReconcileRun.objects.get()
        assert (run.by, run.is_continued, Order.objects.get().status) == ("timetable", True, "PAID")

    def test_leaves_it_to_the_one_that_is_under_way(self, monkeypatch):
        monkeypatch.setattr("payments.locks.connection", Busy())

        reconcile_job()

        assert not ReconcileRun.objects.exists()


class Busy:
    """A database in which somebody else has the lock."""

    def cursor(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        return None

    def execute(self, *_statement):
        return None

    def fetchone(self):
        return (False,)
