from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from payments.effects.enqueue import EffectRequest, enqueue
from payments.effects.models import Effect
from payments.statuses import EffectStatus
from tests.support.factories import NOON, OrderFactory

LATER = NOON + timedelta(hours=1)


@pytest.mark.django_db
class TestNote:
    def test_keeps_what_is_asked_for(self):
        order = OrderFactory()

        enqueue([EffectRequest("mail:1", "mail", order.pk, {"who": "Inès", "n": [1, 2]}, not_before=LATER)], at=NOON)

        effect = Effect.objects.get(key="mail:1")
        assert (effect.kind, effect.order, effect.data) == ("mail", order, {"who": "Inès", "n": [1, 2]})
        assert (effect.status, effect.not_before, effect.created_at) == (EffectStatus.PENDING, LATER, NOON)
        assert (effect.attempts, effect.outcome, effect.claimed_at, effect.delivered_at) == (0, "", None, None)

    def test_is_due_at_once_unless_told_otherwise(self):
        enqueue([EffectRequest("mail:1", "mail", None)], at=NOON)

        assert Effect.objects.get().not_before == NOON

    def test_returns_only_the_keys_that_are_new(self):
        enqueue([EffectRequest("mail:1", "mail", None)], at=NOON)

        new = enqueue(
            [
                EffectRequest("mail:3", "mail", None),
                EffectRequest("mail:1", "mail", None),
                EffectRequest("mail:2", "mail", None),
            ],
            at=LATER,
        )

        assert new == ["mail:2", "mail:3"]

    def test_takes_the_same_key_twice_in_one_batch(self):
        assert enqueue([EffectRequest("mail:1", "mail", None), EffectRequest("mail:1", "mail", None)], at=NOON) == [
            "mail:1"
        ]

    @pytest.mark.parametrize("status", ["PENDING", "DONE", "DEAD", "UNCERTAIN"])
    def test_leaves_what_is_known_as_it_is(self, status):
        enqueue([EffectRequest("mail:1", "mail", None, {"n": 1})], at=NOON)
        Effect.objects.update(status=status)

        enqueue([EffectRequest("mail:1", "mail", None, {"n": 2}, not_before=LATER)], at=LATER)

        effect = Effect.objects.get()
        assert (effect.status, effect.data, effect.not_before) == (status, {"n": 1}, NOON)

    def test_wakes_up_what_was_skipped_because_its_state_is_back(self):
        enqueue([EffectRequest("mail:1", "mail", None)], at=NOON)
        Effect.objects.update(status=EffectStatus.SKIPPED, outcome="moved on", attempts=3)

        woken = enqueue([EffectRequest("mail:1", "mail", None, {"n": 2})], at=LATER)

        effect = Effect.objects.get()
        assert woken == ["mail:1"]
        assert (effect.status, effect.not_before, effect.data) == (EffectStatus.PENDING, LATER, {"n": 2})
        assert (effect.attempts, effect.outcome) == (0, "")

    def test_costs_one_statement_for_a_whole_batch(self, django_assert_num_queries):
        with django_assert_num_queries(1):
            enqueue([EffectRequest(f"mail:{n}", "mail", None) for n in range(100)], at=NOON)

        assert Effect.objects.count() == 100

    def test_costs_nothing_for_nothing(self, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert enqueue([], at=NOON) == []


@pytest.mark.django_db(transaction=True)
class TestNoteInTransactions:
    def test_refuses_to_work_outside_one(self):
        with pytest.raises(TransactionManagementError):
            enqueue([EffectRequest("mail:1", "mail", None)], at=NOON)

    def test_goes_with_the_change_that_is_rolled_back(self):
        with transaction.atomic():
            enqueue([EffectRequest("mail:1", "mail", None)], at=NOON)
            transaction.set_rollback(True)

        assert not Effect.objects.exists()

    def test_does_not_lock_out_another_batch_with_the_same_keys_in_another_order(self):
        rounds = [[f"mail:{turn}:{n}" for n in range(500)] for turn in range(10)]
        barrier, new_keys = Barrier(2), []

        def work(step):
            try:
                for keys in rounds:
                    barrier.wait(10)
                    with transaction.atomic():
                        new = enqueue([EffectRequest(key, "mail", None) for key in keys[::step]], at=NOON)
                    new_keys.extend(new)
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(work, (1, -1)))

        assert sorted(new_keys) == sorted(key for keys in rounds for key in keys)
