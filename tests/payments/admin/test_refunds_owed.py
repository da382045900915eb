"""The desk of the refunds that are owed: why, in plain words, when it is tried again, and the buttons."""

from datetime import timedelta

import pytest
from django.urls import reverse

from payments.apply.undelivered import look_after_undelivered
from payments.effects.models import Effect
from payments.statuses import EffectStatus
from tests.support.pages import text_of
from tests.support.refunds import ask, pay
from tests.support.road import NOON

OWED = reverse("admin:refunds_owed")


@pytest.fixture
def order(registration):
    """€10.00 of it were promised back, and Stripe had no money."""
    order = pay(registration)
    [effect] = ask(order, amount=1000)
    Effect.objects.exclude(pk=effect.pk).delete()
    data = {**effect.data, "code": "balance_insufficient", "again": 1}
    Effect.objects.update(
        status=EffectStatus.DEAD, outcome="GatewayRefused: no funds", claimed_at=NOON, attempts=6, data=data
    )
    look_after_undelivered(at=NOON)
    return order


class TestRefundsOwed:
    @pytest.mark.parametrize(
        ("language", "words"),
        [
            ("en", ("€10.00", "There is not enough money in our Stripe balance.", "It is tried again within minutes.")),
            ("fr", ("10,00 €", "Notre solde Stripe est insuffisant.", "Nouvel essai dans quelques minutes.")),
        ],
    )
    def test_say_why_and_when_it_is_tried_again(self, page, order, language, words):
        content = text_of(page.get(OWED, headers={"accept-language": language}))

        assert [word for word in (*words, order.number) if word not in content] == []

    def test_are_tried_again_a_day_after_the_last_time(self, page, order, monkeypatch):
        monkeypatch.setattr("payments.admin.refunds_owed.timezone.now", lambda: NOON + timedelta(hours=1))

        [line] = page.get(OWED).context["lines"]

        assert (line.next_at, line.tried) == (NOON + timedelta(hours=24), 6)

    def test_can_be_tried_again_or_dismissed_by_who_may(self, page, order):
        [line] = page.get(OWED).context["lines"]

        assert [button.action for button in line.buttons] == ["refund_once_more", "close"]

    def test_are_for_who_may_see_questions(self, client, clerk, order):
        client.force_login(clerk)

        assert client.get(OWED).status_code == 403

    def test_say_when_there_are_none(self, page):
        assert "No refund is owed." in text_of(page.get(OWED))
