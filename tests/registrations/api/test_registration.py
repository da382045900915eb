from datetime import timedelta

import pytest

from payments.billing.models import Receipt
from payments.processing.drain import drain
from registrations.links import token_of
from registrations.models import Activity
from tests.registrations.api.conftest import code_of
from tests.support.fake_gateway import unavailable
from tests.support.road import NOON, event_of, hear, keep


@pytest.fixture
def address(registration):
    return f"/api/registrations/{token_of(registration)}/"


@pytest.fixture
def paid(registration):
    keep(event_of(registration, "checkout.session.completed"))
    drain(at=NOON)
    return registration


class TestState:
    def test_tells_how_it_stands(self, api, registration, address):
        told = api.get(address).json()

        assert told == {
            "status": "PENDING",
            "status_text": "Waiting for payment",
            "holds_place": True,
            "place_held_until": "2026-03-02T13:26:00+01:00",
            "paid_at": None,
            "amount": 4900,
            "amount_received": 0,
            "amount_refunded": 0,
            "currency": "eur",
            "activity": {
                "slug": "pottery",
                "title": "Pottery",
                "starts_at": "2026-04-01T14:00:00+02:00",
                "place": "",
                "called_off_at": None,
            },
            "receipt_number": None,
        }

    def test_tells_money_of_another_currency_for_itself(self, api, registration, address):
        dollars = {"payment_intent": "pi_usd", "charge": "ch_usd", "session": "", "currency": "usd"}
        hear(event_of(registration, "payment_intent.succeeded", subject=dollars, amount=3000))

        told = api.get(address).json()

        assert told["amount_received"] == 0
        assert told["other_money"] == [{"currency": "usd", "amount_received": 3000, "amount_refunded": 0}]

    def test_tells_of_the_payment_and_its_receipt(self, api, paid, address):
        Receipt.objects.update_or_create(order=paid.order, defaults={"number": 7, "issued_at": NOON})

        told = api.get(address, HTTP_ACCEPT_LANGUAGE="fr").json()

        assert (told["status"], told["amount_received"], told["receipt_number"]) == ("PAID", 4900, "R-000007")
        assert told["paid_at"]
        assert told["status_text"] == "Payé"

    def test_tells_that_the_place_was_given_up(self, api, given_up):
        told = api.get(f"/api/registrations/{token_of(given_up)}/").json()

        assert (told["status"], told["status_text"], told["holds_place"]) == ("CANCELED", "Canceled", False)
        assert told["place_held_until"] == "2026-03-02T13:00:00+01:00"

    @pytest.mark.parametrize("token", ["x", "a:b", "é", "x" * 5000])
    def test_is_told_to_nobody_without_its_token(self, api, registration, token):
        for address in (f"/api/registrations/{token}/", f"/api/registrations/{registration.public_id}/"):
            response = api.get(address)

            assert (response.status_code, code_of(response)) == (404, "not_found")


class TestCheckout:
    def test_gives_the_open_payment_page_again(self, api, stripe, address):
        first = api.post(f"{address}checkout/").json()

        again = api.post(f"{address}checkout/", {}).json()

        assert first["checkout_url"] == again["checkout_url"] == "https://pay.example/cs_test_1"
        assert first["token"] in address
        assert len(stripe.asked) == 1

    def test_refuses_what_is_paid(self, api, stripe, paid, address):
        response = api.post(f"{address}checkout/")

        assert (response.status_code, code_of(response), stripe.asked) == (409, "not_payable", [])

    def test_refuses_a_place_that_was_given_up(self, api, stripe, given_up):
        response = api.post(f"/api/registrations/{token_of(given_up)}/checkout/")

        assert (response.status_code, code_of(response), stripe.asked) == (409, "not_payable", [])

    @pytest.mark.parametrize("change", [{"called_off_at": NOON}, {"starts_at": NOON - timedelta(minutes=1)}])
    def test_refuses_what_will_not_take_place_or_is_over(self, api, stripe, address, change):
        Activity.objects.update(**change)

        response = api.post(f"{address}checkout/")

        assert (response.status_code, code_of(response), stripe.asked) == (409, "not_payable", [])

    def test_says_that_stripe_does_not_answer(self, api, stripe, registration, address):
        stripe.will(unavailable())

        response = api.post(f"{address}checkout/")

        assert (response.status_code, code_of(response)) == (503, "checkout_unavailable")

    def test_knows_no_fields(self, api, address):
        response = api.post(f"{address}checkout/", {"amount": 1})

        assert (response.status_code, list(response.json()["error"]["fields"])) == (400, ["amount"])

    def test_is_404_without_the_token(self, api, db):
        assert api.post("/api/registrations/x/checkout/").status_code == 404

    def test_cannot_be_read(self, api, address):
        assert api.get(f"{address}checkout/").status_code == 405
