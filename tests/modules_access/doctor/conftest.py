"""Somebody who has bought a module."""

import pytest

from tests.support.modules import make_buyer


@pytest.fixture
def purchase(learner, module):
    return make_buyer(learner, module)
