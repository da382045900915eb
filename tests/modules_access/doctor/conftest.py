"""Somebody who has bought a module."""

import pytest

from tests.support.modules import make_buyer, make_learner, make_module


@pytest.fixture
def module(db):
    return make_module()


@pytest.fixture
def learner(db):
    return make_learner()


@pytest.fixture
def purchase(learner, module):
    return make_buyer(learner, module)
