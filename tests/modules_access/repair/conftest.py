"""Somebody who has a module in every way, and the ways in which that can go wrong."""

from datetime import timedelta

import pytest

from modules_access.models import ModuleAccess
from payments.apply.apply import follow_subscriptions_again
from tests.support.factories import NOON
from tests.support.members import make_member
from tests.support.modules import make_buyer, make_grant, make_module, make_token

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def module(db):
    return make_module(access_days=30)


@pytest.fixture
def purchase(learner, module):
    return make_buyer(learner, module)


@pytest.fixture
def member(learner, module):
    """Has subscribed to a plan that opens all modules, a month ago: that is no news to anybody."""
    row = make_member(user=learner, started_at=NOON - timedelta(days=30))
    follow_subscriptions_again([row.pk], source="test", at=NOON)
    return row


@pytest.fixture
def token(learner, module):
    """By staff."""
    return make_token(learner, module)


@pytest.fixture
def bought_token(purchase):
    """Rests on the order."""
    return make_token(purchase.user, purchase.module, order=purchase.order)


@pytest.fixture
def granted_token(learner, module):
    """Rests on what staff gave."""
    return make_token(learner, module, grant=make_grant(learner, module))


@pytest.fixture
def everything(purchase, member, token, bought_token, granted_token):
    """One access of each kind, and of each kind of token."""
    return ModuleAccess.objects.all()


@pytest.fixture
def state():
    """What the accesses say, by id."""

    def read():
        return {row["id"]: row for row in ModuleAccess.objects.values()}

    return read
