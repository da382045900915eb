"""The places of every activity add up, or staff hear of it; a repair needs a reason and leaves evidence."""

import io
import threading
from datetime import timedelta

import pytest
import structlog
from django.core import mail as post
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from payments.effects.deliver import deliver_due
from payments.effects.models import Effect
from registrations.models import Activity, Registration
from registrations.services.check_places import ReasonMissing, Violation, ViolationKind, check_places
from registrations.services.register import register
from tests.support.mails import leads_to, read, sent
from tests.support.road import NOON, event_of, hear

LATER = NOON + timedelta(minutes=10)


def has_counter(activity: Activity, taken: int) -> None:
    Activity.objects.filter(pk=activity.pk).update(places_taken=taken)


def counter_of(activity: Activity) -> int:
    return Activity.objects.values_list("places_taken", flat=True).get(pk=activity.pk)


def pay_without_place(row: Registration, activity: Activity) -> None:
    """Paid, and waiting for a place that nobody gives."""
    hear(event_of(row, "checkout.session.completed"))
    Registration.objects.filter(pk=row.pk).update(holds_place=False, waits_since=NOON)
    has_counter(activity, activity.registrations.filter(holds_place=True).count())


@pytest.mark.usefixtures("db")
class TestCheckPlaces:
    def test_finds_nothing_where_places_add_up(self, make_activity, registration):
        make_activity(slug="empty")

        assert check_places(at=NOON) == []
        assert not Effect.objects.exists()

    @pytest.mark.parametrize("taken", [0, 2, 10])
    def test_finds_a_counter_that_lies(self, activity, registration, taken):
        has_counter(activity, taken)

        assert check_places(at=NOON) == [
            Violation(activity.pk, "Pottery", ViolationKind.COUNTER, capacity=10, taken=taken, held=1)
        ]

    def test_finds_more_people_than_places(self, make_activity, make_registration):
        small = make_activity(slug="choir", capacity=2)
        for name in ("Camille Martin", "Alex Smith"):
            make_registration(name, of=small)
        Activity.objects.filter(pk=small.pk).update(capacity=1, places_taken=1)

        [violation] = check_places(at=NOON)

        assert (violation.kind, violation.capacity, violation.held) == (ViolationKind.OVERSOLD, 1, 2)

    def test_finds_who_paid_and_waits_beside_a_free_place(self, activity, registration):
        pay_without_place(registration, activity)

        [violation] = check_places(at=NOON)

        assert (violation.kind, violation.waiting, violation.held) == (ViolationKind.WAITING, 1, 0)

    def test_takes_nobody_for_waiting_who_holds_another_place_there(self, activity, registration):
        pay_without_place(registration, activity)
        register(activity=activity, name="CAMILLE martin", email=registration.email, language="fr", at=NOON)

        assert check_places(at=NOON) == []

    def test_takes_nobody_for_waiting_wrongly_where_no_place_is_free(self, make_activity, make_registration):
        full = make_activity(slug="choir", capacity=1)
        row = make_registration(of=full)
        pay_without_place(row, full)
        make_registration("Alex Smith", of=full)

        assert check_places(at=NOON) == []

    def test_takes_nobody_for_waiting_who_gave_the_place_up(self, given_up):
        assert given_up.activity.places_left == 1
        assert check_places(at=NOON) == []

    def test_says_it_as_an_error(self, activity, registration):
        has_counter(activity, 3)

        with structlog.testing.capture_logs() as logs:
            check_places(at=NOON)

        [line] = [line for line in logs if line["log_level"] == "error"]
        assert line.items() >= {"event": "places.breach", "activity_id": activity.pk, "taken": 3, "held": 1}.items()

    def test_leaves_the_counter_alone(self, activity, registration):
        has_counter(activity, 3)

        check_places(at=NOON)

        assert counter_of(activity) == 3


@pytest.mark.usefixtures("db")
class TestTheAlert:
    def test_comes_once_a_day_for_each_difference(self, activity, registration):
        has_counter(activity, 3)
        for minutes in (0, 10, 20):
            check_places(at=NOON + timedelta(minutes=minutes))
        has_counter(activity, 4)
        check_places(at=LATER)
        check_places(at=NOON + timedelta(days=1))

        assert Effect.objects.filter(kind="alert.places").count() == 3

    @pytest.mark.parametrize(
        ("language", "subject"),
        [("en", "The counter of places is wrong: Pottery"), ("fr", "Pottery")],
    )
    def test_tells_staff_the_numbers(self, activity, registration, settings, language, subject):
        settings.LANGUAGE_CODE = language
        has_counter(activity, 3)
        check_places(at=NOON)

        deliver_due(at=LATER)

        message = sent()
        assert message.to == settings.STRIPE_ALERT_EMAIL
        assert subject in message.subject
        for text in read(message):
            assert "Pottery" in text
            assert all(number in text for number in ("10", "3", "1"))

    def test_is_not_sent_when_the_places_add_up_again_meanwhile(self, activity, registration):
        has_counter(activity, 3)
        check_places(at=NOON)
        has_counter(activity, 1)

        deliver_due(at=LATER)

        assert (post.outbox, Effect.objects.get().status) == ([], "SKIPPED")

    def test_has_words_for_each_kind(self, make_activity, make_registration, activity, settings):
        settings.LANGUAGE_CODE = "en"
        pay_without_place(make_registration(), activity)
        small = make_activity(slug="choir", capacity=2)
        for name in ("Camille Martin", "Alex Smith"):
            make_registration(name, of=small)
        Activity.objects.filter(pk=small.pk).update(capacity=1, places_taken=1)
        Effect.objects.all().delete()
        check_places(at=NOON)

        deliver_due(at=LATER)

        assert sorted(message.subject for message in post.outbox) == [
            "More people than places: Choir",
            "Somebody paid and waits although a place is free: Pottery",
        ]


@pytest.mark.usefixtures("db")
class TestCheckPlacesRepairs:
    def test_lets_the_counter_say_what_the_registrations_say(self, activity, registration):
        has_counter(activity, 3)

        [violation] = check_places(at=NOON, repair=True, reason="Restored from a back-up.")

        assert (violation.is_repaired, violation.taken, counter_of(activity)) == (True, 3, 1)
        assert check_places(at=NOON) == []

    def test_keeps_the_evidence_in_the_log_and_in_a_mail(self, activity, registration, settings):
        settings.LANGUAGE_CODE = "en"
        has_counter(activity, 3)

        with structlog.testing.capture_logs() as logs:
            check_places(at=NOON, repair=True, reason="Restored from a back-up.")
        deliver_due(at=NOON)

        [line] = [line for line in logs if line["event"] == "places.repaired"]
        assert line.items() >= {"reason": "Restored from a back-up.", "taken": 3, "held": 1}.items()
        for text in read(sent()):
            assert "Restored from a back-up." in text
        assert leads_to(sent(), f"/admin/registrations/activity/{activity.pk}/change/")
        assert sent().subject == "The counter of places was put right: Pottery"

    def test_refuses_to_go_above_the_capacity(self, make_activity, make_registration):
        small = make_activity(slug="choir", capacity=2)
        for name in ("Camille Martin", "Alex Smith"):
            make_registration(name, of=small)
        Activity.objects.filter(pk=small.pk).update(capacity=1, places_taken=0)

        [violation] = check_places(at=NOON, repair=True, reason="Let us see.")

        assert (violation.kind, violation.is_repaired, counter_of(small)) == (ViolationKind.OVERSOLD, False, 0)

    @pytest.mark.parametrize("reason", ["", "   "])
    def test_refuses_without_a_reason(self, activity, registration, reason):
        has_counter(activity, 3)

        with pytest.raises(ReasonMissing):
            check_places(at=NOON, repair=True, reason=reason)

        assert counter_of(activity) == 3

    @pytest.mark.django_db(transaction=True)
    def test_counts_again_under_the_lock(self, activity, registration):
        """Somebody registers while the counter is repaired: neither overwrites the other."""
        has_counter(activity, 5)
        locked = threading.Event()

        def register_slowly() -> None:
            with transaction.atomic():
                register(activity=activity, name="Alex Smith", email="alex@example.com", language="en", at=NOON)
                locked.set()
                waiting.wait(timeout=2)
            connection.close()

        waiting = threading.Event()
        buyer = threading.Thread(target=register_slowly)
        buyer.start()
        assert locked.wait(timeout=10)
        check_places(at=NOON, repair=True, reason="Restored from a back-up.")
        buyer.join()

        assert counter_of(activity) == activity.registrations.filter(holds_place=True).count() == 2


@pytest.mark.usefixtures("db")
class TestTheCommand:
    def told(self, *arguments: str) -> str:
        out = io.StringIO()
        call_command("check_places", *arguments, stdout=out)
        return out.getvalue()

    def test_says_that_places_add_up(self, registration):
        assert self.told() == "The places add up.\n"

    def test_fails_and_says_what_does_not(self, activity, registration, capsys):
        has_counter(activity, 3)

        with pytest.raises(CommandError, match="do not add up"):
            call_command("check_places")

        assert "Pottery: the counter of places taken says 3, the registrations say 1." in capsys.readouterr().out

    def test_repairs_with_a_reason(self, activity, registration):
        has_counter(activity, 3)

        text = self.told("--repair", "--because", "Restored from a back-up.")

        assert text.endswith("Repaired.\nThe places add up.\n")
        assert counter_of(activity) == 1

    @pytest.mark.parametrize("arguments", [["--repair"], ["--because", "why"], ["--repair", "--because", " "]])
    def test_refuses_a_repair_without_a_reason_and_a_reason_without_a_repair(self, arguments):
        with pytest.raises(CommandError, match="needs a reason"):
            self.told(*arguments)
