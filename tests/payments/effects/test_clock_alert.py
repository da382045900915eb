from datetime import timedelta

import pytest
from django.core import mail as post
from django.db import DatabaseError

from payments.effects import clock_alert
from payments.effects.deliver import deliver_due
from payments.effects.models import Effect
from payments.stripe_api import clock
from tests.support.mails import read
from tests.support.road import NOON

pytestmark = pytest.mark.django_db


def learn(seconds: int, *, at=NOON) -> None:
    clock.learn(said_at=at + timedelta(seconds=seconds), asked_at=at, heard_at=at)


def alerts() -> int:
    return Effect.objects.filter(kind="alert.clock").count()


class TestWarnOfClock:
    @pytest.mark.parametrize(
        ("language", "words"), [("en", "seconds behind Stripe"), ("fr", "retarde de 300 secondes")]
    )
    def test_tells_staff_after_any_answer_how_far_it_is_off(self, settings, language, words):
        settings.LANGUAGE_CODE = language

        learn(300)

        deliver_due(at=NOON)
        [message] = post.outbox
        assert all("300" in text and words in text for text in read(message))

    def test_tells_them_once_a_day_and_asks_the_database_once_an_hour(self, django_assert_num_queries):
        learn(-300)
        with django_assert_num_queries(0):
            for minute in range(3):
                learn(-300, at=NOON + timedelta(minutes=minute))
        learn(-300, at=NOON + timedelta(hours=2))

        assert alerts() == 1

    @pytest.mark.parametrize("seconds", [0, 60, -60])
    def test_says_nothing_within_a_minute(self, seconds):
        learn(seconds)

        assert not Effect.objects.exists()

    def test_costs_no_answer_where_it_cannot_be_noted(self, monkeypatch):
        def away(*_requests, **_options):
            raise DatabaseError

        monkeypatch.setattr(clock_alert, "enqueue", away)

        learn(300)

        assert (alerts(), clock.offset(at=NOON)) == (0, timedelta(seconds=300))
