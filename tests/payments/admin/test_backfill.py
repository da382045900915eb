import pytest
from django.urls import reverse

from payments.backfill.models import BackfillMark, BackfillRun
from tests.support.pages import text_of
from tests.support.road import NOON, event_of, kept

LIST = "admin:payments_backfillrun_changelist"


def event(id, **fields):
    return {"id": id, "type": "invoice.paid", "occurred_at": NOON.isoformat(), "trouble": "", **fields}


@pytest.fixture
def make_run(db):
    def make_run(**fields):
        usual = {"started_at": NOON, "ended_at": NOON, "since": NOON, "until": NOON, "reached": NOON, "finished": True}
        return BackfillRun.objects.create(**{**usual, **fields})

    return make_run


def shown(page, run, **headers):
    return page.get(reverse("admin:payments_backfillrun_change", args=[run.pk]), **headers)


class TestBackfillRunAdmin:
    def test_begins_with_what_the_walks_prove(self, page, make_run):
        make_run(missing=2)
        BackfillMark.objects.create(complete_from=NOON, complete_up_to=NOON, last_run_at=NOON)

        told = text_of(page.get(reverse(LIST)))

        assert "Complete up to 03/02/2026 1 p.m., 0 missing. All that Stripe lists since" in told
        assert "Complete up to 03/02/2026 1 p.m., 2 missing; none of them was overdue." in told

    def test_says_before_the_first_walk_that_there_was_none(self, page, db):
        assert "has not been walked yet" in text_of(page.get(reverse(LIST)))

    def test_finds_the_walks_that_found_something(self, page, make_run):
        make_run(by="nothing missing")
        make_run(by="something young", missing=1)
        make_run(by="something old", missing=1, gap=1)

        def found(choice):
            told = text_of(page.get(reverse(LIST), {"missing": choice}))
            return [each for each in ("nothing missing", "something young", "something old") if each in told]

        assert found("gap") == ["something old"]
        assert found("some") == ["something young", "something old"]

    def test_names_each_event_and_leads_to_it(self, page, make_run, registration):
        (row,) = kept(event_of(registration, "payment_intent.succeeded"))
        lost = [event(row.stripe_event_id), event("evt_bad", trouble="<b>no</b>")]

        content = shown(page, make_run(missing=5, gap=5, events=lost)).content.decode()

        assert (
            f'<a href="{reverse("admin:payments_paymentevent_change", args=[row.pk])}">{row.stripe_event_id}' in content
        )
        assert "<td>evt_bad</td><td>invoice.paid</td>" in content
        assert "&lt;b&gt;no&lt;/b&gt;" in content
        assert "… and 3 more" in content

    def test_says_why_a_walk_has_not_come_to_its_end(self, page, make_run):
        reason = "there is more than one run reads; the next one goes on"

        english = text_of(shown(page, make_run(finished=False, reason=reason)))
        french = text_of(shown(page, make_run(finished=False, reason=reason), HTTP_ACCEPT_LANGUAGE="fr"))

        assert f"0 missing; not finished: {reason}." in english
        assert reason not in french
        assert "under way, or cut short." in text_of(shown(page, make_run(ended_at=None, finished=False)))

    def test_tells_what_nobody_can_list_any_more(self, page, make_run):
        told = text_of(shown(page, make_run(unlisted_since=NOON)))

        assert "can no longer be listed: reconcile covers what they were about." in told

    def test_is_for_looking_only(self, page, make_run):
        assert page.get(reverse("admin:payments_backfillrun_add")).status_code == 403
        assert page.post(reverse("admin:payments_backfillrun_delete", args=[make_run().pk])).status_code == 403
