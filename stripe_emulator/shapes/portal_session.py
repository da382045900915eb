"""A way into the Customer Portal: https://docs.stripe.com/api/customer_portal/sessions/object"""

from stripe_emulator.ids import new_id
from stripe_emulator.models import Json

USUAL: Json = {
    "object": "billing_portal.session",
    # There is one way to set the portal up here.
    "configuration": "bpc_1Emulated",
    "customer_account": None,
    "flow": None,
    "livemode": False,
    "locale": None,
    "on_behalf_of": None,
    "return_url": None,
}


def new_portal_session(at: int, *, base_url: str, **fields: object) -> Json:
    """A session born at this moment; its page is under `base_url`."""
    id = new_id("bps_1")
    return {**USUAL, "id": id, "created": at, "url": f"{base_url}/portal/{id}", **fields}
