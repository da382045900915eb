import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail as post
from django.utils import translation
from icalendar import Calendar

from payments.apply.apply import follow_orders_again
from payments.effects.deliver import deliver_due
from payments.effects.models import Effect
from payments.statuses import DisputeState, EffectStatus, OrderStatus
from registrations.links import activity_url, page_url, receipt_url
from registrations.mails import (
    SKIP_BEGUN,
    SKIP_HAS_PLACE,
    SKIP_MONEY_HERE,
    SKIP_ROW_MISSING,
    SKIP_STATE_CHANGED,
    SKIP_UNCONFIRMED,
    message_for,
)
from registrations.models import Activity, Registration, RegistrationStatus
from registrations.services.withdraw import withdraw
from registrations.templatetags.public import map_link
from tests.support.factories import NOON, ActivityFactory, RegistrationFactory
from tests.support.mails import deliver, english_in, html_of, read, sent

pytestmark = pytest.mark.django_db

# What makes each mail true: the kind, and the state of the registration in which it is wanted.
WANTED = {
    "confirmed": {"order__status": OrderStatus.PAID},
    "no_place": {"order__status": OrderStatus.PAID, "holds_place": False},
    "failed": {
        "order__status": OrderStatus.FAILED,
        "order__failed_charge": "ch_1",
        "order__failed_attempt": 1,
        "order__failure_code": "insufficient_funds",
    },
    "action_required": {"order__status": OrderStatus.ACTION_REQUIRED},
    "processing": {"order__status": OrderStatus.PROCESSING},
    "expired": {"order__status": OrderStatus.EXPIRED},
    "canceled": {"order__status": OrderStatus.CANCELED},
    "refunded": {"order__status": OrderStatus.REFUNDED},
    "given_up": {
        "order__status": OrderStatus.PAID,
        "order__amount": 0,
        "holds_place": False,
        "status": RegistrationStatus.CANCELED,
        "given_up_at": NOON,
    },
}
# Begun, and nothing has come of it yet.
BEGUN: dict[str, object] = {"order__status": OrderStatus.PENDING}
KINDS = {"expired": "closed", "canceled": "closed"}
SUMMER_EVENING = datetime(2026, 7, 14, 16, 30, tzinfo=UTC)

# case: subject, then what the mail must say; the words are the reader's, in both languages.
ENGLISH = {
    "confirmed": ("Your place is confirmed", "received your payment", "nothing else to do"),
    "no_place": (
        "no place is left",
        "received your payment of €49.00",
        "Your money is safe",
        "nothing you need to do",
    ),
    "failed": ("did not go through", "Nothing was charged", "not enough money in the account", "You can try again"),
    "action_required": (
        "confirm your payment",
        "bank asks you to confirm",
        "Nothing is charged before",
        "payment page",
    ),
    "processing": (
        "payment is under way",
        "payment of €49.00 for “Atelier poterie & thé” is under way",
        "few working days",
        "Your place is held",
        "nothing you need to do",
    ),
    "expired": (
        "has expired",
        "has run out",
        "Nothing was charged",
        "held for you has been released",
        "register again",
    ),
    "canceled": (
        "is canceled",
        "was canceled",
        "Nothing was charged",
        "held for you has been released",
        "register again",
    ),
    "refunded": (
        "Your refund",
        "refunded €49.00 for “Atelier poterie & thé”. With this the registration has ended.",
        "5 to 10 working days",
        "nothing you need to do",
    ),
    "given_up": (
        "Your place has been released",
        "place in “Atelier poterie & thé” has been released by our team.",
        "welcome to register again",
    ),
}
FRENCH = {
    "confirmed": ("Votre place est confirmée", "reçu votre paiement", "rien d’autre à faire"),
    "no_place": ("il ne reste plus de place", "paiement de 49,00 €", "argent est en sécurité", "n’avez rien à faire"),
    "failed": ("n’a pas abouti", "Rien n’a été débité", "pas assez d’argent sur le compte", "essayer de nouveau"),
    "action_required": (
        "confirmer votre paiement",
        "banque vous demande",
        "Rien n’est débité avant",
        "page de paiement",
    ),
    "processing": (
        "paiement est en cours",
        "paiement de 49,00 € pour « Atelier poterie & thé » est en cours",
        "quelques jours ouvrés",
        "Votre place vous est gardée",
        "n’avez rien à faire",
    ),
    "expired": ("a expiré", "est écoulé", "Rien n’a été débité", "a été libérée", "inscrire de nouveau"),
    "canceled": ("est annulée", "a été annulé", "Rien n’a été débité", "a été libérée", "inscrire de nouveau"),
    "refunded": (
        "Votre remboursement",
        "remboursé 49,00 € pour « Atelier poterie & thé ». L’inscription prend ainsi fin.",
        "5 à 10 jours ouvrés",
        "n’avez rien à faire",
    ),
    "given_up": (
        "Votre place a été libérée",
        "place pour « Atelier poterie & thé » a été libérée par notre équipe.",
        "inscrire de nouveau",
    ),
}


def registered(case, **others):
    """A registration in the state in which this mail is wanted."""
    activity = ActivityFactory(
        title="Atelier poterie & thé", starts_at=SUMMER_EVENING, ends_at=SUMMER_EVENING + timedelta(hours=2),
        place="Maison des arts", address="12 rue de l'Eau", city="Lyon",
    )  # fmt: skip
    return RegistrationFactory(**{"activity": activity, "name": "Inès O'Neil", **WANTED.get(case, BEGUN), **others})


def tell(row, kind, *, key="1", **data):
    """Deliver the mail of this kind about the registration; returns its effect as it is afterwards."""
    known = {"registration": row.pk, "attempt": row.order.attempt_number, "charge": row.order.attempt_charge}
    full = f"registration.{KINDS.get(kind, kind)}"
    return deliver(f"{full}:{key}", kind=full, order_id=row.order_id, **{**known, **data})


class TestEveryMail:
    @pytest.mark.parametrize("case", WANTED)
    @pytest.mark.parametrize(("language", "words"), [("en", ENGLISH), ("fr", FRENCH)])
    def test_says_what_happened_and_what_happens_next(self, case, language, words):
        row = registered(case, language=language)

        effect = tell(row, case)

        subject, *sentences = words[case]
        assert effect.status == EffectStatus.DONE
        assert sent().to == [row.email]
        assert subject in sent().subject
        for text in read(sent()):
            assert [sentence for sentence in sentences if sentence not in text] == []

    @pytest.mark.parametrize("case", WANTED)
    @pytest.mark.parametrize(
        ("language", "date", "price"),
        [
            ("en", "Tuesday, July 14, 2026 at 6:30 p.m. – 8:30 p.m.", "€49.00"),
            ("fr", "14 juillet 2026 à 18:30 – 20:30", "49,00 €"),
        ],
    )
    def test_names_person_order_activity_place_amount_and_when_in_the_sites_time(self, case, language, date, price):
        row = registered(case, language=language)

        tell(row, case)

        for text in read(sent()):
            for fact in (row.order.number, "Atelier poterie & thé", date, "Maison des arts, 12 rue de l'Eau, Lyon"):
                assert fact in text
            assert text.count("Inès O'Neil") == 2, "in the greeting, and among the facts"
            assert (price in text) == (row.order.amount > 0)

    @pytest.mark.parametrize("case", WANTED)
    def test_is_french_throughout_for_who_reads_french(self, case):
        tell(registered(case, language="fr"), case)

        assert '<html lang="fr">' in html_of(sent())
        words = " ".join([sent().subject, *read(sent())])
        assert english_in(re.sub(r"http\S+", "", words)) == []

    @pytest.mark.parametrize("case", WANTED)
    @pytest.mark.parametrize("active", ["en", "fr"])
    def test_speaks_the_readers_language_whoever_delivers_it(self, case, active):
        row = registered(case, language="en")

        with translation.override(active):
            tell(row, case)

        assert '<html lang="en">' in html_of(sent())
        assert ENGLISH[case][0] in sent().subject
        assert ("€49.00" in sent().body) == (row.order.amount > 0)

    @pytest.mark.parametrize("case", WANTED)
    def test_leads_to_the_persons_own_page_or_to_a_new_registration_to_a_map_and_nowhere_else(self, case):
        row = registered(case)

        tell(row, case)

        expected = {"confirmed": {page_url(row), receipt_url(row)}, "given_up": {activity_url(row.activity)}}
        expected = {map_link(row.activity.where)} | expected.get(case, {page_url(row)})
        assert set(re.findall(r"http\S+", sent().body)) == expected
        assert set(re.findall(r'href="([^"]*)"', html_of(sent()))) == expected
        assert html_of(sent()).count('class="button"') == 1

    @pytest.mark.parametrize("case", WANTED)
    def test_loads_nothing_and_has_no_style_but_its_own(self, case):
        tell(registered(case), case)

        for thing in ("src=", "style=", "<script"):
            assert thing not in html_of(sent())

    @pytest.mark.parametrize("case", WANTED)
    def test_is_what_the_state_of_the_order_asks_for(self, case):
        row = registered(case)

        message = message_for(row, row.order)

        assert message.kind == f"registration.{KINDS.get(case, case)}"
        effect = deliver(message.key, kind=message.kind, order_id=message.order_id, **message.data)
        assert effect.status == EffectStatus.DONE

    @pytest.mark.parametrize("case", WANTED)
    def test_needs_no_registration_that_is_gone(self, case):
        row = registered(case)
        Registration.objects.filter(pk=row.pk).delete()

        assert tell(row, case).outcome == SKIP_ROW_MISSING.reason
        assert post.outbox == []


class TestCalendarFile:
    def test_goes_along_with_the_confirmation(self):
        row = registered("confirmed", language="fr")

        tell(row, "confirmed")

        [part] = [part for part in sent().message().walk() if part.get_content_type() == "text/calendar"]
        [event] = Calendar.from_ical(part.get_payload(decode=True)).walk("VEVENT")
        assert part.get_filename() == "activity.ics"
        assert event["UID"].startswith(str(row.public_id))
        assert (event.decoded("DTSTART"), event.decoded("DTEND")) == (row.activity.starts_at, row.activity.ends_at)

    def test_goes_along_with_nothing_else(self):
        tell(registered("processing"), "processing")

        assert sent().attachments == []


class TestWayBack:
    """The confirmation says how one cancels."""

    @pytest.mark.parametrize(
        ("price", "days", "words"),
        [
            (4900, 7, "until July 7, 2026 at 6:30 p.m. you can cancel on the same page and get your money back."),
            (4900, 200, "please let us know by replying to this e-mail"),
            (4900, None, "please let us know by replying to this e-mail"),
            (0, None, "please give your place back on the same page"),
        ],
    )
    def test_is_that_of_the_activity_as_long_as_there_is_time(self, price, days, words):
        row = registered(
            "confirmed", language="en",
            activity=ActivityFactory(price=price, starts_at=SUMMER_EVENING, refund_days=days),
        )  # fmt: skip

        tell(row, "confirmed")

        for text in read(sent()):
            assert words in text


class TestUnpaid:
    def remind(self, row):
        tell(row, "unpaid")
        return Effect.objects.get(kind="registration.unpaid")

    def begun(self, **others):
        held_until = NOON + timedelta(minutes=9)
        return registered("begun", **{"held_until": held_until, "language": "en", **others})

    def test_says_until_when_the_place_is_held_and_leads_to_the_payment(self):
        row = self.begun()

        assert self.remind(row).status == EffectStatus.DONE
        for text in read(sent()):
            assert "Until March 2, 2026 at 1:09 p.m. we hold your place for you." in text
        assert f'href="{page_url(row)}">Pay €49.00<' in html_of(sent())

    @pytest.mark.parametrize("case", WANTED)
    def test_is_skipped_once_something_has_come_of_it(self, case):
        row = registered(case, held_until=NOON + timedelta(minutes=9))

        assert self.remind(row).outcome == SKIP_STATE_CHANGED.reason

    @pytest.mark.parametrize(
        ("fields", "why"),
        [
            ({"held_until": NOON}, SKIP_STATE_CHANGED),
            ({"holds_place": False}, SKIP_STATE_CHANGED),
            ({"order__amount_received": 100}, SKIP_MONEY_HERE),
        ],
    )
    def test_is_skipped_where_it_is_too_late_or_money_is_here(self, fields, why):
        assert self.remind(self.begun(**fields)).outcome == why.reason


class TestGreeting:
    def greeting(self, name):
        tell(registered("expired", language="en", name=name), "expired")
        return sent().body.splitlines()[0]

    def test_calls_people_by_their_name(self):
        assert self.greeting("J.R. Tolkien-Müller") == "Hello J.R. Tolkien-Müller,"

    def test_stays_on_one_line(self):
        assert self.greeting("Ann\r\nBcc: x") == "Hello,"
        assert sent().message()["Bcc"] is None

    @pytest.mark.parametrize(
        "name", ["Win at http://evil.example", "www.evil.example", "evil.example", "me@evil.fr", "<b>x</b>"]
    )
    def test_leaves_out_a_name_that_would_be_advertisement(self, name):
        assert self.greeting(name) == "Hello,"


class TestSkipping:
    @pytest.mark.parametrize("case", WANTED)
    @pytest.mark.parametrize("now", WANTED)
    def test_happens_unless_the_state_is_the_one_it_tells_of(self, case, now):
        kind, kind_now = KINDS.get(case, case), KINDS.get(now, now)

        effect = tell(registered(now), case)

        assert effect.status == (EffectStatus.DONE if kind == kind_now else EffectStatus.SKIPPED)
        assert effect.outcome == ("" if kind == kind_now else SKIP_STATE_CHANGED.reason)
        assert len(post.outbox) == (kind == kind_now)

    @pytest.mark.parametrize("case", ["confirmed", "no_place"])
    def test_happens_while_a_lost_dispute_has_taken_the_money(self, case):
        row = registered(case, order__dispute_state=DisputeState.LOST)

        assert tell(row, case).outcome == SKIP_STATE_CHANGED.reason

    def test_does_not_happen_while_a_dispute_is_only_open(self):
        row = registered("confirmed", order__dispute_state=DisputeState.OPEN)

        assert tell(row, "confirmed").status == EffectStatus.DONE

    @pytest.mark.parametrize("case", ["failed", "action_required"])
    def test_happens_when_the_buyer_has_begun_another_session(self, case):
        row = registered(case, order__attempt_number=2)

        assert tell(row, case, attempt=1).outcome == SKIP_STATE_CHANGED.reason

    def test_happens_when_another_charge_has_failed_since(self):
        row = registered("failed", order__failed_charge="ch_2")

        assert tell(row, "failed", charge="ch_1").outcome == SKIP_STATE_CHANGED.reason

    def test_lets_a_closed_order_tell_how_it_closed_in_the_end(self):
        row = registered("canceled", language="en")

        tell(row, "expired")

        assert "is canceled" in sent().subject


class TestWhatStandsBesideIt:
    @pytest.mark.parametrize("case", ["failed", "action_required"])
    def test_keeps_quiet_about_money_that_staff_are_looking_into(self, case):
        row = registered(case, order__amount_received=100)

        assert tell(row, case).outcome == SKIP_MONEY_HERE.reason
        assert message_for(row, row.order) is None

    def test_says_of_what_has_ended_that_other_money_came(self):
        row = registered("expired", language="en", order__amount_received=100)

        tell(row, "expired")

        assert "We have received €1.00" in read(sent())[0]
        assert "Nothing was charged" not in read(sent())[0]

    def test_says_of_what_has_ended_that_another_registration_stays(self):
        row = registered("expired", language="en", holds_place=False)
        RegistrationFactory(activity=row.activity, name=row.name, email=row.email, order__status=OrderStatus.PAID)

        tell(row, "expired")

        assert "Your other registration for it stays as it is." in read(sent())[0]
        for words in ("released", "register again"):
            assert words not in read(sent())[0]

    @pytest.mark.parametrize("case", ["failed", "action_required"])
    def test_keeps_quiet_where_another_registration_has_the_place(self, case):
        row = registered(case, holds_place=False)
        RegistrationFactory(activity=row.activity, name=row.name, email=row.email, order__status=OrderStatus.PAID)

        assert tell(row, case).outcome == SKIP_HAS_PLACE.reason

    @pytest.mark.parametrize("case", ["failed", "action_required"])
    def test_asks_nobody_to_pay_for_what_has_begun(self, case):
        row = registered(case)
        Activity.objects.update(starts_at=NOON)

        assert tell(row, case).outcome == SKIP_BEGUN.reason

    def test_offers_no_new_registration_for_what_has_begun(self):
        row = registered("expired", language="en")
        Activity.objects.update(starts_at=NOON)

        tell(row, "expired")

        assert "register again" not in read(sent())[0]

    def test_does_not_say_that_nothing_was_charged_where_it_was_refunded(self):
        row = registered("expired", language="en", order__amount_received=100, order__amount_refunded=100)

        tell(row, "expired")

        assert "We have refunded €1.00" in read(sent())[0]
        assert "Nothing was charged" not in read(sent())[0]

    def test_says_until_when_the_place_is_held(self):
        row = registered("failed", language="en", held_until=SUMMER_EVENING - timedelta(days=1))

        tell(row, "failed")

        assert "until July 13, 2026 at 6:30 p.m. we hold your place." in read(sent())[0]

    def test_speaks_of_no_place_to_who_has_none(self):
        row = registered("failed", language="en", holds_place=False, held_until=SUMMER_EVENING)

        tell(row, "failed")

        assert "your place" not in read(sent())[0]

    def test_promises_nothing_for_want_of_a_place_while_the_bank_has_the_money(self):
        row = registered("no_place", order__dispute_state=DisputeState.OPEN)

        assert tell(row, "no_place").outcome == SKIP_STATE_CHANGED.reason

    def test_names_the_true_reason_why_a_second_payment_finds_no_place(self):
        row = registered("no_place", language="en")
        RegistrationFactory(activity=row.activity, name=row.name, email=row.email, order__status=OrderStatus.PAID)

        tell(row, "no_place")

        assert "you hold a place there already" in read(sent())[0]
        assert "last place had been taken" not in read(sent())[0]

    def test_tells_who_keeps_another_registration_so_when_one_is_refunded(self):
        row = registered("refunded", language="en")
        RegistrationFactory(activity=row.activity, name=row.name, email=row.email, order__status=OrderStatus.PAID)

        tell(row, "refunded")

        assert "Your other registration for it stays as it is." in read(sent())[0]

    def test_is_silent_to_an_address_that_nobody_has_confirmed(self):
        row = registered("expired", email_state="asked")

        assert tell(row, "expired").outcome == SKIP_UNCONFIRMED.reason

    @pytest.mark.parametrize(
        ("order", "words"),
        [
            ({"status": OrderStatus.PAID}, "You get back all that you have paid"),
            ({"status": OrderStatus.REFUNDED}, "What you had paid has been refunded"),
            ({"status": OrderStatus.PAID, "dispute_state": DisputeState.OPEN}, "your bank decides about the money"),
            ({"status": OrderStatus.PENDING}, "Nothing was charged"),
        ],
    )
    def test_promises_of_what_is_called_off_only_the_money_that_is_here(self, order, words):
        row = registered("confirmed", language="en", **{f"order__{name}": value for name, value in order.items()})
        Activity.objects.update(called_off_at=NOON, called_off_reason="Snow")

        tell(row, "called_off")

        assert words in read(sent())[0]


class TestManyFailures:
    def fail(self, row, number):
        row.order.failed_charge = f"ch_{number}"
        row.order.save()
        return tell(row, "failed", key=f"ch_{number}")

    def test_are_told_three_times_an_hour(self):
        row = registered("failed")

        told = [self.fail(row, number) for number in range(5)]

        assert [effect.status for effect in told] == [EffectStatus.DONE] * 3 + [EffectStatus.SKIPPED] * 2
        assert told[-1].outcome == "The buyer was told of three failures within the hour."

    def test_are_told_again_an_hour_later(self):
        row = registered("failed")
        for number in range(3):
            self.fail(row, number)
        Effect.objects.update(delivered_at=NOON - timedelta(hours=1))

        assert self.fail(row, 4).status == EffectStatus.DONE


class TestFailureOfADelayedMethod:
    """It fails as a charge, with a reason, and as a session, without: one failure, one mail."""

    def test_is_told_where_no_charge_is_known(self):
        row = registered("failed", order__failed_charge="", order__failure_code="")

        assert tell(row, "failed", charge="").status == EffectStatus.DONE

    def test_gives_way_to_the_mail_with_the_reason(self):
        assert tell(registered("failed"), "failed", charge="").outcome == SKIP_STATE_CHANGED.reason

    def test_is_told_without_the_reason_of_an_earlier_session(self):
        row = registered("failed", language="en", order__attempt_number=2)

        assert tell(row, "failed", charge="").status == EffectStatus.DONE
        assert "not enough money" not in read(sent())[0]


class TestFreeRegistration:
    def test_is_confirmed_without_a_word_of_payment(self):
        row = registered("confirmed", language="en", activity=ActivityFactory(price=0))

        tell(row, "confirmed")

        for text in read(sent()):
            assert "confirmed" in text
            assert "payment" not in text
            assert "receipt" not in text
            assert "EUR" not in text


class TestRefund:
    def test_speaks_of_no_place_because_the_money_may_have_come_when_none_was_left(self):
        tell(registered("refunded", language="en"), "refunded")

        for text in read(sent()):
            assert "your place" not in text


class TestPlaceGivenUp:
    def test_is_told_once_however_often_the_order_is_followed(self, given_up):
        for minute in range(3):
            follow_orders_again([given_up.order_id], source="test", at=NOON)
            deliver_due(at=NOON + timedelta(minutes=minute))

        assert [message.subject for message in post.outbox] == ["Your place has been released: Open-Day"]

    def test_is_told_as_their_own_wish_where_the_person_has_given_it_back(self, confirmed):
        withdraw(registration=confirmed, at=NOON)

        deliver_due(at=NOON)

        [message] = [each for each in post.outbox if each.subject.startswith("Your place has been released")]
        for text in read(message):
            assert "You have given back your place in “Open-Day”." in text
            assert "our team" not in text

    def test_is_not_told_as_confirmed_any_more(self, given_up):
        deliver_due(at=NOON)

        assert Effect.objects.get(kind="registration.confirmed").outcome == SKIP_STATE_CHANGED.reason

    @pytest.mark.parametrize("change", [{"is_on_sale": False}, {"is_on_sale": False, "called_off_at": NOON}])
    def test_is_told_without_a_way_back_where_there_is_none(self, given_up, change):
        Activity.objects.update(**change)

        deliver_due(at=NOON)

        assert "released by our team" in sent().body
        for text in (sent().body, html_of(sent())):
            assert "http" not in text
            assert "register again" not in text


class TestCost:
    def test_reads_registration_order_and_activity_at_once(self, django_assert_num_queries):
        row = registered("confirmed")

        # note, claim, order and registration for the log, read, done, and the test's own look at the effect; two
        # savepoints around the note
        with django_assert_num_queries(9):
            tell(row, "confirmed")
