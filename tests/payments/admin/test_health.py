import pytest
from django.urls import reverse
from django.utils import timezone

from payments.heartbeats import WORKER, Heartbeat
from payments.statuses import EventStatus
from tests.support.pages import text_of
from tests.support.watching import A_MINUTE, events, everything_lives, watched

pytestmark = pytest.mark.django_db


class TestHealthPage:
    def test_says_what_is_wrong_what_was_checked_and_how_it_went(self, page):
        now = timezone.now()
        everything_lives(at=now)
        Heartbeat.objects.filter(name=WORKER).update(at=now - 4 * A_MINUTE)
        watched(at=now)
        events(29, at=now - A_MINUTE)
        events(1, at=now - A_MINUTE, status=EventStatus.DEAD)

        text = text_of(page.get(reverse("admin:health"), headers={"accept-language": "fr"}))

        assert "Aucun worker ne vit" in text
        assert "Démarrez un worker" in text
        assert "Worker – Aucun signe de vie depuis" in text
        assert "1 (3,3 %)" in text.replace("\N{NO-BREAK SPACE}", " ")
