"""`manage.py payouts`: what people and machines read, and which days it refuses."""

import io
import json
from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command

from payments.payouts.models import Payout, PayoutWalk
from tests.support.balance import balance_for, charged
from tests.support.fake_gateway import unavailable
from tests.support.road import NOON


@pytest.fixture
def stripe(db, monkeypatch):
    stripe = balance_for(monkeypatch)
    stripe.pay_out(charged(), amount=4800)
    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        yield stripe


def told(*arguments):
    out = io.StringIO()
    call_command("payouts", *arguments, stdout=out)
    return out.getvalue()


class TestPayouts:
    def test_says_what_was_read_and_what_does_not_add_up(self, stripe):
        summary, finding = told().splitlines()

        assert summary.startswith("1 payout read, 2 entries, 1 in question; complete up to ")
        assert finding == "  po_1  A payout of €48.00 does not add up: its entries come to €48.01, €0.01 off"

    def test_keeps_nothing_in_a_dry_run(self, stripe):
        assert told("--dry-run").endswith("Dry run: nothing was kept.\n")
        assert not Payout.objects.exists()

    def test_tells_machines_one_object(self, stripe):
        answer = json.loads(told("--json"))

        assert (answer["finished"], answer["counts"]["questions"], answer["error"]) == (True, 1, "")
        assert answer["findings"][0]["payout"] == "po_1"

    def test_reads_since_the_day_that_was_asked_for(self, stripe):
        told("--since", "2026-01-01")

        assert f"{PayoutWalk.objects.get().since:%Y-%m-%d %H}" == "2025-12-31 23"

    @pytest.mark.parametrize("day", ["yesterday", "2999-01-01", ""])
    def test_refuses_what_is_no_day_of_the_past(self, stripe, day):
        with pytest.raises(CommandError, match="--since"):
            told(f"--since={day}")

    def test_fails_where_stripe_does_not_answer(self, stripe):
        stripe.trouble = unavailable()

        with pytest.raises(CommandError, match="Not finished: Stripe is not available"):
            told()
