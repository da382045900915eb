import pytest

from payments.operations.subscribing import NoCustomer, open_portal
from stripe_emulator.models import StoredObject


class TestOpenPortal:
    def test_leads_the_customer_in_and_back(self, ada, subscribed):
        url = open_portal(user=ada, return_path="/account/", language="fr")

        session = StoredObject.objects.get(kind="billing_portal.session").data
        assert session["url"] == url
        assert session["customer"] == ada.customers.get().stripe_id
        assert (session["return_url"].endswith("/account/"), session["locale"]) == (True, "fr")

    def test_is_still_open_to_who_has_canceled(self, ada, subscribed, stripe_api):
        stripe_api.subscriptions.cancel(subscribed)

        assert open_portal(user=ada, return_path="/account/", language="fr")

    def test_is_not_there_for_who_never_subscribed(self, ada):
        with pytest.raises(NoCustomer):
            open_portal(user=ada, return_path="/account/", language="fr")
