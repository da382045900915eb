"""A way to pay: https://docs.stripe.com/api/payment_methods/object"""

from stripe_emulator.ids import new_id
from stripe_emulator.models import Json
from stripe_emulator.shapes.address import NO_ADDRESS, full_address

NO_BILLING_DETAILS: Json = {"address": NO_ADDRESS, "email": None, "name": None, "phone": None, "tax_id": None}
USUAL: Json = {
    "object": "payment_method",
    "allow_redisplay": "unspecified",
    "billing_details": NO_BILLING_DETAILS,
    "customer": None,
    "customer_account": None,
    "livemode": False,
    "metadata": {},
}
CHECKS: Json = {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"}


def new_payment_method(at: int, **fields: object) -> Json:
    """A payment method made at this moment; `type` and the fields of that type must be among the fields."""
    return {**USUAL, "id": new_id("pm_1"), "created": at, **fields}


def card_fields(
    *, exp_month: int, exp_year: int, brand: str, country: str, funding: str, last4: str, mark: str
) -> Json:
    """The `card` of a payment method. `mark`: its fingerprint, the same for each use of a number."""
    return {
        "brand": brand,
        "checks": CHECKS,
        "country": country,
        "display_brand": brand,
        "exp_month": exp_month,
        "exp_year": exp_year,
        "fingerprint": mark,
        "funding": funding,
        "generated_from": None,
        "last4": last4,
        "networks": {"available": [brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def debit_fields(*, iban: str, country: str, mark: str) -> Json:
    """The `sepa_debit` of a payment method. `mark`: its fingerprint."""
    return {
        "bank_code": iban[4:9],
        "branch_code": "",
        "country": country,
        "fingerprint": mark,
        "generated_from": {"charge": None, "setup_attempt": None},
        "last4": iban[-4:],
    }


def billing_details(given: Json | None) -> Json:
    """Complete billing details: what is not given, or emptied, is null."""
    told = {name: (given or {}).get(name) or None for name in NO_BILLING_DETAILS}
    return told | {"address": full_address(told["address"]) or NO_ADDRESS}
