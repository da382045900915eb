"""A drill as staff solve it: the ticket is read, everything else happens in the browser."""

import json
from contextlib import suppress
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse
from playwright.sync_api import expect

from config import env
from payments.orders.models import OrderException
from payments.statuses import ExceptionKind, OrderStatus
from registrations.drills import money
from registrations.drills.buyers import orders_of
from registrations.drills.state import current_run
from registrations.models import Activity
from tests.browser.staff import Staff
from tests.support.processes import wait_until


@pytest.fixture(autouse=True)
def _drill(monkeypatch, settings, tmp_path):
    """Three buyers, one of whose banks takes nothing back; what was begun is ended."""
    settings.STRIPE_EMULATOR = True
    monkeypatch.setattr(env, "VAR", tmp_path)
    monkeypatch.setattr(money, "STORM_CARDS", money.STORM_CARDS[:3])
    call_command("drill", "start", "refund-storm", stdout=StringIO())
    yield
    call_command("drill", "end", stdout=StringIO())


def run_emulator(*arguments):
    call_command("stripe_emulator", *arguments, stdout=StringIO())


def points():
    out = StringIO()
    with suppress(SystemExit):
        call_command("drill", "score", "--json", stdout=out)
    return json.loads(out.getvalue())["points"]


def test_a_storm_of_refunds_is_solved_by_one_button_and_one_look_at_what_came_back(enter):
    staff = enter(Staff, language="en")
    staff.signs_in()
    run = current_run()
    wait_until(lambda: orders_of(run).filter(status=OrderStatus.PAID).count() == len(run.orders))
    assert points() == 0

    activity = Activity.objects.get(slug=run.activity)
    staff.open(reverse("admin:registrations_activity_change", args=[activity.pk]))
    staff.decides("Call off…", reason="The teacher has broken an arm")
    run_emulator("advance", "1h")
    owed = OrderException.objects.filter(order__in=run.orders, kind=ExceptionKind.REFUND_OWED, is_open=True)
    wait_until(lambda: owed.exists() and points() == 70)

    staff.open(reverse("admin:index"))
    staff.page.locator(f"a[href*='/{owed.get().pk}/']").first.click()
    staff.decides("Dismiss…", reason="Paid by bank transfer")

    expect(staff.page.locator(".messagelist .success")).to_be_visible()
    assert points() == 100
