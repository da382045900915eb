"""Each drill is begun on the emulator, judged at once, solved as staff would, and judged again."""

import contextlib
import io
import json
import os
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from config import env
from config.devdb import machine
from config.devdb.server import lasting_server
from config.env import ROOT
from payments.backfill.backfill import BackfillOptions, backfill
from payments.effects.deliver import deliver_all
from payments.endpoints.change import carry_out, ours, plan_switch
from payments.incidents.models import Incident
from payments.incidents.opening import Switches, open_incident
from payments.orders.models import OrderException
from payments.processing.drain import drain
from payments.refunds.staff_refunds import dismiss, preview_refund, refund_order
from payments.statuses import ExceptionKind
from payments.stripe_api import endpoints, gateway
from registrations.drills import deliveries, money, outage
from registrations.drills.state import begin_run
from registrations.models import Activity, Registration
from registrations.services.call_off import call_off
from stripe_emulator.events.chaos import Chaos
from tests.support.emulator import official_client
from tests.support.factories import make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def endpoint(monkeypatch, settings, tmp_path):
    """The gateway speaks to the emulator, where our endpoint is enabled; the id of that."""
    settings.STRIPE_EMULATOR = True
    emulator = official_client()
    for name in ("_made", "_made_in_a_hurry"):
        monkeypatch.setattr(gateway, name, lambda key, base: emulator)
    monkeypatch.setattr(env, "VAR", tmp_path)
    monkeypatch.setattr(deliveries, "BUYERS", 2)
    call_command("stripe_emulator", "endpoint", "--url", f"{settings.SITE_URL}/stripe/webhooks", stdout=io.StringIO())
    return str(ours().ours[0]["id"])


def said(*arguments):
    """What the command prints."""
    out = io.StringIO()
    call_command("drill", *arguments, stdout=out)
    return out.getvalue()


def judged():
    """The score as JSON, and the exit code."""
    out, code = io.StringIO(), 0
    try:
        call_command("drill", "score", "--json", stdout=out)
    except SystemExit as stop:
        code = stop.code
    return json.loads(out.getvalue()), code


def missing(score):
    return {check["name"] for check in score["checks"] if not check["ok"]}


def fetch():
    backfill(options=BackfillOptions(by="test"), clock=timezone.now)
    drain()


class TestLostWebhooks:
    def test_is_solved_by_enabling_the_endpoint_and_fetching_what_was_missed(self, endpoint):
        said("start", "lost-webhooks")
        before, code = judged()
        assert (before["points"], code) == (0, 1)
        assert missing(before) == {"endpoint-enabled", "events-fetched", "orders-paid", "places-taken"}

        carry_out(plan_switch(ours(), on=True), keep=str)
        half, _code = judged()
        fetch()

        assert half["points"] == 25
        score, code = judged()
        assert (score["points"], score["solved"], code) == (100, True, 0)
        assert next(check["done_at"] for check in score["checks"] if check["name"] == "orders-paid")

    def test_costs_points_where_a_buyer_was_paid_back(self):
        said("start", "lost-webhooks")
        carry_out(plan_switch(ours(), on=True), keep=str)
        fetch()
        paid = Registration.objects.first().order.payments.get()
        gateway.create_refund(
            payment_intent=paid.key, amount=500, reason="requested_by_customer", metadata={}, idempotency_key="once"
        )
        fetch()

        score, code = judged()

        assert (score["points"], code, missing(score)) == (75, 1, {"paid-back"})

    def test_costs_points_where_the_incident_is_left_open(self):
        said("start", "lost-webhooks")
        open_incident(reason="unpaid", by="Ada", switches=Switches(pause_sales=True), ends_at=None, at=timezone.now())

        assert "left-open" in missing(judged()[0])
        assert Incident.objects.filter(closed_at=None).exists(), "a score changes nothing"


class TestWrongSecret:
    def test_is_solved_when_the_foreign_endpoint_is_off_and_ours_brings_what_was_refused(self, endpoint):
        said("start", "wrong-secret")
        before, code = judged()
        assert (before["points"], code) == (0, 1)
        (foreign,) = [each["id"] for each in ours().ours if each["id"] != endpoint]

        endpoints.update_endpoint(endpoint=foreign, params={"disabled": True})
        endpoints.update_endpoint(endpoint=endpoint, params={"disabled": False})
        fetch()

        score, code = judged()
        assert (score["points"], code) == (100, 0)

    def test_is_not_solved_by_deleting_the_endpoint_whose_secret_is_known(self, endpoint):
        said("start", "wrong-secret")

        endpoints.delete_endpoint(endpoint=endpoint)

        assert {"endpoint-deleted", "endpoint-enabled"} <= missing(judged()[0])


class TestStart:
    def test_tells_symptoms_and_where_to_look(self, settings):
        told = said("start", "lost-webhooks")

        assert "Should I pay again?" in told
        assert settings.STRIPE_EMULATOR_URL in told
        assert "endpoint" not in told

    def test_is_refused_while_another_drill_runs(self):
        said("start", "lost-webhooks")

        with pytest.raises(CommandError, match="runs already"):
            said("start", "wrong-secret")

        assert "lost-webhooks" in said("status")

    def test_is_refused_where_no_endpoint_leads_here_and_leaves_nothing_behind(self, endpoint):
        endpoints.delete_endpoint(endpoint=endpoint)

        with pytest.raises(CommandError, match="No enabled endpoint"):
            said("start", "lost-webhooks")

        with pytest.raises(CommandError, match="No drill runs"):
            said("status")

    def test_is_refused_without_the_emulator(self, settings):
        settings.STRIPE_EMULATOR = False

        with pytest.raises(CommandError, match="on the Stripe emulator only"):
            said("start", "lost-webhooks")

        assert not Activity.objects.exists()


class TestHint:
    def test_costs_points_and_comes_to_an_end(self):
        said("start", "lost-webhooks")
        carry_out(plan_switch(ours(), on=True), keep=str)
        fetch()

        hints = {said("hint") for _n in range(3)}

        assert len(hints) == 3
        assert judged()[0]["points"] == 85
        with pytest.raises(CommandError, match="no more hints"):
            said("hint")


class TestEnd:
    def test_puts_the_endpoints_back_and_closes_the_sales(self, endpoint):
        said("start", "wrong-secret")

        said("end")

        assert [(each["id"], each["status"]) for each in ours().ours] == [(endpoint, "enabled")]
        assert not Activity.objects.get().is_on_sale
        with pytest.raises(CommandError, match="No drill runs"):
            said("end")

    def test_puts_them_back_where_the_start_was_cut_short(self, endpoint, monkeypatch):
        def die(*_args, **_kwargs):
            raise KeyboardInterrupt

        monkeypatch.setattr("registrations.drills.deliveries.sell", die)
        with pytest.raises(KeyboardInterrupt):
            said("start", "wrong-secret")
        assert "cut short" in said("status")

        said("end")

        assert [(each["id"], each["status"]) for each in ours().ours] == [(endpoint, "enabled")]

    def test_says_what_it_cannot_put_back(self, endpoint):
        said("start", "lost-webhooks")
        endpoints.delete_endpoint(endpoint=endpoint)

        assert f"{endpoint} was deleted meanwhile" in said("end")

    def test_says_so_where_the_file_is_damaged(self, tmp_path):
        (tmp_path / "drill.json").write_text("{")

        with pytest.raises(CommandError, match="is damaged"):
            said("end")


def begun(drill):
    """The drill has begun, and what its buyers paid is known here; the orders by the card that paid them."""
    said("start", drill)
    fetch()
    rows = Registration.objects.select_related("order").order_by("order")
    return [row.order for row in rows]


def refund(order):
    """As staff do on its page."""
    shown = str(preview_refund(order)[0])
    refund_order(order_id=order.pk, amount=None, reason="asked for", by="Ada", shown=shown, at=timezone.now())
    settle()


def settle():
    deliver_all(clock=timezone.now)
    fetch()


class TestRefundStorm:
    def test_is_solved_by_calling_the_class_off_and_settling_what_the_bank_sent_back(self, monkeypatch):
        monkeypatch.setattr(money, "STORM_CARDS", money.STORM_CARDS[:3])
        begun("refund-storm")
        before, code = judged()
        assert (before["points"], code) == (0, 1)

        call_off(activity=Activity.objects.get(), reason="a broken arm", by=make_staff(), at=timezone.now())
        settle()
        call_command("stripe_emulator", "advance", "1h", stdout=io.StringIO())
        fetch()

        half, _code = judged()
        assert (half["points"], missing(half)) == (70, {"owed-settled"})
        owed = OrderException.objects.get(kind=ExceptionKind.REFUND_OWED, is_open=True)
        dismiss(exception=owed, reason="bank transfer", by=make_staff(email="ada@example.com"), at=timezone.now())
        score, code = judged()
        assert (score["points"], code) == (100, 0)


class TestDisputeWeek:
    def test_is_solved_by_answers_where_the_bank_asks_and_a_refund_where_it_only_warns(self):
        orders = begun("dispute-week")
        before, code = judged()
        assert (before["points"], code) == (0, 1)

        for dispute in (dispute for order in orders for dispute in order.disputes.all()):
            gateway.stripe_client().v1.disputes.update(dispute.stripe_id, {"submit": True})
        refund(orders[money.WEEK_CARDS.index(money.WARNED_CARD)])

        score, code = judged()
        assert (score["points"], code) == (100, 0)

    def test_costs_points_where_everybody_is_paid_back_to_have_peace(self):
        orders = begun("dispute-week")

        refund(orders[0])

        assert "refunded-too-much" in missing(judged()[0])


class TestDeadDatabase:
    def test_stops_the_server_of_make_run_and_is_solved_by_starting_it_and_fetching(self, monkeypatch, tmp_path):
        monkeypatch.setattr(machine, "VAR", tmp_path)
        server = lasting_server()
        with contextlib.ExitStack() as stack:
            stack.callback(server.stop)
            server.start(tied=True)
            monkeypatch.setenv("DATABASE_URL", server.url)
            monkeypatch.setenv("VAR_DIR", str(tmp_path))

            said("start", "dead-database")

            assert server.pid() is None
            before, code = judged()
            assert (missing(before), code) == ({"events-fetched", "orders-paid", "places-taken"}, 1)
            assert Chaos.current().delay_seconds == outage.LATE_SECONDS
            fetch()
            assert judged()[0]["points"] == 100
            assert "the database is started" in said("end")
            assert server.pid()
            assert not Chaos.current().is_on

    def test_is_refused_where_the_database_may_be_anybodys(self, monkeypatch, tmp_path):
        monkeypatch.setattr(machine, "VAR", tmp_path)

        with pytest.raises(CommandError, match="uses another one"):
            said("start", "dead-database")

        assert not Activity.objects.exists()

    def test_has_no_points_and_no_traceback_while_the_database_is_away(self, tmp_path):
        begin_run(drill="dead-database", at=timezone.now())
        away = {"DATABASE_URL": f"postgres://nobody@/nothing?host={tmp_path}", "VAR_DIR": str(tmp_path)}
        command = (sys.executable, "manage.py", "drill", "score", "--json")

        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **away}, capture_output=True, text=True)

        assert (done.returncode, json.loads(done.stdout)["points"]) == (1, 0), done.stderr
        assert {line["missing"] for line in json.loads(done.stdout)["checks"]} == {"The database does not answer."}
