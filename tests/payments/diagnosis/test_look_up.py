"""Whatever people paste, its rows are found, and by an index."""

import pytest

from payments.billing.models import Dispute, Receipt, Refund
from payments.diagnosis import look_up
from payments.ledger.models import Redelivery
from registrations.models import Registration
from tests.payments.diagnosis.conftest import SESSION, make_event
from tests.support.factories import NOON, RegistrationFactory, UserFactory
from tests.support.modules import make_buyer, make_learner, make_module, make_token
from tests.support.subscriptions import make_customer, make_subscription

pytestmark = pytest.mark.django_db
STRIPES = ("pi_2", "ch_2", "in_2")


@pytest.fixture
def registration(paid):
    """Imported; its event came twice; part of it went back and is disputed."""
    row = Registration.objects.get(order=paid)
    row.external_id = "reg-7"
    row.save()
    money = {"order": paid, "payment": "pi_1", "amount": 100, "currency": "eur", "status_at": NOON}
    Refund.objects.create(stripe_id="re_1", status="pending", **money)
    Dispute.objects.create(stripe_id="du_1", status="won", phase=2, **money)
    Receipt.objects.create(number=3, order=paid, issued_at=NOON)
    for name in STRIPES:
        paid.references.create(name=name)
    event = make_event(paid, stripe_event_id="evt_own", request_id="request-1", mentions=["py_3"])
    Redelivery.objects.create(event=event, request_id="request-2", received_at=NOON)
    return row


class TestLookUp:
    @pytest.mark.parametrize(
        "text",
        [
            "O-{order.pk}", " o-{order.pk:012d} ", "{order.public_id}", "R-000003", "{row.public_id}", "reg-7",
            "{row.public_id.hex}", SESSION, *STRIPES, "re_1", "du_1", "evt_own", "py_3", "request-1", "request-2",
            "camille@example.com", "CAMILLE@example.com", "camille mar",
        ],
    )  # fmt: skip
    def test_finds_the_order_by_every_name_of_it(self, registration, text):
        named = look_up(text.format(order=registration.order, row=registration))

        assert named.orders == [registration.order]

    def test_finds_a_registration_by_the_address_that_was_corrected(self, registration):
        Registration.objects.update(email="new@example.com")

        assert look_up("new@example.com").orders == [registration.order]

    @pytest.mark.parametrize("text", ["sub_1", "cus_1", "ada@example.com", "Lovelace"])
    def test_finds_a_subscription_s_person(self, text):
        customer = make_customer(email="ada@example.com", name="Ada Lovelace")
        row = make_subscription(customer=customer)

        named = look_up(text)

        assert customer in named.customers or named.subscriptions == [row]

    def test_finds_access_and_token_of_a_module(self):
        user, module = make_learner(), make_module()
        order = make_buyer(user, module).order
        token = make_token(user, module)
        access = order.module_accesses.get()

        assert (look_up(access.number).rows, look_up(access.number).orders) == ([access], [order])
        assert [look_up(text).rows for text in (token.prefix, str(token.jti))] == [[token], [token]]
        assert look_up(token.prefix).users == [user]

    def test_lets_one_choose_where_several_people_have_such_a_name(self):
        people = [UserFactory(name="Ada Lovelace"), UserFactory(name="Ada Byron")]
        guest = RegistrationFactory(name="Adam", email="adam@example.com")

        named = look_up("ada")

        assert {row.email for row in named.choices} == {*(row.email for row in people), guest.email}
        assert named.orders == []
