from datetime import UTC, datetime, timedelta

from payments.reconcile.models import ReconcileRun

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)


class TestSentence:
    def test_tells_the_whole_run(self):
        counts = {"compared": 412, "put_right": 3, "for_a_person": 1, "missing": 0}

        run = ReconcileRun(
            started_at=NOW, finished_at=NOW, since=NOW - timedelta(days=1), until=NOW, is_continued=True, counts=counts
        )

        told = run.sentence.replace("\N{NARROW NO-BREAK SPACE}", " ")
        assert told.startswith("412 objects compared, 3 put right, 1 needs a person, 0 missing; complete up to ")
        assert "2026" in told
