"""Every page on which staff work: no barrier in either theme, nothing wider than the screen, no complaint.

Beside `tests/browser`, not in it: a thread of this process serves the pages, and what a test commits is emptied again.
"""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.staff_site import PAGES
from payments.billing.models import Plan
from payments.orders.models import Order
from tests.browser.examination import glance
from tests.browser.test_standing import without_refresh
from tests.support.deep import DEEP

pytestmark = pytest.mark.browser
# What is made on a form.
ADDED = {
    "accounts.user", "auth.group", "modules_access.accesstoken", "modules_access.module", "modules_access.moduleaccess",
    "modules_access.servicekey", "payments.heldtype", "payments.incident", "payments.plan",
    "registrations.activity",
}  # fmt: skip


def addresses() -> Iterator[str]:
    """Lists, rows, forms and pages of our own: whatever has an address."""
    yield from (reverse(f"admin:{page.name}") for page in PAGES if "<" not in page.route)
    yield from (reverse(f"admin:{name}") for name in ("index", "find", "password_change", "modules_access_figures"))
    yield reverse("admin:modules_access_doctor") + "?user=learner@example.com"
    yield reverse("admin:modules_access_paid_without")
    yield from (f"{reverse('admin:find')}?q={term}" for term in ("ada@example.com", "nothing"))
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        if row := model._default_manager.first():
            yield reverse(f"{name}_change", args=[row.pk])
        if model._meta.label_lower in ADDED:
            yield reverse(f"{name}_add")
    yield reverse("admin:payments_plan_delete", args=[Plan.objects.latest("pk").pk])
    yield reverse("admin:payments_order_history", args=[Order.objects.latest("pk").pk])


class TestStaffPages:
    def test_have_no_barrier_and_fit_every_screen(self, page, url):
        troubles = []
        page.route("**/payments/replayrun/*/change/", without_refresh)
        page.route("**/payments/incident/*/change/", without_refresh)
        for number, address in enumerate(dict.fromkeys(addresses())):
            page.goto(url + address)
            schemes = ("light", "dark") if DEEP else (("light", "dark")[number % 2],)
            troubles += [f"{address}: {trouble}" for trouble in glance(page, schemes=schemes)]

        assert troubles == [], "\n".join(troubles)

    def test_that_ask_first_have_none_either(self, page, url):
        page.goto(url + reverse("admin:payments_order_change", args=[Order.objects.latest("pk").pk]))

        page.locator(".object-tools button").first.click()

        assert glance(page) == []

    def test_of_strangers_have_none_either(self, browser, url, transactional_db):
        page = browser.new_page()
        page.goto(url + reverse("admin:login"))

        troubles = glance(page)

        assert troubles == [], "\n".join(troubles)
