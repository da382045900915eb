"""Sessions and ways to pay for them."""

import pytest
import stripe

from tests.support.checkout_sessions import ADA, CARD
from tests.support.emulator import official_client


@pytest.fixture
def paying(db):
    """What the page answers to a try: the status and the body."""

    def pay(session, method=CARD, **more):
        path = f"/v1/payment_pages/{session}/confirm"
        try:
            answer = official_client().raw_request("post", path, payment_method=method, **more)
        except stripe.StripeError as refusal:
            return refusal.http_status, refusal.json_body
        return answer.code, answer.data

    return pay


@pytest.fixture
def debit(stripe_api):
    """A bank account that lets a debit through, or does not."""

    def make(*, settles):
        iban = "FR1420041010050500013M02606" if settles else "FR8420041010050500013M02607"
        return stripe_api.payment_methods.create(
            {"type": "sepa_debit", "sepa_debit": {"iban": iban}, "billing_details": ADA}
        ).id

    return make
