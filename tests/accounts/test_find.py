"""One search box for everything: straight to what is called so, or all that it leads to."""

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from payments.admin.kit.display import page_of
from tests.support.factories import RegistrationFactory, UserFactory, make_staff

pytestmark = pytest.mark.django_db
FIND = reverse("admin:find")


@pytest.fixture
def registration():
    return RegistrationFactory(name="Camille Martin", email="camille@example.com", external_id="old-17")


@pytest.fixture
def page(client):
    client.force_login(make_staff())
    return client


@pytest.fixture
def clerks_page(client):
    """Sees orders, and nothing else."""
    clerk = UserFactory(is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_order"))
    client.force_login(clerk)
    return client


def find(client, term):
    return client.get(FIND, {"q": term}, headers={"accept-language": "en"})


class TestFind:
    def test_opens_the_order_of_this_number(self, page, registration):
        assert find(page, f" {registration.order.number.lower()} ").url == page_of(registration.order)

    @pytest.mark.parametrize("name", ["public_id", "external_id"])
    def test_opens_the_registration_that_is_called_so(self, page, registration, name):
        assert find(page, str(getattr(registration, name))).url == page_of(registration)

    @pytest.mark.parametrize("term", ["Camille@example.com", "camille"])
    def test_has_diagnosed_what_goes_by_an_address_or_a_name(self, page, registration, term):
        answer = find(page, term)

        assert answer.url == f"{reverse('admin:diagnose')}?{urlencode({'q': term})}"
        assert page_of(registration.order) in page.get(answer.url).content.decode()

    def test_shows_to_who_may_not_diagnose_all_to_which_an_address_leads(self, clerks_page, registration):
        RegistrationFactory(email=registration.email)

        found = find(clerks_page, "Camille@example.com").content.decode()

        assert found.count("/admin/payments/order/") >= 2

    def test_keeps_to_what_one_may_see(self, clerks_page, registration):
        assert find(clerks_page, registration.email).url == page_of(registration.order)
        assert find(clerks_page, "old-17").url == page_of(registration.order)

    def test_costs_a_few_queries(self, page, registration, django_assert_max_num_queries):
        with django_assert_max_num_queries(12):
            find(page, registration.email)

    @pytest.mark.parametrize("term", ["", "nobody", "%", "O-99999999999999999999", "x" * 1000])
    def test_says_so_where_nothing_is_called_so(self, page, term):
        assert find(page, term).status_code == 200

    @pytest.mark.parametrize(
        "term", ["nobody@example.com", "evt_1", "O-000009", "b7a0d2c5-0f5c-4b1c-9f43-1f2cf1d8a111"]
    )
    def test_leads_with_an_id_that_nobody_knows_to_where_stripe_can_be_asked(self, page, term):
        told = page.get(find(page, term).url, headers={"accept-language": "en"}).content.decode()

        assert "Nothing here" in told
        assert "Ask Stripe" in told

    def test_asks_the_finder_before_it_lists(self, page, registration, monkeypatch):
        # In its own attributes: `site` is a lazy object, of which pytest restores what the class has.
        monkeypatch.setitem(vars(site._wrapped), "finder", lambda _request, term: HttpResponse(f"all about {term}"))

        assert find(page, registration.email).content == b"all about camille@example.com"

    def test_is_for_staff_only(self, client):
        client.force_login(UserFactory())

        assert find(client, "O-000001").status_code == 302
