"""Each life of a subscription ends as it must, in every order, doubled, in both shapes of the API."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import transaction

from payments.ledger.models import PaymentEvent
from payments.processing.drain import drain, sweep
from stripe_emulator.errors import Json
from tests.properties.memberships import STORIES, Membership, events_of, everything, other_orders, picture
from tests.support.deep import DEEP
from tests.support.road import keep

pytestmark = pytest.mark.django_db

# By their number: as they happened, backwards, shuffled.
ORDERS = range(8) if DEEP else (1, 2, 5)
DOUBLED = 4
BACKWARDS = (2, 3)
LATER = datetime.now(UTC) + timedelta(days=2000)


def told(events: Sequence[Json], *, dice: random.Random, number: int) -> list[Json]:
    """The events in one order: as they happened, backwards, then shuffled with duplicates; in one shape or in both."""
    shapes = ("old", "current") if number > 3 else ("current",) if number % 2 else ("old",)
    chosen = [event[dice.choice(shapes)] for event in events]
    if number > 3:
        doubled = dice.sample(chosen, k=min(DOUBLED, len(chosen)))
        chosen += [{**each, "id": f"{each['id']}again"} for each in doubled]
        dice.shuffle(chosen)
    return chosen[::-1] if number in BACKWARDS else chosen


def hear(events: Sequence[Json], *, pauses: Sequence[int]) -> None:
    """Receive them, with the workers at work in between."""
    at = LATER
    for begin, end in zip([0, *pauses], [*pauses, len(events)], strict=True):
        keep(*events[begin:end], at=at)
        drain(at=at)
        at += timedelta(minutes=1)
    assert sweep(at=at) == 0, "something was left behind, or comes back again and again"


def pauses_in(events: Sequence[Json], *, dice: random.Random, number: int) -> list[int]:
    """None, one or two places; backwards, the last news is heard all alone."""
    if number == BACKWARDS[0]:
        return [1, 2]
    return sorted(dice.sample(range(1, len(events)), k=min(number % 3, len(events) - 1)))


def unread() -> list[tuple[str, str, str]]:
    """Events that are neither processed nor ignored."""
    rows = PaymentEvent.objects.exclude(status__in=["PROCESSED", "IGNORED"])
    return list(rows.values_list("type", "status", "error"))


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_ends_as_it_must_in_every_order(story: Membership):
    with time_machine.travel(datetime.now(UTC), tick=False):
        events = events_of(story)
    dice = random.Random(story.name)
    seen = []
    for number in ORDERS:
        with transaction.atomic():
            heard = told(events, dice=dice, number=number)
            hear(heard, pauses=pauses_in(heard, dice=dice, number=number))
            ends = [{name: end[name] for name in wanted} for end, wanted in zip(picture(), story.ends, strict=True)]
            assert ends == list(story.ends), f"in order {number}"
            assert other_orders() == story.others
            assert unread() == []
            seen.append(everything())
            transaction.set_rollback(True)
    assert all(each == seen[0] for each in seen), next(each for each in seen if each != seen[0])
