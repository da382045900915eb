"""A subscription: https://docs.stripe.com/api/subscriptions/object"""

from stripe_emulator.ids import new_id
from stripe_emulator.models import Json
from stripe_emulator.shapes.included import inner_list

USUAL: Json = {
    "object": "subscription",
    "application": None,
    "application_fee_percent": None,
    "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
    "billing_cycle_anchor_config": None,
    "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible"},
    "billing_schedules": [],
    "billing_thresholds": None,
    "cancel_at": None,
    "cancel_at_period_end": False,
    "canceled_at": None,
    "cancellation_details": {"comment": None, "feedback": None, "feedback_option": None, "reason": None},
    "collection_method": "charge_automatically",
    "customer_account": None,
    "days_until_due": None,
    "default_payment_method": None,
    "default_source": None,
    "default_tax_rates": [],
    "description": None,
    "discounts": [],
    "ended_at": None,
    "invoice_settings": {
        "account_tax_ids": None,
        "custom_fields": None,
        "description": None,
        "footer": None,
        "issuer": {"type": "self"},
    },
    "latest_invoice": None,
    "livemode": False,
    "managed_payments": None,
    "metadata": {},
    "next_pending_invoice_item_invoice": None,
    "on_behalf_of": None,
    "pause_collection": None,
    "payment_settings": {
        "payment_method_options": None,
        "payment_method_types": None,
        "save_default_payment_method": "off",
    },
    "pending_invoice_item_interval": None,
    "pending_setup_intent": None,
    "pending_update": None,
    "schedule": None,
    "status": "incomplete",
    "status_details": None,
    "test_clock": None,
    "transfer_data": None,
    "trial_end": None,
    "trial_settings": {"end_behavior": {"billing_cycle_anchor": None, "missing_payment_method": "create_invoice"}},
    "trial_start": None,
}


def new_subscription(at: int, **fields: object) -> Json:
    """A subscription that starts at this moment; who makes it gives it its items, customer and currency."""
    id = new_id("sub_1")
    birth = {"id": id, "created": at, "start_date": at, "billing_cycle_anchor": at, "items": items_of(id, [])}
    return {**USUAL, **birth, **fields}


def items_of(subscription_id: str, rows: list[Json]) -> Json:
    """The list of items inside a subscription."""
    listed = inner_list(rows, url=f"/v1/subscription_items?subscription={subscription_id}")
    return {**listed, "total_count": len(rows)}
