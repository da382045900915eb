"""What fails in the same way is one group, whatever ids, amounts and moments its errors name."""

import pytest
from django.db import connection

from payments.handlers import registry
from payments.ledger.models import PaymentEvent
from payments.processing.drain import drain, sweep
from payments.processing.failure_groups import failure_groups, fill_in_groups, find_group, group_of
from payments.statuses import EventStatus
from tests.support.road import NOON, event_of, hear, kept

COMPLETED = "checkout.session.completed"


def failed(registration, error, *, event_type=COMPLETED, status="FAILED", minutes=0):
    """A row of the ledger that has failed so."""
    [row] = kept(event_of(registration, event_type))
    key = group_of(event_type, "ValueError", error)
    PaymentEvent.objects.filter(pk=row.pk).update(
        status=status, error_kind="ValueError", error=error, error_group=key, attempts=1
    )
    return row


class TestGroupOf:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("no place for pi_3Nabc in cs_test_1", "no place for pi_9Zxyz in cs_live_2"),
            ("nothing here is called order:0b2f7d8e-9c41-4a53-8e07-1c2d3e4f5a6b",
             "nothing here is called order:f3a0c1d2-0000-4a53-8e07-aaaaaaaaaaaa"),
            ("got 4900 at 2026-03-02T12:00:00+00:00", "got 51 at 2025-01-01T00:00:59Z"),
            ("ada@example.com is 'Ada L.'", "zoe@example.org is 'Zoé'"),
            ("object at 0x7f17ec7402d0", "object at 0x1"),
        ],
    )  # fmt: skip
    def test_is_the_same_for_errors_that_differ_in_what_they_name(self, one, other):
        assert group_of(COMPLETED, "E", one) == group_of(COMPLETED, "E", other)

    def test_tells_apart_type_kind_and_the_name_of_a_field(self):
        base = (COMPLETED, "KeyError", "'amount_total'")
        others = [("refund.created", *base[1:]), (COMPLETED, "ValueError", base[2]), (*base[:2], "'currency'")]

        assert len({group_of(*each) for each in [base, *others]}) == 4


class TestAttempt:
    def test_sets_the_group_and_clears_it(self, registration, monkeypatch):
        def broken(_event):
            raise KeyError("amount_total")

        handler = registry.HANDLERS[COMPLETED]
        monkeypatch.setitem(registry.HANDLERS, COMPLETED, broken)
        (event,) = hear(event_of(registration, COMPLETED))
        [group] = failure_groups()

        monkeypatch.setitem(registry.HANDLERS, COMPLETED, handler)
        PaymentEvent.objects.update(next_attempt_at=NOON)
        drain(at=NOON)

        assert (group.key, group.error_kind) == (event.error_group, "KeyError")
        assert PaymentEvent.objects.get().error_group == ""
        assert failure_groups() == []


class TestFailureGroups:
    def test_tell_the_largest_first_with_its_first_last_and_given_up(self, registration, make_registration):
        other = make_registration("Alex Smith")
        first = failed(registration, "no pi_1", status="DEAD")
        failed(other, "no pi_2")
        lonely = failed(other, "something else", event_type="refund.created")
        PaymentEvent.objects.filter(pk=first.pk).update(occurred_at=NOON.replace(hour=1))

        large, small = failure_groups()

        assert (large.count, large.dead, large.sample_event_id, large.error) == (2, 1, first.pk, "no pi_2")
        assert (large.first_at, large.last_at) == (NOON.replace(hour=1), NOON)
        assert (small.count, small.type, small.sample_event_id) == (1, "refund.created", lonely.pk)
        assert find_group(large.key) == large
        assert find_group("0" * 16) is None
        assert failure_groups(limit=1) != []

    def test_leave_out_what_has_not_failed(self, registration):
        row = failed(registration, "no pi_1")
        PaymentEvent.objects.filter(pk=row.pk).update(status=EventStatus.PROCESSED)

        assert failure_groups() == []

    def test_are_found_by_their_index(self, registration):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(
                "EXPLAIN SELECT error_group FROM payments_paymentevent WHERE status IN ('FAILED', 'DEAD') "
                "AND error_group > 'a' ORDER BY error_group LIMIT 1"
            )
            plan = str(cursor.fetchall())

        assert "event_failures" in plan


class TestFillInGroups:
    def test_gives_one_to_failures_of_the_version_before(self, registration):
        row = failed(registration, "no pi_1")
        PaymentEvent.objects.filter(pk=row.pk).update(error_group="")

        sweep(at=NOON)

        assert PaymentEvent.objects.get().error_group == group_of(COMPLETED, "ValueError", "no pi_1")
        assert fill_in_groups() == 0
