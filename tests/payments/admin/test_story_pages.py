"""The pages that tell a story: what they show to whom, in how many queries, and what Stripe says on demand."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from payments.billing.models import Customer, Subscription
from payments.effects.deliver import deliver_all
from payments.effects.models import Effect
from payments.orders.models import Order
from payments.resync import Resynced
from payments.stripe_api.gateway import GatewayUnavailable
from payments.timeline import at_stripe
from tests.support.factories import UserFactory
from tests.support.modules import make_buyer, make_grant, make_learner, make_module
from tests.support.pages import text_of
from tests.support.road import NOON, event_of, hear
from tests.support.subscriptions import make_customer

MOST_QUERIES = 12


def address(row, page="change"):
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=[row.pk])


def person_page(user):
    return reverse("admin:person", args=[user.pk])


@pytest.fixture
def reader(client):
    """A browser of staff with only these rights; called with "view_order"."""

    def sign_in(*codenames):
        user = UserFactory(is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
        return client

    return sign_in


@pytest.fixture
def subscriber(subscription):
    """Ada, with an account that bought a module and was given another."""
    ada = make_learner("ada@example.com", name="Ada")
    subscription.customer.user = ada
    subscription.customer.save()
    make_buyer(ada, make_module())
    make_grant(ada, make_module("glazing", title="Glazing"))
    return ada


class TestOrderPage:
    def test_says_how_it_stands_and_has_no_section_that_is_empty(self, page, registration):
        hear(event_of(registration, "checkout.session.completed"))

        answer = page.get(address(registration.order))

        told = text_of(answer)
        assert "Paid €49.00." in told
        assert "Stripe Checkout was completed. The order is paid. €49.00 received." in told
        assert [table.title for table in answer.context["tables"]] == ["Payments"]
        assert all(value for _name, value in answer.context["facts"])

    def test_shows_a_mail_as_it_was_sent_on_demand(self, page, registration):
        hear(event_of(registration, "checkout.session.completed"))
        deliver_all(clock=lambda: NOON + timedelta(hours=2))

        content = page.get(address(registration.order)).content.decode()

        assert "<details><summary>Votre place est confirmée\N{NO-BREAK SPACE}: Pottery</summary>" in content
        assert "/r/" not in Effect.objects.get(kind="registration.confirmed").sent["text"]

    def test_tells_nothing_of_rows_that_somebody_may_not_see(self, reader, order):
        told = text_of(reader("view_order").get(address(order)))

        assert "Paid" in told
        assert not [word for word in ("evt_", "Camille Martin", "Sent to", "Refund of", "Paid without") if word in told]

    def test_links_events_to_who_may_see_them(self, reader, order):
        event = order.events.get(type="checkout.session.completed")
        client = reader("view_order", "view_orderchange")
        assert event.stripe_event_id not in client.get(address(order)).content.decode()

        client = reader("view_order", "view_orderchange", "view_paymentevent")
        assert address(event) in client.get(address(order)).content.decode()


@pytest.mark.parametrize("rights", [(), ("everything",)], ids=["superuser", "by rights"])
class TestQueries:
    def count(self, client, where):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(where).status_code == 200
        return len(queries), [query["sql"][:150] for query in queries]

    def browser(self, page, client, rights):
        if not rights:
            return page
        user = UserFactory(is_staff=True)
        user.user_permissions.set(Permission.objects.all())
        client.force_login(user)
        return client

    def test_are_few_however_much_there_is(self, page, client, rights, order, subscriber):
        ContentType.objects.get_for_models(Order, Subscription, Customer, User)  # each process asks once
        browser = self.browser(page, client, rights)
        module_order = subscriber.orders.get()
        subscription = subscriber.customers.get().subscriptions.get()

        pages = [address(order), address(module_order), address(subscription), person_page(subscriber)]
        for where in [*pages, address(subscriber.customers.get())]:
            number, told = self.count(browser, where)
            assert number <= MOST_QUERIES, (where, told)


class TestAtStripe:
    @pytest.fixture
    def says(self, monkeypatch):
        """`says(changes)`: so it differs at Stripe."""

        def answer(*changes, **more):
            monkeypatch.setattr(
                at_stripe, "resync_order", lambda row, options: Resynced(row.number, [*changes], **more)
            )

        return answer

    def test_is_asked_only_on_demand(self, page, registration, monkeypatch):
        monkeypatch.setattr(at_stripe, "resync_order", None)

        assert "Ask Stripe what it says now" in text_of(page.get(address(registration.order)))

    def test_marks_what_differs(self, page, registration, says):
        says(("status", "PENDING", "PAID"), ("amount_received", "0", "4900"), missing=["pi_9"])

        told = text_of(page.get(address(registration.order), {"stripe": "now"}))

        assert "2 values differ." in told
        assert "Status Waiting for payment ≠ Paid" in told
        assert "Refunded €0.00 = €0.00" in told
        assert "Stripe does not know pi_9." in told

    def test_that_does_not_answer_leaves_the_page_as_it_is(self, page, registration, monkeypatch):
        def silent(_row, options):
            raise GatewayUnavailable("no answer")

        monkeypatch.setattr(at_stripe, "resync_order", silent)

        told = text_of(page.get(address(registration.order), {"stripe": "now"}))

        assert "Stripe does not answer at the moment. What stands on this page is what we know." in told
        assert "Waiting for the payment of €49.00." in told

    def test_is_not_asked_without_the_right(self, reader, registration, monkeypatch):
        monkeypatch.setattr(at_stripe, "resync_order", None)

        told = text_of(reader("view_order").get(address(registration.order), {"stripe": "now"}))

        assert "At Stripe" not in told


class TestPersonPage:
    def test_tells_all_that_they_have(self, page, subscriber):
        told = text_of(page.get(person_page(subscriber)))

        assert told.count("Premium (Active, €4.00 a month") == 1 or "(Active, €4.00 a month" in told
        for words in (
            "1 order",
            "cus_ada",
            "sub_ada",
            "Drawing",
            "Glazing",
            "Gave access to Glazing.",
            "Sync this person",
        ):
            assert words in told, words

    def test_leads_to_the_account_and_back(self, page, subscriber):
        assert address(subscriber) in page.get(person_page(subscriber)).content.decode()
        assert person_page(subscriber) in page.get(address(subscriber)).content.decode()
        assert person_page(subscriber) in page.get(reverse("admin:accounts_user_changelist")).content.decode()

    def test_is_for_who_may_see_people_and_tells_only_what_else_they_may_see(self, reader, subscriber):
        assert reader("view_order").get(person_page(subscriber)).status_code == 403

        told = text_of(reader("view_user", "view_personal_data").get(person_page(subscriber)))

        assert "ada@example.com" in told
        assert not [word for word in ("Drawing", "sub_ada", "cus_ada", "€", "Sync") if word in told]

    def test_of_nobody_is_not_there(self, page):
        assert page.get(reverse("admin:person", args=[10**9])).status_code == 404

    def test_of_a_customer_without_account_tells_what_was_ordered_with_their_address(self, page, registration):
        customer = make_customer("cus_guest", email=registration.email)

        told = text_of(page.get(address(customer)))

        assert registration.order.number in told
        assert "Camille Martin registered for Pottery." in told
