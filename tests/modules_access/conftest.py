"""A module, and somebody who may have it."""

import pytest

from accounts.models import User
from modules_access.models import Module
from tests.support.modules import make_learner, make_module


@pytest.fixture
def module(db: None) -> Module:
    return make_module()


@pytest.fixture
def learner(db: None) -> User:
    return make_learner()
