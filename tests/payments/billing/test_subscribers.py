from datetime import UTC, datetime

import pytest

from accounts.hooks import join
from payments.apply.apply import apply
from payments.apply.batch import FactSet
from payments.billing.models import Customer
from payments.facts import CustomerFact, ObjectRefs
from payments.orders.models import Reference
from tests.support.factories import NOON, UserFactory

pytestmark = pytest.mark.django_db


def told(email: str, *, at: datetime = NOON) -> Customer:
    """A customer whom we know, of whom Stripe tells this address."""
    row = Customer.objects.get_or_create(stripe_id="cus_1")[0]
    Reference.objects.get_or_create(name="cus_1", defaults={"customer": row})
    fact = CustomerFact(ObjectRefs(customer="cus_1"), at, email=email)
    apply([FactSet([fact], source="evt_1", occurred_at=at)], at=at)
    row.refresh_from_db()
    return row


class TestJoinCustomers:
    def test_gives_a_confirmed_person_what_was_paid_with_their_address(self):
        row = told("ada@example.com")
        user = UserFactory(email="ada@example.com", email_confirmed_at=NOON)

        join(user, at=NOON)

        row.refresh_from_db()
        assert row.user == user

    def test_takes_nothing_from_somebody_else(self):
        other = UserFactory(email="other@example.com")
        row = told("ada@example.com")
        Customer.objects.update(user=other)

        join(UserFactory(email="ada@example.com", email_confirmed_at=NOON), at=NOON)

        row.refresh_from_db()
        assert row.user == other


class TestJoinConfirmed:
    def test_finds_the_account_when_the_address_is_told(self):
        user = UserFactory(email="ada@example.com", email_confirmed_at=NOON)

        assert told("Ada@example.com".lower()).user == user

    @pytest.mark.parametrize("fields", [{"email_confirmed_at": None}, {"is_active": False}], ids=str)
    def test_finds_nobody_who_has_not_shown_that_the_address_is_theirs(self, fields):
        UserFactory(email="ada@example.com", **{"email_confirmed_at": NOON, **fields})

        assert told("ada@example.com").user is None

    def test_leaves_a_customer_with_the_person_they_belong_to(self):
        user = UserFactory(email="ada@example.com", email_confirmed_at=NOON)
        told("ada@example.com")

        row = told("another@example.com", at=datetime(2026, 4, 1, tzinfo=UTC))

        assert (row.user, row.email) == (user, "another@example.com")
