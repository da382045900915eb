from datetime import timedelta

import pytest

from payments.checkout import open_checkout as actions_checkout
from payments.checkout.attempts import OrderNotPayable
from payments.statuses import OrderStatus
from payments.stripe_api import gateway as real_gateway
from registrations.models import WaitingEntry
from registrations.services.begin import begin
from registrations.services.checkout import CheckoutUnavailable, start_checkout
from tests.support.fake_gateway import FakeGateway, refused, unavailable
from tests.support.road import NOON, event_of, hear

pytestmark = pytest.mark.django_db


@pytest.fixture
def gateway(monkeypatch):
    """Stands where the real gateway does, for opening Checkout and for closing orders."""
    fake = FakeGateway()
    for name in ("create_checkout_session", "retrieve_checkout_session"):
        monkeypatch.setattr(actions_checkout, name, getattr(fake, name))
        monkeypatch.setattr(real_gateway, name, getattr(fake, name))
    return fake


def state(row) -> tuple[str, bool, int]:
    """Of the order, of the place, and of the counter."""
    row.refresh_from_db()
    row.activity.refresh_from_db()
    return row.order.status, row.holds_place, row.activity.places_taken


class TestStartCheckout:
    def test_gives_the_address_to_pay_at(self, gateway, registration):
        assert start_checkout(registration=registration, at=NOON) == "https://pay.example/cs_test_1"

    def test_gives_the_same_one_while_it_is_open(self, gateway, registration):
        start_checkout(registration=registration, at=NOON)

        again = start_checkout(registration=registration, at=NOON + timedelta(minutes=5))

        assert again == "https://pay.example/cs_test_1"
        assert len(gateway.asked) == 1

    def test_says_that_a_paid_order_has_nothing_to_pay(self, gateway, registration):
        hear(event_of(registration, "checkout.session.completed"))

        with pytest.raises(OrderNotPayable):
            start_checkout(registration=registration, at=NOON)


class TestStartCheckoutInTrouble:
    def test_gives_the_place_back_when_stripe_refuses(self, gateway, registration):
        gateway.will(refused())

        with pytest.raises(CheckoutUnavailable) as trouble:
            start_checkout(registration=registration, at=NOON)

        assert trouble.value.is_place_free
        assert state(registration) == (OrderStatus.CANCELED, False, 0)

    def test_lets_the_same_person_begin_again_afterwards(self, gateway, registration):
        gateway.will(refused())
        with pytest.raises(CheckoutUnavailable):
            start_checkout(registration=registration, at=NOON)

        person = {"name": registration.name, "email": registration.email, "language": "fr"}
        begun = begin(activity=registration.activity, at=NOON, **person)

        assert not begun.is_resumed
        assert start_checkout(registration=begun.registration, at=NOON).startswith("https://pay.example/")

    @pytest.mark.parametrize("was_made", [True, False])
    def test_keeps_the_place_while_a_session_may_have_been_opened(self, gateway, registration, was_made):
        gateway.will(unavailable(), after_doing=was_made)

        with pytest.raises(CheckoutUnavailable) as trouble:
            start_checkout(registration=registration, at=NOON)

        assert not trouble.value.is_place_free
        assert state(registration) == (OrderStatus.PENDING, True, 1)
        assert start_checkout(registration=registration, at=NOON) == "https://pay.example/cs_test_1"

    def test_keeps_the_place_when_the_open_session_cannot_be_asked_for(self, gateway, registration, monkeypatch):
        start_checkout(registration=registration, at=NOON)

        def down(**_call):
            raise unavailable()

        monkeypatch.setattr(actions_checkout, "retrieve_checkout_session", down)
        monkeypatch.setattr(real_gateway, "retrieve_checkout_session", down)

        with pytest.raises(CheckoutUnavailable) as trouble:
            start_checkout(registration=registration, at=NOON)

        assert not trouble.value.is_place_free
        assert state(registration) == (OrderStatus.PENDING, True, 1)

    def test_does_not_cost_anybody_the_place_that_was_offered_to_them(self, gateway, registration):
        WaitingEntry.objects.create(
            activity=registration.activity, name=registration.name, email=registration.email, language="fr",
            created_at=NOON, offered=registration,
        )  # fmt: skip
        gateway.will(refused())

        with pytest.raises(CheckoutUnavailable) as trouble:
            start_checkout(registration=registration, at=NOON)

        assert not trouble.value.is_place_free
        assert state(registration) == (OrderStatus.PENDING, True, 1)
