"""The account that the key belongs to: https://docs.stripe.com/api/accounts"""

from stripe_emulator.api.routes import Call, answers
from stripe_emulator.errors import Json
from stripe_emulator.shapes.account import account


@answers("GET", "account", params="AccountRetrieveCurrentParams")
def retrieve(call: Call) -> Json:
    return account()
