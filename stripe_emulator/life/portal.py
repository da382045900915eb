"""What a customer can do in the Customer Portal: https://docs.stripe.com/customer-management"""

from django.conf import settings

from stripe_emulator import clock, store
from stripe_emulator.errors import Json
from stripe_emulator.life import standing, subscriptions
from stripe_emulator.life.cards import TestMethod
from stripe_emulator.life.customers import change_customer
from stripe_emulator.life.methods import attach, make_method
from stripe_emulator.models import StoredObject
from stripe_emulator.shapes.portal_session import new_portal_session


def open_portal(customer: StoredObject, *, at: int, **fields: str) -> StoredObject:
    """A way in, for this customer. `fields`: where it leads back, and in which language."""
    data = new_portal_session(at, base_url=settings.STRIPE_EMULATOR_URL, customer=customer.stripe_id, **fields)
    return store.keep(data, parent=customer)


def replace_card(customer: StoredObject, test: TestMethod) -> None:
    """From now on their subscriptions are paid with this card. Raises CardDeclined where it cannot even be kept."""
    at = clock.now_for(customer)
    details = {name: customer.data[name] for name in ("address", "email", "name", "phone")}
    method = make_method(at, test=test, parent=customer, billing_details=details)
    attach(method, customer, at)
    change_customer(customer, at=at, fields={}, default=method.stripe_id)
    for subscription in store.find("subscription", customer=customer.stripe_id).select_for_update():
        is_over = subscription.data["status"] in standing.ENDED
        if subscription.data["default_payment_method"] and not is_over:
            told: Json = {"default_payment_method": method.stripe_id}
            subscriptions.change(subscription, at=clock.now_for(subscription), **told)
