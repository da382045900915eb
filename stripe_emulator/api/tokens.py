"""Cards for one use: https://docs.stripe.com/api/tokens"""

from stripe_emulator import store
from stripe_emulator.api.routes import Call, answers
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.life import cards
from stripe_emulator.life.given import expiry_of, required
from stripe_emulator.life.methods import card_of
from stripe_emulator.shapes.token import new_token


@answers("POST", "tokens", params="TokenCreateParams")
def create(call: Call) -> Json:
    card = call.params.get("card")
    if not isinstance(card, dict):
        raise StripeRefusal("You must supply a card.", code="parameter_missing", param="card")
    test = cards.find_by_number(str(required(card, "number", inside="card")))
    token = new_token(call.at, card=card_of(test, call.at, expiry_of(card)))
    return store.keep(token, test=test.name).data


@answers("GET", "tokens/{id}", params="TokenRetrieveParams")
def retrieve(call: Call, *, id: str) -> Json:
    return store.get("token", id).data
