import pickle
import threading
from datetime import timedelta

import pytest
import structlog
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from structlog.testing import capture_logs

from config.celery import app
from modules_access.models import AccessToken, ModuleAccess, PlanOpening, Purchase
from modules_access.repair import AlreadyRepairing, RepairOptions, Report, repair, repair_chosen
from modules_access.repair.repair import REPAIR_LOCK, repair_and_alert
from modules_access.repair.sources import ORDERS, SUBSCRIPTIONS
from modules_access.services.grants import extend_access, revoke_access
from modules_access.tasks import repair_job
from payments.effects.deliver import deliver_due
from payments.effects.models import Effect
from payments.orders.models import Order, OrderChange
from tests.support.factories import NOON
from tests.support.mails import leads_to, read, sent
from tests.support.modules import make_buyer, make_learner, make_module, make_purchase

LATER = NOON + timedelta(hours=1)
ENDED = {"is_active": False, "ended_at": NOON, "ended_reason": "refunded"}
ACTIVE = {"is_active": True, "ended_at": None, "ended_reason": ""}


def run(**options):
    return repair(**{"at": LATER, "dry_run": False, "by": "a test", **options})


def told(report):
    return [(each.access_type, each.what) for each in report.differences]


def heal_and_look_again():
    """What one repair did; the second must find nothing."""
    first, second = run(), run()
    assert second.total == 0
    return told(first)


@pytest.mark.django_db
class TestRepair:
    def test_leaves_alone_what_is_right(self, everything, state):
        before = state()

        report = run()

        assert (report.total, report.is_complete, state()) == (0, True, before)
        assert report.compared == {"purchases": 1, "subscriptions": 1, "tokens": 3}

    @pytest.mark.parametrize("kind", ["purchase", "subscription", "token"])
    def test_gives_what_is_missing(self, everything, kind):
        ModuleAccess.objects.filter(access_type=kind).delete()

        assert set(heal_and_look_again()) == {(kind, "created")}
        assert not ModuleAccess.objects.filter(is_active=False).exists()

    @pytest.mark.parametrize("kind", ["purchase", "subscription", "token"])
    def test_gives_back_what_was_wrongly_ended(self, everything, kind, state):
        before = state()
        ModuleAccess.objects.filter(access_type=kind).update(**ENDED)

        assert set(heal_and_look_again()) == {(kind, "given_back")}
        assert {pk: {**row, "updated_at": NOON} for pk, row in state().items()} == before

    @pytest.mark.parametrize("kind", ["purchase", "subscription", "token"])
    @pytest.mark.parametrize("wrong", ["date", "owner"])
    def test_moves_what_has_another_date_or_owner(self, everything, kind, wrong, learner):
        values = {"expires_at": NOON} if wrong == "date" else {"user": make_learner("thief@example.com")}
        ModuleAccess.objects.filter(access_type=kind).update(**values)

        assert set(heal_and_look_again()) == {(kind, "moved")}
        assert not ModuleAccess.objects.exclude(user=learner).exists()

    @pytest.mark.parametrize("kind", ["purchase", "token"])
    def test_moves_what_names_another_module(self, everything, kind, module):
        ModuleAccess.objects.filter(access_type=kind).update(module=make_module("singing"))

        assert (kind, "moved") in heal_and_look_again()
        assert set(ModuleAccess.objects.filter(access_type=kind).values_list("module", flat=True)) == {module.pk}

    def test_ends_what_names_a_module_that_the_plan_does_not_open(self, member, module):
        PlanOpening.objects.create(plan=member.plan, is_all=False).modules.set([module])
        ModuleAccess.objects.update(module=make_module("singing"))

        assert sorted(heal_and_look_again()) == [("subscription", "created"), ("subscription", "withdrawn")]

    @pytest.mark.parametrize(
        ("values", "reason"),
        [
            ({"status": "REFUNDED"}, "refunded"),
            ({"dispute_state": "LOST"}, "dispute_lost"),
            ({"status": "CANCELED"}, "not_paid"),
        ],
    )
    def test_withdraws_what_is_no_longer_paid_and_the_token_on_it(self, bought_token, values, reason):
        Order.objects.update(**values)

        assert heal_and_look_again() == [("purchase", "withdrawn"), ("token", "withdrawn")]
        assert set(ModuleAccess.objects.values_list("ended_reason", flat=True)) == {reason}

    def test_withdraws_when_the_subscription_has_ended(self, member):
        type(member).objects.update(status="canceled")

        assert heal_and_look_again() == [("subscription", "withdrawn")]

    def test_withdraws_what_the_plan_opens_no_more(self, member):
        PlanOpening.objects.create(plan=member.plan, is_all=False)

        assert heal_and_look_again() == [("subscription", "withdrawn")]

    def test_withdraws_what_a_revoked_token_gave(self, token):
        AccessToken.objects.update(revoked_at=NOON)

        assert heal_and_look_again() == [("token", "withdrawn")]

    def test_withdraws_what_rests_on_a_grant_that_has_ended(self, granted_token):
        ModuleAccess.objects.filter(access_type="grant").update(**ENDED)

        assert heal_and_look_again() == [("token", "withdrawn")]

    def test_opens_a_module_that_came_after_the_subscription(self, member):
        make_module("singing")

        assert heal_and_look_again() == [("subscription", "created")]

    def test_keeps_the_word_of_staff(self, purchase, member, state):
        by = {"reason": "a word", "by": "staff", "at": NOON}
        first, second = ModuleAccess.objects.order_by("pk")
        extend_access(access=first, until=NOON + timedelta(days=400), **by)
        revoke_access(access=second, **by)
        before = state()

        assert (run().total, state()) == (0, before)

    def test_keeps_what_staff_had_taken_back(self, purchase):
        revoke_access(access=ModuleAccess.objects.get(), reason="a word", by="staff", at=NOON)
        with pytest.raises(IntegrityError), transaction.atomic():
            ModuleAccess.objects.update(**ACTIVE)
        ModuleAccess.objects.update(ended_reason="refunded")

        assert heal_and_look_again() == [("purchase", "moved")]
        assert ModuleAccess.objects.get().ended_reason == "revoked"

    def test_gives_nothing_for_what_is_not_paid(self, learner, module):
        make_purchase(learner, module)

        assert run().total == 0

    def test_writes_the_history_and_tells_the_buyer_once(self, purchase, member):
        ModuleAccess.objects.all().delete()

        run()

        sources = OrderChange.objects.filter(source="repair: a test").values_list("order", "subscription")
        assert sorted(sources, key=str) == [(purchase.order_id, None), (None, member.pk)]
        assert list(Effect.objects.values_list("key", flat=True)) == [f"module.opened:{purchase.order_id}"]

    def test_counts_by_source_and_says_field_by_field(self, purchase):
        ModuleAccess.objects.update(**ENDED)

        report = run()

        (found,) = report.differences
        assert report.counts_by_source() == {"purchase": {"given_back": 1}}
        assert found.fields == [("is_active", "no", "yes"), ("ended_reason", "refunded", "")]
        assert (found.source, found.person, found.module) == (purchase.order.number, "ada@example.com", "drawing")

    def test_says_how_far_it_is(self, everything):
        seen = []

        run(progress=lambda done, total: seen.append((done, total)))

        assert seen[-1] == (5, 5)

    def test_leaves_whole_chunks_when_it_is_interrupted(self, learner, monkeypatch):
        monkeypatch.setitem(repair.__globals__, "CHUNK_SIZE", 1)
        for slug in ("a", "b", "c"):
            make_buyer(learner, make_module(slug))
        ModuleAccess.objects.all().delete()
        report = Report(at=LATER)

        def stop(done, _total):
            if done == 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run(progress=stop, report=report)

        assert (ModuleAccess.objects.count(), report.total, report.is_complete) == (2, 2, False)
        assert run().total == 1


@pytest.mark.django_db
class TestDryRun:
    def test_finds_the_same_and_changes_nothing(self, everything, state):
        ModuleAccess.objects.filter(access_type="token").delete()
        ModuleAccess.objects.update(**ENDED)
        Effect.objects.all().delete()
        before, history = state(), OrderChange.objects.count()

        dry = run(dry_run=True)

        assert (state(), OrderChange.objects.count(), Effect.objects.count()) == (before, history, 0)
        assert dry.mails == {"module.opened": 1}
        # What was missing is "" in both: ids are given when it is done.
        real = run()
        assert [each.fingerprint for each in dry.differences] == [each.fingerprint for each in real.differences]
        assert (dry.counts, dry.mails) == (real.counts, real.mails)

    def test_tells_the_log_of_nothing_that_was_done(self, bought_token):
        Order.objects.update(status="REFUNDED")

        with capture_logs() as dry:
            run(dry_run=True)
        with capture_logs() as real:
            run()

        assert [line["event"] for line in dry] == ["access.compared"]
        assert [line["event"] for line in real][-1] == "access.repaired"
        settled = [line for line in real if line["event"] == "access.settled"]
        assert Order.objects.get().pk in {line.get("order") for line in settled}

    def test_takes_an_order_and_its_token_for_one(self, bought_token):
        Order.objects.update(status="REFUNDED")

        assert run(dry_run=True).total == 2


@pytest.mark.django_db(transaction=True)
class TestOneAtATime:
    def test_refuses_a_second_repair(self, purchase):
        refused = []

        def other():
            try:
                run()
            except AlreadyRepairing as refusal:
                refused.append(str(refusal))
            finally:
                connection.close()

        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [REPAIR_LOCK])
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [REPAIR_LOCK])

        assert refused == ["Another repair is under way."]
        assert run().is_complete

    def test_heals_once_beside_repairs_of_single_orders(self, learner):
        purchases = [make_buyer(learner, make_module(f"m{n}")) for n in range(8)]
        ModuleAccess.objects.all().delete()
        threads = [threading.Thread(target=self.repair_it, args=(each,)) for each in purchases]
        for thread in threads:
            thread.start()

        run()

        for thread in threads:
            thread.join()
        assert ModuleAccess.objects.filter(is_active=True).count() == Purchase.objects.count() == 8

    def repair_it(self, purchase):
        options = RepairOptions(at=LATER, by="beside")
        repair_chosen({ORDERS: [purchase.order_id]}, options=options)
        connection.close()


@pytest.mark.django_db
class TestRepairChosen:
    def test_heals_what_was_chosen_and_nothing_else(self, purchase, member):
        ModuleAccess.objects.all().delete()

        report = repair_chosen({ORDERS: [purchase.order_id]}, options=RepairOptions(at=LATER, by="Ada: why"))

        assert told(report) == [("purchase", "created")]
        assert OrderChange.objects.filter(source="repair: Ada: why").exists()

    def test_finds_nothing_where_nothing_is_wrong_or_known(self, member):
        options = RepairOptions(at=LATER, by="Ada: why")

        assert repair_chosen({SUBSCRIPTIONS: [member.pk], ORDERS: [999]}, options=options).total == 0


@pytest.fixture
def lost(purchase):
    """A paid order, whose buyer was told; the access is gone."""
    ModuleAccess.objects.all().delete()
    Effect.objects.update(status="DONE")
    return purchase


@pytest.mark.django_db
class TestRepairAndAlert:
    def test_is_silent_where_all_is_well(self, purchase):
        Effect.objects.all().delete()

        repair_and_alert(at=LATER)

        assert not Effect.objects.filter(kind="alert.accesses").exists()

    @pytest.mark.parametrize(
        ("language", "subject"), [("en", "The night’s repair has put 1 access right"), ("fr", "1 accès")]
    )
    def test_tells_staff_what_was_healed(self, lost, settings, language, subject):
        settings.LANGUAGE_CODE = language
        repair_and_alert(at=LATER)

        deliver_due(at=LATER)

        assert subject in sent().subject
        for text in read(sent()):
            assert lost.order.number in text
            assert "ada@example.com" in text
        assert leads_to(sent(), reverse("admin:modules_access_paid_without"))

    def test_says_it_as_an_error(self, lost):
        with structlog.testing.capture_logs() as logs:
            repair_and_alert(at=LATER)

        [line] = [line for line in logs if line["log_level"] == "error"]
        assert line.items() >= {"event": "access.healed", "healed": 1, "created": 1}.items()

    def test_tells_the_buyer_nothing_twice(self, lost):
        repair_and_alert(at=LATER)

        assert Effect.objects.filter(kind="module.opened").count() == 1


@pytest.mark.django_db
class TestRepairJob:
    def test_repairs(self, lost):
        repair_job(later="unknown to this version")

        assert ModuleAccess.objects.get().is_active


class TestSchedule:
    def test_is_kept_by_the_timetable_as_it_is(self):
        schedule = app.conf.beat_schedule["repair accesses"]["schedule"]

        kept = pickle.loads(pickle.dumps(schedule))

        assert (kept, str(kept.tz)) == (schedule, "Europe/Paris")
