"""The Customer Portal: https://docs.stripe.com/api/customer_portal"""

from stripe_emulator import clock, store
from stripe_emulator.api.routes import Call, answers
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.life.catalogue import missing
from stripe_emulator.life.portal import open_portal

SHOWN = ("locale", "return_url")
UNKNOWN_HERE = ("configuration", "customer_account", "flow_data", "on_behalf_of")


@answers("POST", "billing_portal/sessions", params="billing_portal.SessionCreateParams")
def create(call: Call) -> Json:
    for name in UNKNOWN_HERE:
        if call.params.get(name):
            raise StripeRefusal(f"The emulator's portal knows no {name}.", param=name)
    if not call.params.get("customer"):
        raise missing("customer")
    customer = store.get_living("customer", call.params["customer"], param="customer")
    fields = {name: call.params[name] for name in SHOWN if call.params.get(name)}
    return open_portal(customer, at=clock.now_for(customer), **fields).data
