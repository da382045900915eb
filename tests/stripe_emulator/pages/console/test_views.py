"""The one address that acts, and the pages of one object or event."""

import pytest
from django.urls import resolve

from stripe_emulator.models import Delivery, DeliveryAttempt, Event, StoredObject
from stripe_emulator.pages.console.actions import ACTIONS
from tests.support.console import Console

URLS = {"success_url": "http://127.0.0.1:8000/thanks"}
POTTERY = {"currency": "eur", "unit_amount": 4900, "product_data": {"name": "Pottery"}}


def data_of(id):
    return StoredObject.objects.get(stripe_id=id).data


class TestAct:
    def test_says_something_about_everything_that_it_can_do(self):
        resolve("/", urlconf="stripe_emulator.urls")  # the pages declare them
        assert len(ACTIONS) == 27
        assert all(str(action.done) for _kind, action in ACTIONS.values())

    @pytest.mark.parametrize(
        "do",
        [
            *(f"{name} nobody_1" for name, (kind, _action) in ACTIONS.items() if kind.name),
            "delivery.send 99999999999999999999999",
            "delivery.send ²",
            "session.pay \0",
            "no.such action",
            "",
        ],
    )
    def test_finds_nothing_under_other_ids_and_names(self, console, do):
        assert console.post("/act", {"do": do}).status_code == 404

    def test_asks_for_the_token_of_its_form(self, session):
        careful = Console(enforce_csrf_checks=True)

        answer = careful.post("/act", {"do": f"session.expire {session.id}"})

        assert answer.status_code == 403
        assert data_of(session.id)["status"] == "open"

    def test_goes_back_to_where_it_was(self, console, session):
        told = {"do": f"session.expire {session.id}", "next": f"/objects/{session.id}?done=session.pay"}

        answer = console.post("/act", told)

        assert answer.status_code == 303
        assert answer["Location"] == f"/objects/{session.id}?done=session.expire"

    @pytest.mark.parametrize("next", ["http://evil.example/", "//evil.example/", "/\\evil.example", "javascript:1"])
    def test_goes_back_to_no_other_site(self, console, session, next):
        answer = console.post("/act", {"do": f"session.expire {session.id}", "next": next})

        assert answer["Location"] == "/?done=session.expire#sessions"

    @pytest.mark.parametrize("query", ["done=Give+me+money", "refused=Give+me+money", "refused=Give:me:money"])
    def test_no_link_puts_words_into_its_mouth(self, console, query):
        page = console.read(f"/?{query}")

        assert "notice" not in page
        assert "money" not in page.replace("no money moves here", "")


class TestShowObject:
    def test_shows_escaped_json_with_its_events(self, console, stripe_api):
        customer = stripe_api.customers.create({"name": "</pre><script>alert(1)</script>"})

        page = console.read(f"/objects/{customer.id}")

        assert "&lt;/pre&gt;&lt;script&gt;alert(1)" in page
        assert "<script" not in page
        assert f'href="/events/{Event.objects.get().stripe_id}"' in page

    def test_links_the_ids_of_objects_that_are_there(self, console, stripe_api):
        product = stripe_api.products.create({"name": "Clay", "metadata": {"about": "price_nobodyknows"}})
        price = stripe_api.prices.create({"product": product.id, "currency": "eur", "unit_amount": 100})

        page = console.read(f"/objects/{price.id}")

        assert f'href="/objects/{product.id}"' in page
        assert "/objects/price_nobodyknows" not in console.read(f"/objects/{product.id}")

    def test_offers_what_the_object_can_still_become(self, console, stripe_api):
        endpoint = stripe_api.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})

        page = console.read(f"/objects/{endpoint.id}")

        assert f'value="endpoint.disable {endpoint.id}"' in page

    def test_keeps_the_secret_of_an_endpoint(self, console, stripe_api):
        endpoint = stripe_api.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})

        page = console.read(f"/objects/{endpoint.id}")

        assert endpoint.secret not in page

    def test_says_that_the_object_was_deleted(self, console, stripe_api):
        customer = stripe_api.customers.create({})
        stripe_api.customers.delete(customer.id)

        page = console.read(f"/objects/{customer.id}")

        assert "deleted" in page

    @pytest.mark.parametrize("id", ["cus_nobody", "%00", "x" * 5000])
    def test_finds_nothing_under_another_id(self, console, id):
        answer = console.get(f"/objects/{id}")

        assert answer.status_code == 404
        assert "No object, event or page has this id" in answer.content.decode()


class TestShowEvent:
    def test_shows_payload_deliveries_and_every_attempt(self, console, stripe_api):
        stripe_api.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
        customer = stripe_api.customers.create({"name": "Ada <i>"})
        delivery = Delivery.objects.get()
        for code in (503, 200):
            DeliveryAttempt.objects.create(
                delivery=delivery, sent_at="2027-01-15T08:00:00Z", seconds=0.25, status_code=code, answer=f"<b>{code}"
            )

        page = console.read(f"/events/{delivery.event.stripe_id}")

        assert "503 &lt;b&gt;503" in page
        assert "200 &lt;b&gt;200" in page
        assert "Ada &lt;i&gt;" in page
        assert f'href="/objects/{customer.id}"' in page

    def test_asks_a_fixed_number_of_questions(self, console, stripe_api, django_assert_max_num_queries):
        for _ in range(5):
            stripe_api.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
        stripe_api.customers.create({})
        for delivery in Delivery.objects.all():
            DeliveryAttempt.objects.create(delivery=delivery, sent_at="2027-01-15T08:00:00Z", seconds=1, error="gone")

        with django_assert_max_num_queries(12):
            page = console.read(f"/events/{Event.objects.get(type='customer.created').stripe_id}")

        assert page.count("gone") == 10

    @pytest.mark.parametrize("id", ["evt_nobody", "%00"])
    def test_finds_nothing_under_another_id(self, console, id):
        assert console.get(f"/events/{id}").status_code == 404


class TestSearch:
    def test_leads_to_objects_and_events(self, console, stripe_api):
        customer = stripe_api.customers.create({})
        event = Event.objects.get().stripe_id

        assert console.get("/search", data={"id": f" {customer.id} "})["Location"] == f"/objects/{customer.id}"
        assert console.get("/search", data={"id": event})["Location"] == f"/events/{event}"

    @pytest.mark.parametrize("id", ["", "cs_nobody", "<script>", "a/b", "\0", "x" * 5000])
    def test_finds_nothing_else(self, console, id):
        answer = console.get("/search", data={"id": id})

        assert answer.status_code == 404
        assert "<script>" not in answer.content.decode()
