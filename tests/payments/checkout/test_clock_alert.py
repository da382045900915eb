from datetime import timedelta

import pytest
from django.core import mail as post

from payments.checkout.clock_alert import warn_of_clock
from payments.effects.deliver import deliver_due
from payments.effects.models import Effect
from payments.stripe_api import clock
from tests.support.mails import read
from tests.support.road import NOON

pytestmark = pytest.mark.django_db


def learn(seconds: int) -> None:
    clock.learn(said_at=NOON + timedelta(seconds=seconds), asked_at=NOON, heard_at=NOON)


class TestWarnOfClock:
    @pytest.mark.parametrize(
        ("language", "words"), [("en", "seconds behind Stripe"), ("fr", "retarde de 300 secondes")]
    )
    def test_tells_staff_how_far_it_is_off(self, settings, language, words):
        settings.LANGUAGE_CODE = language
        learn(300)

        assert warn_of_clock(at=NOON)

        deliver_due(at=NOON)
        [message] = post.outbox
        assert all("300" in text and words in text for text in read(message))

    def test_tells_them_once_a_day(self):
        learn(-300)

        for minute in range(3):
            warn_of_clock(at=NOON + timedelta(minutes=minute))

        assert Effect.objects.filter(kind="alert.clock").count() == 1

    @pytest.mark.parametrize("seconds", [0, 60, -60])
    def test_says_nothing_within_a_minute(self, seconds):
        learn(seconds)

        assert not warn_of_clock(at=NOON)
        assert not Effect.objects.exists()
