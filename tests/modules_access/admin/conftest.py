"""Somebody who looks after modules."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from modules_access.models import ModuleAccess
from tests.support.factories import UserFactory, make_staff
from tests.support.modules import make_buyer


@pytest.fixture
def staff(db):
    return make_staff(email="staff@example.com")


@pytest.fixture
def page(staff):
    """The browser of a member of staff who may do everything."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(staff)
    return client


@pytest.fixture
def page_of(db):
    """The browser of a member of staff who has these rights only."""

    def sign_in(*codenames):
        user = UserFactory(is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client = Client(headers={"accept-language": "en"})
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def queries_of(page):
    """How many queries the page takes."""

    def count(address):
        page.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert page.get(address).status_code == 200
        return len(queries)

    return count


@pytest.fixture
def purchase(learner, module):
    return make_buyer(learner, module)


@pytest.fixture
def broken(purchase):
    """Paid, and the access is gone."""
    ModuleAccess.objects.filter(order=purchase.order).delete()
    return purchase
