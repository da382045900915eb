"""What entered or left the balance: https://docs.stripe.com/api/balance_transactions"""

from stripe_emulator import store
from stripe_emulator.api.listing import list_objects
from stripe_emulator.api.routes import Call, answers
from stripe_emulator.errors import Json


@answers("GET", "balance_transactions", params="BalanceTransactionListParams")
def list_all(call: Call) -> Json:
    filters = ("type", "source", "currency")
    return list_objects("balance_transaction", call.params, url="/v1/balance_transactions", filters=filters)


@answers("GET", "balance_transactions/{id}", params="BalanceTransactionRetrieveParams")
def retrieve(call: Call, *, id: str) -> Json:
    return store.get("balance_transaction", id).data
