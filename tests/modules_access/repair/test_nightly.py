import pickle
from datetime import timedelta

import pytest
import structlog

from config.celery import app
from modules_access.models import ModuleAccess
from modules_access.repair.nightly import repair_and_tell
from modules_access.tasks import repair_job
from payments.effects.deliver import deliver_due
from payments.effects.models import Effect
from tests.support.factories import NOON
from tests.support.mails import read, sent

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def lost(purchase):
    """A paid order, whose buyer was told; the access is gone."""
    ModuleAccess.objects.all().delete()
    Effect.objects.update(status="DONE")
    return purchase


class TestRepairAndTell:
    def test_is_silent_where_all_is_well(self, purchase):
        Effect.objects.all().delete()

        repair_and_tell(at=LATER)

        assert not Effect.objects.filter(kind="alert.accesses").exists()

    @pytest.mark.parametrize(
        ("language", "subject"), [("en", "The night’s repair has put 1 access right"), ("fr", "1 accès")]
    )
    def test_tells_staff_what_was_healed(self, lost, settings, language, subject):
        settings.LANGUAGE_CODE = language
        repair_and_tell(at=LATER)

        deliver_due(at=LATER)

        assert subject in sent().subject
        for text in read(sent()):
            assert lost.order.number in text
            assert "ada@example.com" in text

    def test_says_it_as_an_error(self, lost):
        with structlog.testing.capture_logs() as logs:
            repair_and_tell(at=LATER)

        [line] = [line for line in logs if line["log_level"] == "error"]
        assert line.items() >= {"event": "access.healed", "healed": 1, "created": 1}.items()

    def test_tells_the_buyer_nothing_twice(self, lost):
        repair_and_tell(at=LATER)

        assert Effect.objects.filter(kind="module.opened").count() == 1


class TestRepairJob:
    def test_repairs(self, lost):
        repair_job(later="unknown to this version")

        assert ModuleAccess.objects.get().is_active


class TestSchedule:
    def test_is_kept_by_the_timetable_as_it_is(self):
        schedule = app.conf.beat_schedule["repair accesses"]["schedule"]

        kept = pickle.loads(pickle.dumps(schedule))

        assert (kept, str(kept.tz)) == (schedule, "Europe/Paris")
