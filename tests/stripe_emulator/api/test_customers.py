"""Customers through the official client."""

import pytest
import stripe

from stripe_emulator.models import Event, StoredObject
from tests.support.emulator import official_client, refusal_of
from tests.support.stripe_shapes import assert_pinned_shape


class TestCustomers:
    def test_keep_what_was_given(self, stripe_api):
        made = stripe_api.customers.create({"email": "a@example.com", "metadata": {"userId": "7"}})

        found = stripe_api.customers.retrieve(made.id)

        assert found.email == "a@example.com"
        assert found.metadata["userId"] == "7"

    def test_tell_each_change_with_what_was_different(self, stripe_api):
        customer = stripe_api.customers.create({"email": "a@example.com"})

        stripe_api.customers.update(customer.id, {"email": "b@example.com"})

        created, updated = Event.objects.order_by("number")
        assert (created.type, updated.type) == ("customer.created", "customer.updated")
        assert updated.previous == {"email": "a@example.com"}

    def test_that_are_deleted_leave_a_stub(self, stripe_api):
        customer = stripe_api.customers.create({})

        stripe_api.customers.delete(customer.id)

        assert stripe_api.customers.retrieve(customer.id).deleted is True
        assert stripe_api.customers.list({}).data == []

    def test_are_listed_in_pages(self, stripe_api):
        made = [stripe_api.customers.create({}).id for _ in range(5)]

        forwards = [each.id for each in stripe_api.customers.list({"limit": 2}).auto_paging_iter()]

        assert forwards == made[::-1]

    def test_unknown_parameters_are_refused_under_the_pinned_version_only(self, stripe_api):
        refusal = refusal_of(stripe_api.customers.create, {"shoe_size": 42})

        assert isinstance(refusal, stripe.InvalidRequestError)
        assert (refusal.code, refusal.param) == ("parameter_unknown", "shoe_size")
        assert official_client(version="2023-10-16").v1.customers.create({"shoe_size": 42}).id

    @pytest.mark.parametrize("key", ["sk_test_of_somebody_else", "sk_live_123456789012"])
    def test_another_key_opens_nothing(self, db, key):
        refusal = refusal_of(official_client(key=key).v1.customers.create, {})

        assert isinstance(refusal, stripe.AuthenticationError)

    def test_the_same_key_gives_the_same_answer(self, stripe_api):
        first = stripe_api.customers.create({"name": "Ada"}, {"idempotency_key": "k1"})
        again = stripe_api.customers.create({"name": "Ada"}, {"idempotency_key": "k1"})
        other = refusal_of(stripe_api.customers.create, {"name": "Bob"}, {"idempotency_key": "k1"})

        assert again.id == first.id
        assert again.last_response.headers["Idempotent-Replayed"] == "true"
        assert isinstance(other, stripe.IdempotencyError)

    def test_have_complete_addresses_that_can_be_removed(self, stripe_api):
        address = {"city": "Lyon", "line2": ""}

        made = stripe_api.customers.create({"address": address, "shipping": {"name": "Ada", "address": address}})
        emptied = stripe_api.customers.update(made.id, {"address": "", "shipping": ""})

        assert (made.address.city, made.address.line1, made.address.line2) == ("Lyon", None, None)
        assert (made.shipping.name, made.shipping.carrier, made.shipping.address.city) == ("Ada", None, "Lyon")
        assert (emptied.address, emptied.shipping) == (None, None)

    def test_that_stay_as_they_are_tell_nothing(self, stripe_api):
        customer = stripe_api.customers.create({"name": "Ada"})

        stripe_api.customers.update(customer.id, {"name": "Ada"})

        assert not Event.objects.filter(type="customer.updated").exists()


class TestCustomersWithMethods:
    def test_bring_their_default(self, stripe_api):
        settings = {"default_payment_method": "pm_card_visa"}

        customer = stripe_api.customers.create({"payment_method": "pm_card_visa", "invoice_settings": settings})

        (method,) = stripe_api.payment_methods.list({"customer": customer.id}).data
        assert customer.invoice_settings.default_payment_method == method.id

    def test_do_not_come_with_a_card_that_is_declined(self, stripe_api):
        refusal = refusal_of(stripe_api.customers.create, {"payment_method": "pm_card_chargeDeclined"})

        assert refusal.code == "card_declined"
        assert stripe_api.customers.list({}).data == []

    def test_change_their_default(self, stripe_api):
        customer = stripe_api.customers.create({})
        method = stripe_api.payment_methods.attach("pm_card_visa", {"customer": customer.id})

        stripe_api.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})
        updated = stripe_api.customers.update(customer.id, {"name": "Ada"})

        assert updated.invoice_settings.default_payment_method == method.id

    def test_cannot_choose_what_is_not_theirs(self, stripe_api):
        customer = stripe_api.customers.create({})
        stray = stripe_api.payment_methods.retrieve("pm_card_visa")

        refusal = refusal_of(
            stripe_api.customers.update, customer.id, {"invoice_settings": {"default_payment_method": stray.id}}
        )

        assert refusal.param == "invoice_settings[default_payment_method]"


class TestCreate:
    def test_has_the_fields_that_the_client_knows(self, stripe_api, customer):
        session = stripe_api.billing_portal.sessions.create(
            {"customer": customer.id, "return_url": "https://s.example/"}
        )

        assert_pinned_shape(StoredObject.objects.get(stripe_id=session.id).data, stripe.billing_portal.Session)
        assert session.url.endswith(f"/portal/{session.id}")

    @pytest.mark.parametrize(
        ("params", "param"),
        [({}, "customer"), ({"customer": "cus_unknown"}, "customer"), ({"configuration": "bpc_1"}, "configuration")],
    )
    def test_is_refused(self, stripe_api, params, param):
        assert refusal_of(stripe_api.billing_portal.sessions.create, params).error.param == param
