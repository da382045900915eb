"""How a customer is read."""

import pytest

from payments.facts import CustomerFact, ObjectRefs
from payments.stripe_api.snapshots import MalformedObject, StripeCustomer
from payments.stripe_api.snapshots.checkout import read_place
from tests.support.subscriptions import NOON, customer_object


class TestTold:
    def test_tells_who_they_are_and_where_they_live(self):
        fact = StripeCustomer.read(customer_object()).to_fact(at=NOON)

        assert fact == CustomerFact(
            ObjectRefs(customer="cus_1"), NOON, email="ada@example.com", name="Ada Lovelace", city="Lyon", country="FR"
        )

    def test_knows_who_is_gone_by_the_stub_that_stripe_leaves(self):
        fact = StripeCustomer.read({"id": "cus_1", "object": "customer", "deleted": True}).to_fact(at=NOON)

        assert (fact.is_deleted, fact.email, fact.city) == (True, "", "")

    @pytest.mark.parametrize("odd", [None, 7, [], {"x": 1}])
    def test_leaves_out_what_is_no_text(self, odd):
        fact = StripeCustomer.read(customer_object(email=odd, name=odd, address=odd)).to_fact(at=NOON)

        assert (fact.email, fact.name, fact.city, fact.country) == ("", "", "", "")

    @pytest.mark.parametrize("odd", [None, "", 7, "c" * 256])
    def test_refuses_an_object_without_an_id(self, odd):
        with pytest.raises(MalformedObject):
            StripeCustomer.read(customer_object(id=odd))


class TestReadPlace:
    def test_fits_into_our_columns(self):
        assert read_place({"city": f" {'L' * 300}", "country": "FRANCE"}) == ("L" * 200, "FR")

    def test_is_empty_where_nothing_is_told(self):
        assert read_place({}) == ("", "")
