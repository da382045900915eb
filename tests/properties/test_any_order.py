"""The state is the same for every order of delivery, every duplication and every interleaving with sweeps."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payments.effects.deliver import deliver_due
from payments.processing.drain import drain, sweep
from registrations.models import Activity, Registration
from registrations.services.register import ActivityFull, register
from tests.properties.stories import NOON, STORIES, FactSet, Story, told
from tests.properties.world import World, picture, unsaid
from tests.support.deep import so_many

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=1)
people = st.lists(st.sampled_from(STORIES), min_size=1, max_size=3)


def tell(stories: list[Story], tellings: list[FactSet], *, pauses: set[int], rivals: bool = False) -> dict[str, Any]:
    """Tell the stories in this order; at each pause the workers, the sweep and the post do their work.

    With rivals, somebody else takes each place that has become free as soon as the work is done.
    """
    with transaction.atomic():
        mail.outbox.clear()
        world = World(stories, capacity=len(stories))
        for number, fact_set in enumerate(tellings):
            world.receive(fact_set.event(world.subject), at=LATER + timedelta(seconds=number))
            if number in pauses:
                work(at=LATER + timedelta(seconds=number))
                if rivals:
                    fill(world.activity, number)
        work(at=LATER + timedelta(hours=1))
        seen = picture()
        check_places()
        assert unsaid() == [], "the message of the final state is missing"
        transaction.set_rollback(True)
    return seen


def fill(activity: Activity, number: int) -> None:
    with suppress(ActivityFull):
        register(activity=activity, name=f"R{number}", email=f"r{number}@example.com", language="fr", at=LATER)


def work(*, at: Any) -> None:
    while drain(at=at) or sweep(at=at):
        pass
    deliver_due(at=at, limit=1000)
    sent = Counter(message.extra_headers["X-Effect-Key"] for message in mail.outbox)
    assert [key for key, times in sent.items() if times > 1] == [], "sent twice"


def check_places() -> None:
    """Places held = counter ≤ capacity; nobody who paid waits while a place is free, unless they hold one already."""
    for activity in Activity.objects.all():
        held = Registration.objects.filter(activity=activity, holds_place=True)
        assert held.count() == activity.places_taken <= activity.capacity
        waiting = Registration.objects.filter(activity=activity, waits_since__isnull=False)
        without = waiting.exclude(email__in=held.values("email"))
        assert activity.places_left == 0 or not without.exists()


class TestAnyOrder:
    @settings(max_examples=so_many(40, deep=150), deadline=None, suppress_health_check=list(HealthCheck))
    @given(stories=people, data=st.data())
    def test_ends_in_the_same_state(self, stories, data):
        tellings = data.draw(told(stories), label="told")
        again = data.draw(st.lists(st.sampled_from(tellings), max_size=4), label="told again")
        shuffled = data.draw(st.permutations(tellings + again), label="in this order")
        pauses = data.draw(st.sets(st.integers(0, len(shuffled))), label="pauses after")

        at_once = tell(stories, tellings, pauses=set())
        otherwise = tell(stories, shuffled, pauses=pauses)

        assert otherwise == at_once

    @settings(max_examples=so_many(15, deep=50), deadline=None, suppress_health_check=list(HealthCheck))
    @given(stories=st.lists(st.sampled_from(STORIES), min_size=2, max_size=4), data=st.data())
    def test_never_oversells_when_late_money_meets_a_full_activity(self, stories, data):
        tellings = data.draw(st.permutations(data.draw(told(stories))))
        pauses = data.draw(st.sets(st.integers(0, len(tellings))))

        seen = tell(stories, tellings, pauses=pauses, rivals=True)

        assert seen["taken"][0] <= len(stories)
