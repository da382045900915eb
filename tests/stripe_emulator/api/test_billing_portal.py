import pytest
import stripe

from stripe_emulator.models import StoredObject
from tests.support.emulator import refusal_of
from tests.support.stripe_shapes import assert_pinned_shape


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
