"""Who may see one screen sees nothing there of the rows of another: neither as rows, nor as links, nor as a number."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import reverse

from payments.billing.models import Customer
from payments.orders.models import OrderException
from registrations.models import WaitingEntry
from tests.support.factories import NOON, RegistrationFactory, UserFactory

pytestmark = pytest.mark.django_db
BUYER, WAITING = "camille@example.com", "zoe@example.com"


@pytest.fixture
def registration():
    """Somebody has registered, is a customer, and somebody else waits."""
    row = RegistrationFactory(name="Camille Martin", email=BUYER)
    WaitingEntry.objects.create(activity=row.activity, name="Zoé", email=WAITING, language="fr", created_at=NOON)
    Customer.objects.create(stripe_id="cus_1", email=BUYER)
    OrderException.objects.create(order=row.order, kind="AMOUNT_DIFFERS", subject="pi_1", opened_at=NOON)
    return row


@pytest.fixture
def reader(client):
    """A browser of staff with only these rights; called with "view_order"."""

    def sign_in(*codenames):
        user = UserFactory(is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        return client

    return sign_in


def pages(client, row):
    """The list on which the row stands, and its own page."""
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
    answers = client.get(reverse(f"{name}_changelist")), client.get(reverse(f"{name}_change", args=[row.pk]))
    assert [answer.status_code for answer in answers] == [200, 200]
    return "".join(answer.content.decode() for answer in answers)


class TestInlines:
    @pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model._meta.label_lower)
    def test_are_not_there_without_the_right_to_their_rows(self, model, rf):
        request, screen = rf.get("/"), admin.site._registry[model]
        request.user = UserFactory(is_staff=True)
        request.user.user_permissions.set(
            Permission.objects.filter(
                content_type__app_label=model._meta.app_label, content_type__model=model._meta.model_name
            )
        )

        shown = [inline.model for inline in screen.get_inline_instances(request)]

        assert set(shown) <= {model}


class TestActivity:
    def test_tells_nothing_of_registrations_and_of_who_waits(self, reader, registration):
        page = pages(reader("view_activity"), registration.activity)

        assert not [word for word in (WAITING, "Zoé", "1 held", "registrations/registration/") if word in page]

    def test_tells_them_who_may_see_them(self, reader, registration):
        page = pages(
            reader("view_activity", "view_registration", "view_waitingentry", "view_personal_data"),
            registration.activity,
        )

        assert WAITING in page
        assert f"registrations/registration/?activity__id__exact={registration.activity.pk}" in page


class TestCustomer:
    def test_tells_nothing_of_orders(self, reader, registration):
        page = pages(reader("view_customer"), Customer.objects.get())

        assert registration.order.number not in page
        assert "/payments/order/" not in page

    def test_tells_them_who_may_see_them(self, reader, registration):
        assert "/payments/order/" in pages(reader("view_customer", "view_order"), Customer.objects.get())


class TestRegistration:
    def test_tells_nothing_of_the_order(self, reader, registration):
        page = pages(reader("view_registration"), registration)

        assert not [word for word in (registration.order.number, registration.order.price) if word in page]


class TestOrder:
    def test_tells_nothing_of_what_it_bought(self, reader, registration):
        page = pages(reader("view_order"), registration.order)

        assert "registrations/registration/" not in page
        assert "Camille Martin" not in page

    def test_tells_it_who_may_see_it(self, reader, registration):
        assert "registrations/registration/" in pages(reader("view_order", "view_registration"), registration.order)


class TestException:
    def test_tells_nothing_of_the_order(self, reader, registration):
        page = pages(reader("view_orderexception"), OrderException.objects.get())

        assert registration.order.number not in page
