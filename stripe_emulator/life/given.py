"""Ways to pay as calls describe them: a card by number or token, an account by IBAN."""

from stripe_emulator.errors import StripeRefusal
from stripe_emulator.life import cards
from stripe_emulator.life.methods import from_token, make_method, usable
from stripe_emulator.models import Json, StoredObject

EXPIRY = ("exp_month", "exp_year")
TYPES = ("card", "sepa_debit")
MADE_OF = ("billing_details", "allow_redisplay", "metadata")


def make_given(data: Json, *, at: int, parent: StoredObject | None = None) -> StoredObject:
    """The method that `payment_method_data`, or the parameters of its creation, describe. Raises StripeRefusal."""
    kind = data.get("type", "")
    if kind not in TYPES:
        raise StripeRefusal(f"Invalid type: must be one of {', '.join(TYPES)}", param="type")
    details = data.get(kind) or {}
    if kind == "sepa_debit":
        test = cards.find_by_iban(str(required(details, "iban", inside=kind)))
        _check_owner(data.get("billing_details") or {})
    elif "token" in details:
        return from_token(details["token"], at=at, parent=parent, **_plain(data))
    else:
        test = cards.find_by_number(str(required(details, "number", inside=kind)))
    return make_method(at, test=test, parent=parent, expiry=expiry_of(details), **_plain(data))


def given_method(params: Json, *, at: int, parent: StoredObject | None = None) -> StoredObject | None:
    """The method that the parameters name or describe; None if they do neither."""
    if params.get("payment_method"):
        return usable(params["payment_method"], at=at, parent=parent)
    if params.get("payment_method_data"):
        return make_given(params["payment_method_data"], at=at, parent=parent)
    return None


def expiry_of(card: Json) -> Json:
    """`exp_month` and `exp_year` as whole numbers, if they are told. Raises StripeRefusal."""
    try:
        told = {name: int(card[name]) for name in EXPIRY if name in card}
    except ValueError:
        told = {"exp_month": 0}
    if not 1 <= told.get("exp_month", 1) <= 12:
        message = "Your card's expiration month is invalid."
        raise StripeRefusal(message, code="invalid_expiry_month", param="exp_month", status=402, type="card_error")
    return told


def required(details: Json, name: str, *, inside: str = "") -> object:
    """The value with this name. Raises StripeRefusal when it is not there."""
    if not details.get(name):
        path = f"{inside}[{name}]" if inside else name
        raise StripeRefusal(f"Missing required param: {path}.", code="parameter_missing", param=path)
    return details[name]


def _check_owner(owner: Json) -> None:
    """https://docs.stripe.com/payments/sepa-debit/accept-a-payment asks for both."""
    for name in ("name", "email"):
        required(owner, name, inside="billing_details")


def _plain(data: Json) -> Json:
    return {name: data[name] for name in MADE_OF if data.get(name)}
