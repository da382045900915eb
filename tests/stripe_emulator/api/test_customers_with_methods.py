"""Customers and the ways to pay that they keep, through the official client."""

from tests.support.emulator import official_client, refusal_of

OLDER = "2023-10-16"


class TestCustomersWithMethods:
    def test_bring_their_default(self, stripe_api):
        settings = {"default_payment_method": "pm_card_visa"}

        customer = stripe_api.customers.create({"payment_method": "pm_card_visa", "invoice_settings": settings})

        (method,) = stripe_api.payment_methods.list({"customer": customer.id}).data
        assert customer.invoice_settings.default_payment_method == method.id

    def test_bring_a_source_the_old_way(self, stripe_api):
        customer = stripe_api.customers.create({"source": "tok_visa"})

        (method,) = stripe_api.payment_methods.list({"customer": customer.id}).data
        assert (customer.default_source, customer.invoice_settings.default_payment_method) == (method.id, method.id)

    def test_do_not_come_with_a_card_that_is_declined(self, stripe_api):
        refusal = refusal_of(stripe_api.customers.create, {"source": "tok_chargeDeclined"})

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

    def test_take_a_source_of_older_versions(self, db):
        older = official_client(version=OLDER).v1
        customer = older.customers.create({})

        source = older.customers.payment_sources.create(customer.id, {"source": "tok_visa"})
        refusal = refusal_of(older.customers.payment_sources.create, customer.id, {})

        assert (source.object, source.last4) == ("card", "4242")
        assert older.customers.retrieve(customer.id).default_source == source.id
        assert refusal.code == "parameter_missing"
