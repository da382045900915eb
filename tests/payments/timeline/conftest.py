"""A story as people read it: who, and what happened."""

from datetime import timedelta

import pytest
from django.utils import translation

from payments.timeline import Subject, story
from tests.support.road import NOON


@pytest.fixture
def told():
    """`told(order, language="fr")`: each line as "Stripe: The payment succeeded. The order is paid."."""

    def tell(*owners, language="en", at=NOON + timedelta(days=1)):
        with translation.override(language):
            for owner in owners:
                owner.refresh_from_db()
            moments = story(Subject.of(*owners), at=at).moments
            return [f"{moment.kind.label}: {moment.told}".replace("\N{NO-BREAK SPACE}", " ") for moment in moments]

    return tell
