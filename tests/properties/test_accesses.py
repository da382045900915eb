"""Accesses follow subscriptions, whatever was heard when: in every order they end as the subscription gives them."""

import random
from datetime import UTC, datetime

import pytest
import time_machine
from django.db import transaction

from modules_access.models import ModuleAccess
from payments.billing.models import Subscription
from payments.billing.subscribers import access_until
from tests.properties.memberships import STORIES, Membership, events_of
from tests.properties.test_memberships import hear, pauses_in, told
from tests.support.deep import DEEP
from tests.support.factories import UserFactory
from tests.support.modules import make_module
from tests.support.subscriptions import NOON

pytestmark = pytest.mark.django_db

ORDERS = range(4) if DEEP else (1, 2)
EVERY = 5
PEOPLE = ("ada@example.com", "ak@example.com")


def accesses():
    """By subscription: whose, whether it is active, and until when."""
    rows = ModuleAccess.objects.select_related("subscription", "user")
    return {row.subscription.stripe_id: (row.user.email, row.is_active, row.expires_at) for row in rows}


def owed():
    """The same for every subscription to a plan, of somebody with an account, that gives access."""
    ours = Subscription.objects.filter(customer__user__isnull=False, plan__isnull=False)
    rows = ours.select_related("customer__user")
    given = ((row, access_until(row)) for row in rows)
    return {row.stripe_id: (row.customer.user.email, True, until) for row, until in given if until}


@pytest.mark.parametrize("story", STORIES[::EVERY], ids=lambda story: story.name)
def test_gives_what_the_subscription_gives_in_every_order(story: Membership):
    make_module()
    for email in PEOPLE:
        UserFactory.create(email=email, email_confirmed_at=NOON)
    with time_machine.travel(datetime.now(UTC), tick=False):
        events = events_of(story)
    dice = random.Random(story.name)
    for number in ORDERS:
        with transaction.atomic():
            heard = told(events, dice=dice, number=number)
            hear(heard, pauses=pauses_in(heard, dice=dice, number=number))
            assert {name: row for name, row in accesses().items() if row[1]} == owed(), f"in order {number}"
            transaction.set_rollback(True)


def test_is_not_true_of_nothing():
    """The stories above have people with accounts and with access."""
    make_module()
    UserFactory.create(email=PEOPLE[0], email_confirmed_at=NOON)
    seen = set()
    for story in STORIES[::EVERY]:
        with transaction.atomic():
            events = events_of(story)
            heard = told(events, dice=random.Random(story.name), number=0)
            hear(heard, pauses=list(range(1, len(heard))))
            seen |= {is_active for _user, is_active, _until in accesses().values()}
            transaction.set_rollback(True)
        if seen == {True, False}:
            return
    raise AssertionError(f"only {seen}")
