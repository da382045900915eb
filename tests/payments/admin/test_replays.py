"""Replaying from the screens: a true preview, bound to what it showed; groups of failures; runs that are followed."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from payments.admin import replays as module
from payments.effects.models import Effect
from payments.ledger.models import EventAttempt, PaymentEvent, Trigger
from payments.orders.models import Order
from payments.processing.models import ReplayRun
from payments.processing.replay_runs import advance_replay
from tests.support.factories import RegistrationFactory
from tests.support.pages import text_of
from tests.support.resync import all_rows, differences
from tests.support.road import event_of, kept

LIST = reverse("admin:payments_paymentevent_changelist")
RUNS = reverse("admin:payments_replayrun_changelist")
COMPLETED = "checkout.session.completed"
KEY = "a" * 16


@pytest.fixture
def group(activity):
    """Three events that were given up, all in the same way."""
    events = [event_of(RegistrationFactory(activity=activity), COMPLETED) for _ in range(3)]
    rows = kept(*events)
    PaymentEvent.objects.update(
        status="DEAD", attempts=7, error_kind="KeyError", error="'amount_total' <b>", error_group=KEY
    )
    return rows


def choose(page, *events, **fields):
    data = {"action": "replay", "_selected_action": [event.pk for event in events], **fields}
    return page.post(LIST, data, follow=True)


def shown_by(response):
    return unescape(re.search(r'name="preview_token" value="([^"]+)"', response.content.decode())[1])


def press(page, *events, **fields):
    shown = shown_by(choose(page, *events))
    return choose(page, *events, **{"confirmed": "x", "preview_token": shown, "reason": " repaired ", **fields})


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


def group_page(name="failures"):
    return reverse(f"admin:payments_{name}", args=[KEY])


def replay_group(page, **fields):
    return page.post(group_page("replay_group"), {"action": "replay_group", **fields}, follow=True)


class TestPreview:
    def test_shows_changes_and_effects_and_does_nothing(self, page, group):
        before = all_rows()

        text = text_of(choose(page, group[0]))

        assert "Given up: &#x27;amount_total&#x27;" in text or "Given up: 'amount_total'" in text
        assert "Status Waiting for payment Paid" in text
        assert "E-mail to" in text
        assert differences(before, all_rows()) == []

    def test_of_what_is_processed_says_that_nothing_changes(self, page, event):
        text = text_of(choose(page, event))

        assert "Nothing changes." in text
        assert "already waiting to be sent, goes out once" in text


class TestReplay:
    @pytest.mark.parametrize("reason", ["", "   "])
    def test_does_nothing_without_a_reason(self, page, group, reason):
        assert "errorlist" in press(page, group[0], reason=reason).content.decode()

        assert not EventAttempt.objects.exists()

    def test_is_done_at_once_and_keeps_who_and_why(self, page, staff, group):
        response = press(page, group[0])

        attempt = EventAttempt.objects.get()
        assert (attempt.trigger, attempt.requested_by, attempt.requested_reason, attempt.outcome) == (
            Trigger.REPLAY, staff, "repaired", "PROCESSED",
        )  # fmt: skip
        assert messages_of(response) == ["1 event was replayed."]

    def test_is_refused_when_something_else_would_come_of_it(self, page, group):
        shown = shown_by(choose(page, group[0]))
        Order.objects.update(amount=100)

        response = choose(page, group[0], confirmed="x", preview_token=shown, reason="x")

        assert "Something has changed since" in messages_of(response)[0]
        assert not EventAttempt.objects.exists()

    def test_of_more_than_a_page_shows_is_the_workers_work(self, page, group, monkeypatch):
        monkeypatch.setattr(module, "MAX_EVENTS_AT_ONCE", 2)
        assert "Only the first 2 are shown" in text_of(choose(page, *group))

        response = press(page, *group)

        run = ReplayRun.objects.get()
        assert response.redirect_chain[-1][0] == reverse("admin:payments_replayrun_change", args=[run.pk])
        assert (run.total, run.position, EventAttempt.objects.count()) == (3, 0, 0)

    def test_of_all_means_all_that_the_list_shows(self, page, order):
        url = f"{LIST}?type=charge.dispute.created"
        data = {"action": "replay", "select_across": "1", "_selected_action": [order.events.first().pk]}
        between = page.post(url, data)
        form = between.content.decode().split('name="preview_token"')[0].rsplit("<form", 1)[1].split(">", 1)[0]
        assert 'action="' not in form

        page.post(url, {**data, "confirmed": "x", "reason": "all", "preview_token": shown_by(between)})

        tried = EventAttempt.objects.filter(trigger=Trigger.REPLAY)
        assert {attempt.event.type for attempt in tried} == {"charge.dispute.created"}

    def test_never_happens_by_get(self, page, group):
        page.get(LIST, {"action": "replay", "_selected_action": group[0].pk, "confirmed": "x", "reason": "a link"})
        page.get(group_page("replay_group"), {"confirmed": "x", "reason": "a link"})

        assert not EventAttempt.objects.exists()
        assert not ReplayRun.objects.exists()

    def test_is_refused_to_those_who_may_only_look(self, client, clerk, group):
        client.force_login(clerk)

        choose(client, group[0], confirmed="x", preview_token="{}", reason="x")
        assert replay_group(client, confirmed="x", preview_token="{}", reason="x").status_code == 403
        assert "Replay the group" not in client.get(group_page()).content.decode()

        assert not EventAttempt.objects.exists()
        assert not ReplayRun.objects.exists()

    def test_shows_what_strangers_wrote_as_text(self, page, group):
        assert "<b>" not in choose(page, group[0]).content.decode().split('id="content-main"')[1]
        assert "&lt;b&gt;" in page.get(group_page()).content.decode()


class TestGroups:
    def test_stand_on_top_of_the_ledger_in_one_query(self, page, group):
        with CaptureQueriesContext(connection) as queries:
            content = page.get(LIST).content.decode()

        assert f'<a href="{group_page()}">' in content
        assert "3 given up" in content
        assert len(queries) <= 12

    def test_have_a_page_while_there_is_one(self, page, group):
        text = text_of(page.get(group_page()))
        PaymentEvent.objects.update(status="PROCESSED")

        assert "3 events" in text
        assert group[0].stripe_event_id in text
        assert page.get(group_page()).status_code == 404

    def test_are_replayed_by_the_workers_after_a_look(self, page, staff, group):
        shown = shown_by(replay_group(page))

        response = replay_group(page, confirmed="x", preview_token=shown, reason="repaired")

        run = ReplayRun.objects.get()
        assert (run.started_by, run.reason, run.total, run.selection) == (staff, "repaired", 3, {"group": KEY})
        assert response["Refresh"] == "3"


class TestRun:
    @pytest.fixture
    def run(self, page, group):
        replay_group(page, confirmed="x", preview_token=shown_by(replay_group(page)), reason="repaired")
        return ReplayRun.objects.get()

    def own_page(self, run):
        return reverse("admin:payments_replayrun_change", args=[run.pk])

    def test_shows_how_far_it_has_come_and_then_rests(self, page, run):
        assert "0 of 3" in text_of(page.get(self.own_page(run)))
        advance_replay(at=run.next_batch_at)

        response = page.get(self.own_page(run))

        assert "3 of 3" in text_of(response)
        assert "Refresh" not in response
        assert Effect.objects.filter(kind="registration.confirmed").count() == 3

    def test_is_canceled_and_gone_on_with(self, page, staff, run):
        page.post(RUNS, {"action": "cancel", "_selected_action": run.pk})
        run.refresh_from_db()
        canceled = run.state

        page.post(RUNS, {"action": "go_on", "_selected_action": run.pk, "confirmed": "x", "reason": "go on"})

        run.refresh_from_db()
        assert (canceled, run.state, run.reason) == ("CANCELED", "RUNNING", "go on")
