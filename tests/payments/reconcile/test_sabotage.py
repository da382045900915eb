"""The proof: sabotaged rows, two hundred where DEEP is set, are found and healed, and nothing else is touched."""

import pytest

from tests.payments.reconcile.sabotage import HARMS, sabotage
from tests.payments.reconcile.world import begin, differences, picture
from tests.support.deep import so_many

# Dates that Stripe does not tell of what it is asked for: when a try, a refund or a dispute came to where it is, and
# which event told of a subscription last. A row that has lost them gets the nearest that Stripe knows.
UNTOLD = {
    "Order": {"attempt_at"},
    "Refund": {"status_at"},
    "Dispute": {"status_at", "lost_at", "won_at"},
    "Subscription": {"stripe_updated_at", "from_created_event", "plan_told_at"},
}


@pytest.mark.slow
class TestReconcile:
    def test_heals_every_sabotaged_row_and_touches_nothing_else(self, make_activity, life, run):
        begin(make_activity(capacity=200), life)
        before = picture()
        assert (run().findings, differences(before, picture())) == ([], set()), "nothing is to be found yet"
        assert sabotage() == so_many(len(HARMS), deep=200)
        harmed = {row for row, _column in differences(before, picture())}

        done = run()

        left = differences(before, picture())
        untold = {(row, column) for row, column in left if row in harmed and column in UNTOLD.get(row.split()[0], ())}
        assert left == untold
        assert {finding["done"] for finding in done.findings} == {"put right"}
        assert run().findings == [], "a second run has nothing left to find"
