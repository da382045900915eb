"""What the events of a customer say."""

import pytest

from payments.facts import CustomerFact, NoFacts
from payments.stripe_api.snapshots import StripeCustomer
from tests.support.stripe_objects import NOON, told_by
from tests.support.subscriptions import customer_object

PERSON = StripeCustomer.read(customer_object())


@pytest.mark.parametrize("word", ["created", "updated"])
class TestLiving:
    def test_tells_who_they_are(self, word):
        assert told_by(f"customer.{word}", customer_object()) == [PERSON.to_fact(at=NOON)]


class TestDeleted:
    def test_tells_that_they_are_gone(self):
        [fact] = told_by("customer.deleted", customer_object())

        assert isinstance(fact, CustomerFact)
        assert (fact.refs.customer, fact.is_deleted) == ("cus_1", True)


class TestCardSaved:
    def test_pays_nothing(self):
        saved = {"id": "seti_1", "object": "setup_intent", "status": "succeeded"}

        assert told_by("setup_intent.succeeded", saved) == [NoFacts("a card was saved for later; that pays nothing")]
