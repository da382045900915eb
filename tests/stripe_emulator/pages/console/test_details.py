"""Pages of one object and one event, and the search."""

import pytest

from stripe_emulator.models import Delivery, DeliveryAttempt, Event


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
