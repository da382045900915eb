"""A card for one use, as browsers make it: https://docs.stripe.com/api/tokens/object"""

from stripe_emulator.ids import new_id
from stripe_emulator.models import Json

USUAL: Json = {"object": "token", "client_ip": None, "livemode": False, "type": "card", "used": False}
NOT_KNOWN = (
    "address_city",
    "address_country",
    "address_line1",
    "address_line1_check",
    "address_line2",
    "address_state",
    "address_zip",
    "address_zip_check",
    "dynamic_last4",
    "name",
    "tokenization_method",
)
BRANDS = {
    "visa": "Visa",
    "mastercard": "MasterCard",
    "amex": "American Express",
    "discover": "Discover",
    "diners": "Diners Club",
    "jcb": "JCB",
    "unionpay": "UnionPay",
}
SHARED = ("country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "regulated_status")


def new_token(at: int, *, card: Json, **fields: object) -> Json:
    """A token made at this moment. `card`: as payment methods show it."""
    return {**USUAL, "id": new_id("tok_1"), "created": at, "card": as_source(card), **fields}


def as_source(card: Json) -> Json:
    """The card in the shape of before payment methods."""
    return {
        **dict.fromkeys(NOT_KNOWN),
        **{name: card[name] for name in SHARED},
        "id": new_id("card_1"),
        "object": "card",
        "allow_redisplay": "unspecified",
        "brand": BRANDS[card["brand"]],
        "cvc_check": "pass",
        "metadata": {},
        "networks": {"preferred": None},
    }
