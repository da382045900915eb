"""The staff's site: pages of our own, and the menu of all that one may open."""

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import RequestFactory

from accounts import staff_site
from accounts.menu import MOST_COUNTED, count_waiting
from accounts.models import User
from accounts.staff_site import Job, StaffScreen, staff_context, staff_page
from tests.support.factories import UserFactory, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def figures(monkeypatch):
    """The one page of our own: it needs a right, and counts what waits."""
    pages = []
    monkeypatch.setattr(staff_site, "PAGES", pages)

    @staff_page(
        "", name="index", title="Figures", job=Job.DASHBOARD, permission="accounts.view_user", count=lambda _request: 3
    )
    def view(request):
        return HttpResponse("3 people")

    return pages[0]


@pytest.fixture
def clerk():
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_order"))
    return user


def asked_by(user, address="/admin/"):
    request = RequestFactory().get(address)
    request.user = user
    return request


def menu_of(user, address="/admin/"):
    """What each job holds, as it reads."""
    menu = staff_context(asked_by(user, address), title="")["menu"]
    return {section.job: [f"{each.name} {each.count_text}".strip() for each in section.entries] for section in menu}


class TestStaffPage:
    def test_stands_in_the_menu_with_its_count(self, figures):
        assert menu_of(make_staff())[Job.DASHBOARD][0] == "Figures 3"

    def test_answers_at_its_address_before_djangos_own_pages(self, figures):
        assert site.get_urls()[0].resolve("").func(asked_by(make_staff())).content == b"3 people"

    def test_is_hidden_from_and_refused_to_whoever_lacks_the_right(self, figures, clerk):
        assert menu_of(clerk) == {Job.ORDERS: ["Orders"]}
        with pytest.raises(PermissionDenied):
            figures.view(asked_by(clerk))


class TestMenu:
    def test_has_a_place_for_every_screen(self):
        assert [type(each).__name__ for each in site._registry.values() if not hasattr(each, "job")] == []

    def test_stands_in_the_order_of_the_jobs(self, figures):
        assert list(menu_of(make_staff())) == [job for job in Job if job in menu_of(make_staff())]

    def test_knows_where_one_is(self, clerk):
        context = staff_context(asked_by(clerk, "/admin/payments/order/7/change/"), title="")

        assert context["trail"] == [("/admin/payments/order/", "Orders")]
        assert [section.job for section in context["menu"] if section.is_current] == [Job.ORDERS]

    def test_is_not_there_for_strangers(self):
        assert menu_of(User()) == {}


class TestCountWaiting:
    def test_counts_all_in_one_query_and_stops_early(self, monkeypatch, django_assert_num_queries):
        UserFactory.create_batch(3, is_staff=True)
        monkeypatch.setattr("accounts.menu.MOST_COUNTED", 1)

        with django_assert_num_queries(1):
            counts = count_waiting(
                {"staff": User.objects.filter(is_staff=True), "all": User.objects.filter(name="nobody"), "x": None}
            )

        assert counts == {"staff": 2}

    def test_reads_as_many_where_it_stopped(self, monkeypatch):
        UserFactory.create_batch(MOST_COUNTED + 1)
        monkeypatch.setattr(StaffScreen, "waiting_rows", lambda _self, _request: User.objects.all())

        assert "Orders 99+" in menu_of(make_staff())[Job.ORDERS]
