"""Something is broken; staff are told what, and heal it by a button."""

from collections.abc import Iterator
from itertools import count

import pytest
from django.urls import reverse

from modules_access.models import Module, ModuleAccess
from tests.browser.learner import Learner
from tests.browser.staff import Staff
from tests.support.modules import make_module

_numbers = count(1)


@pytest.fixture
def module(db, site) -> Iterator[Module]:
    slug = f"glaze-{next(_numbers)}"
    row = make_module(slug, title=slug.upper(), url=f"{site.url}/demo/module/{slug}/")
    yield row
    Module.objects.filter(pk=row.pk).update(is_on_sale=False)


@pytest.fixture
def learner(enter) -> Learner:
    """Signed in."""
    learner = enter(Learner)
    learner.signs_in()
    return learner


@pytest.fixture
def staff(enter, language) -> Staff:
    """Signed in, and reads the same language."""
    staff = enter(Staff, language=language)
    staff.signs_in()
    return staff


class TestWhyNoAccess:
    def test_names_the_broken_link_and_the_button_heals_it(self, learner, staff, module):
        learner.buys_module(module)
        ModuleAccess.objects.filter(user=learner.user).delete()
        learner.open("/encours/")
        assert not learner.open_button(module).is_visible()

        staff.open(f"{reverse('admin:modules_access_doctor')}?user={learner.email}&module={module.slug}")
        staff.reads("The first broken link: %(name)s.", name=staff.in_context("link of a chain", "Access"))
        staff.press("Repair…")
        staff.page.locator("[name=reason]").fill("She called")
        staff.press("Apply these changes")

        staff.page.locator(".messagelist .success").wait_for()
        learner.open("/encours/")
        learner.open_button(module).wait_for()
        learner.comes_in(module)
