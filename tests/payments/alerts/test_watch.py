from datetime import timedelta

import pytest
from django.core import mail
from django.utils import translation

from config.env import ROOT
from config.seen import Seen
from payments.alerts import rules
from payments.alerts.models import Alert
from payments.alerts.rules import AlertSeverity, Trouble, WatchedTwice, alert_rule, all_rules
from payments.alerts.watch import watch
from payments.backfill.models import BackfillMark, BackfillRun
from payments.effects.deliver import deliver_all
from payments.effects.models import Effect
from payments.endpoints.models import EndpointLook
from payments.heartbeats import BEAT, WORKER, Heartbeat, note_heartbeat
from payments.incidents.models import Incident
from payments.ledger.models import HeldType, PaymentEvent, RefusedDeliveries
from payments.statuses import EffectStatus, EventStatus
from payments.tallies import Tally
from tests.support.factories import make_staff
from tests.support.road import NOON
from tests.support.watching import (
    A_DAY,
    A_MINUTE,
    AN_HOUR,
    events,
    everything_lives,
    failed_payments,
    payments,
    watched,
)  # fmt: skip

pytestmark = pytest.mark.django_db


def silent_hour(_order):
    for day in range(1, 8):
        events(6, at=NOON - day * A_DAY - 30 * A_MINUTE)


def a_third_of_the_events_fail(_order):
    events(21, at=NOON - 5 * A_MINUTE)
    events(9, at=NOON - 5 * A_MINUTE, status=EventStatus.FAILED, next_attempt_at=NOON + AN_HOUR)


def events_are_given_up(_order):
    events(2, at=NOON - 5 * A_MINUTE, status=EventStatus.DEAD)


def events_pile_up(_order):
    events(3, at=NOON - 6 * A_MINUTE, status=EventStatus.RECEIVED)


def wrong_secret(_order):
    RefusedDeliveries.objects.create(hour=NOON - AN_HOUR, code="invalid_signature", count=7, last_at=NOON - A_MINUTE)


def stopped_worker(_order):
    Heartbeat.objects.filter(name=WORKER).update(at=NOON - 4 * A_MINUTE)


def stopped_beat(_order):
    Heartbeat.objects.filter(name=BEAT).update(at=NOON - 4 * A_MINUTE)


def busy_processors(_order):
    for minute in range(11, -1, -1):
        note_heartbeat(WORKER, at=NOON - minute * A_MINUTE, cpu_percent=93.0)


def payments_fail(order):
    payments(20, at=NOON - A_MINUTE, order=order)
    failed_payments(5, at=NOON - A_MINUTE, order=order, type="api_error")


def cards_are_tried_out(order):
    payments(2, at=NOON - A_MINUTE, order=order)
    failed_payments(30, at=NOON - A_MINUTE, order=order, type="card_error", code="card_declined")


def disabled_endpoint(_order):
    differences = [{"kind": "disabled", "endpoint": "we_1", "detail": "https://shop.example/stripe/webhooks"}]
    EndpointLook.objects.create(pk=1, at=NOON, differences=differences)


def events_were_missed(_order):
    told = [{"id": "evt_lost", "type": "invoice.paid", "occurred_at": NOON.isoformat(), "trouble": ""}]
    for minute in (20, 10):
        at = NOON - minute * A_MINUTE
        BackfillRun.objects.create(started_at=at, since=at, until=at, missing=3, gap=2, events=told)


def nobody_has_walked(_order):
    at = NOON - 3 * AN_HOUR
    BackfillMark.objects.create(complete_from=at, complete_up_to=at, last_run_at=at)


def answers_are_errors(_order):
    saw(Seen.ANSWER, "public 5xx", 25)
    saw(Seen.ANSWER, "public 2xx", 275)


def stripe_is_away(_order):
    saw(Seen.STRIPE_CALL, "unavailable", 20)
    saw(Seen.STRIPE_CALL, "ok", 55)


def saw(what, label, count):
    Tally.objects.create(what=what, label=label, count=count, micros=0, buckets=[], hour=NOON, in_hour=count)


def mail_server_refuses(_order):
    Effect.objects.create(
        key="k", kind="registration.confirmed", status=EffectStatus.PENDING, attempts=3, outcome="550 no",
        not_before=NOON + AN_HOUR, created_at=NOON,
    )  # fmt: skip


def things_are_well_again():
    """An hour later all has been put right, and life goes on."""
    Effect.objects.filter(status=EffectStatus.PENDING, key="k").delete()
    everything_lives(at=NOON + 2 * AN_HOUR)
    EndpointLook.objects.update(differences=[{"kind": "standby", "endpoint": "we_2", "detail": ""}])
    BackfillMark.objects.update(complete_up_to=NOON + 2 * AN_HOUR)
    PaymentEvent.objects.update(status=EventStatus.PROCESSED)
    events(1, at=NOON + 2 * AN_HOUR)


WRONGS = [
    (silent_hour, "events.silent", "usually there are 6"),
    (a_third_of_the_events_fail, "events.failing", "9 of the 30 events"),
    (events_pile_up, "events.waiting", "3, the oldest since 12:54"),
    (wrong_secret, "deliveries.refused:invalid_signature", "the signature matches none of our webhook secrets"),
    (disabled_endpoint, "endpoint.drifted:disabled:we_1", "is disabled at Stripe: no event comes"),
    (events_were_missed, "events.missing", "4, among them invoice.paid (evt_lost)"),
    (nobody_has_walked, "events.unproven", "up to 2026-03-02, 10:00, only"),
    (answers_are_errors, "site.errors", "25 of the 300 answers"),
    (stripe_is_away, "stripe.unreachable", "20 of the 75 calls"),
    (stopped_worker, "worker.lost", "since 12:56"),
    (stopped_beat, "beat.lost", "since 12:56"),
    (busy_processors, "host.busy:", "above 80 % for ten minutes: 93 %"),
    (payments_fail, "payments.failing", "5 of the 25 payments"),
    (cards_are_tried_out, "payments.declined", "declined 30 tries"),
    (mail_server_refuses, "mail.refused", "550 no"),
]


@pytest.fixture
def order(make_registration):
    return make_registration().order


@pytest.fixture
def all_well(order):
    """A site on which nothing is wrong."""
    everything_lives(at=NOON)
    assert watched(at=NOON - A_MINUTE) == []
    return order


class TestWatch:
    @pytest.mark.parametrize(("go_wrong", "rule", "says"), WRONGS, ids=lambda value: getattr(value, "__name__", ""))
    def test_opens_one_alert_with_one_mail_and_closes_it_by_itself(
        self, all_well, settings, client, go_wrong, rule, says
    ):
        settings.LANGUAGE_CODE = "en"
        go_wrong(all_well)

        for second in (0, 15, 30):
            opened = watched(at=NOON + timedelta(seconds=second))
        deliver_all(clock=lambda: NOON + A_MINUTE)
        things_are_well_again()

        assert len(opened) == 1
        assert opened[0].startswith(rule)
        [message] = mail.outbox
        row = Alert.objects.get()
        assert says in message.body
        assert str(row.remedy) in message.body
        assert f"{settings.SITE_URL}{row.page}" in message.body
        client.force_login(make_staff())
        assert client.get(row.page).status_code == 200
        assert watched(at=NOON + 2 * AN_HOUR) == []
        assert deliver_all(clock=lambda: NOON + 2 * AN_HOUR) == 0

    def test_brings_no_mail_where_there_is_one_of_its_own(self, all_well):
        events_are_given_up(all_well)

        assert watched(at=NOON) == ["events.dead"]
        assert not Effect.objects.filter(kind="alert.opened").exists()

    @pytest.mark.parametrize(
        ("row", "rules", "mails"),
        [
            ({}, ["incident.open"], []),
            ({"ends_at": NOON + 31 * A_MINUTE}, ["incident.open"], []),
            ({"ends_at": NOON + 30 * A_MINUTE}, ["incident.ending", "incident.open"], ["incident.ending"]),
            ({"ends_at": NOON - A_MINUTE}, ["incident.ending", "incident.open"], ["incident.ending"]),
            ({"state": "CLOSING", "trouble": "No."}, ["incident.closing", "incident.open"], ["incident.closing"]),
        ],
    )
    def test_warns_of_an_incident_and_of_its_end(self, all_well, row, rules, mails):
        Incident.objects.create(reason="Orders stay unpaid", opened_by="ada", opened_at=NOON, **row)

        assert watched(at=NOON) == rules
        told = Effect.objects.filter(kind="alert.opened").values_list("data__alert", flat=True)
        assert [Alert.objects.get(pk=pk).rule for pk in told] == mails

    @pytest.mark.parametrize(
        ("row", "rules"),
        [
            ({"ends_at": NOON + 31 * A_MINUTE}, []),
            ({"ends_at": NOON + 20 * A_MINUTE}, ["hold.ending:invoice.paid"]),
            ({"failure_group": "0123456789abcdef"}, ["hold.automatic:invoice.paid"]),
        ],
    )
    def test_warns_of_holds(self, all_well, row, rules):
        HeldType.objects.create(type="invoice.paid", reason="odd", **row)

        # That somebody must decide is told of every hold.
        assert watched(at=NOON) == [*rules, "todo:held_type"]

    def test_takes_what_comes_back_soon_for_the_same_incident(self, all_well):
        stopped_worker(all_well)
        watched(at=NOON)
        note_heartbeat(WORKER, at=NOON)
        assert watched(at=NOON + A_MINUTE) == []
        stopped_worker(all_well)

        assert watched(at=NOON + 10 * A_MINUTE) == ["worker.lost"]

        assert Alert.objects.get().times == 2
        assert Effect.objects.filter(kind="alert.opened").count() == 1

    def test_is_a_new_incident_after_a_while(self, all_well):
        stopped_worker(all_well)
        watched(at=NOON)
        note_heartbeat(WORKER, at=NOON)
        watched(at=NOON + A_MINUTE)
        stopped_worker(all_well)

        watched(at=NOON + AN_HOUR)

        assert Effect.objects.filter(kind="alert.opened").count() == 2

    def test_sends_no_mail_about_what_is_over(self, all_well):
        stopped_worker(all_well)
        watched(at=NOON)
        note_heartbeat(WORKER, at=NOON)
        watched(at=NOON + A_MINUTE)

        deliver_all(clock=lambda: NOON + A_MINUTE)

        assert mail.outbox == []
        assert Effect.objects.get(kind="alert.opened").status == EffectStatus.SKIPPED

    def test_says_nothing_of_few(self, all_well):
        failed_payments(15, at=NOON - A_MINUTE, order=all_well, type="api_error")
        events(15, at=NOON - A_MINUTE, status=EventStatus.PROCESSED)
        failed_payments(15, at=NOON - A_MINUTE, order=all_well, type="card_error")

        assert watched(at=NOON) == []


@pytest.fixture
def own_rules(monkeypatch):
    """Only the rules of the test."""
    monkeypatch.setattr(rules, "_rules", {})


def add_rule(name, find, **options):
    given = {"title": name, "severity": AlertSeverity.LOW, "remedy": "", **options}
    alert_rule(name, **given)(find)


class TestRules:
    def test_that_stumble_silence_no_other(self, own_rules):
        add_rule("a", lambda _look: 1 / 0)
        add_rule("b", lambda _look: [Trouble("Wrong.", "/")])

        assert watched(at=NOON) == ["b"]

    def test_that_stumble_close_nothing(self, own_rules, monkeypatch):
        add_rule("a", lambda _look: [Trouble("Wrong.", "/")])
        watched(at=NOON)
        monkeypatch.setattr(rules, "_rules", {})
        add_rule("a", lambda _look: 1 / 0)

        assert watched(at=NOON) == ["a"]

    def test_are_looked_at_as_often_as_they_ask_for(self, own_rules):
        looks = []
        add_rule("a", lambda look: looks.append(look.at) or (), every=5 * A_MINUTE)

        for minute in range(11):
            watch(at=NOON + minute * A_MINUTE)

        assert looks == [NOON, NOON + 5 * A_MINUTE, NOON + 10 * A_MINUTE]

    def test_keep_subjects_apart(self, own_rules):
        found = {"x", "y"}
        add_rule("a", lambda _look: [Trouble("Wrong: %(what)s.", "/", {"what": each}, each) for each in found])
        watched(at=NOON)
        found.remove("x")

        assert watched(at=NOON) == ["a:y"]

    def test_have_names_of_their_own(self, own_rules):
        add_rule("a", lambda _look: ())

        with pytest.raises(WatchedTwice):
            add_rule("a", lambda _look: ())

    def test_stand_in_the_table_of_the_operations(self):
        table = (ROOT / "docs" / "operations.md").read_text()

        assert [rule.name for rule in all_rules() if f"`{rule.name}`" not in table] == []

    @pytest.mark.parametrize("language", ["en", "fr"])
    def test_say_what_to_do_in_both_languages(self, language):
        with translation.override(language):
            told = [(str(rule.title), str(rule.remedy)) for rule in all_rules()]

        assert len({title for title, _remedy in told}) == len(told) >= 15
        assert all(len(remedy) > 20 for _title, remedy in told)
