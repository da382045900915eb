"""The account, its webhook endpoints, its payouts, its customers and their way into the portal."""

from stripe_emulator.errors import Json
from stripe_emulator.objects.parts import nulls, template
from stripe_emulator.store import new_id, random_text

# A French business that may do everything.
ACCOUNT: Json = {
    "id": "acct_1EmulatedAccount0",
    "object": "account",
    "business_profile": {
        **nulls(
            "annual_revenue estimated_worker_count product_description support_address support_email support_phone "
            "support_url url"
        ),
        "mcc": "8299",
        "name": "Emulated account",
    },
    "business_type": "company",
    "capabilities": {"card_payments": "active", "sepa_debit_payments": "active", "transfers": "active"},
    "charges_enabled": True,
    "controller": {"type": "account"},
    "country": "FR",
    "created": 1_700_000_000,
    "default_currency": "eur",
    "details_submitted": True,
    "email": "owner@example.com",
    "metadata": {},
    "payouts_enabled": True,
    "settings": {
        "branding": nulls("icon logo primary_color secondary_color"),
        "card_payments": {
            **nulls("statement_descriptor_prefix statement_descriptor_prefix_kana statement_descriptor_prefix_kanji"),
            "decline_on": {"avs_failure": False, "cvc_failure": False},
        },
        "dashboard": {"display_name": "Emulated account", "timezone": "Europe/Paris"},
        "payments": {
            **nulls("statement_descriptor_kana statement_descriptor_kanji"),
            "statement_descriptor": "EMULATED",
        },
    },
    "type": "standard",
}


new_webhook_endpoint = template(
    "webhook_endpoint",
    "we_1",
    api_version=None,
    application=None,
    description=None,
    livemode=False,
    metadata={},
    status="enabled",
)
"""`url` and `enabled_events` must be among the fields; its secrets are no part of it."""


new_payout = template(
    "payout",
    "po_1",
    **nulls(
        "application_fee application_fee_amount balance_transaction failure_balance_transaction failure_code "
        "failure_message original_payout payout_method reversed_by statement_descriptor trace_id"
    ),
    automatic=True,
    description="STRIPE PAYOUT",
    destination="ba_1EmulatedBankAccount0",
    livemode=False,
    metadata={},
    method="standard",
    reconciliation_status="in_progress",
    source_type="card",
    status="pending",
    type="bank_account",
)
"""`amount`, `currency` and `arrival_date` must be among the fields."""


CUSTOMER_DEFAULTS: Json = {
    "object": "customer",
    **nulls("address currency default_source description email name phone shipping test_clock"),
    "balance": 0,
    "delinquent": False,
    "invoice_settings": nulls("custom_fields default_payment_method footer rendering_options"),
    "livemode": False,
    "metadata": {},
    "preferred_locales": [],
    "tax_exempt": "none",
}


def new_customer(at: int, **fields: object) -> Json:
    """A customer born at this moment."""
    identity = {"id": new_id("cus_", length=14), "created": at, "invoice_prefix": random_text(8).upper()}
    return {**CUSTOMER_DEFAULTS, **identity, "next_invoice_sequence": 1, **fields}


# There is one way to set the portal up here: cards, invoices and the end of a subscription.
PORTAL_CONFIGURATION: Json = {
    "id": "bpc_1Emulated",
    "object": "billing_portal.configuration",
    "active": True,
    **nulls("application default_return_url name"),
    "business_profile": nulls("headline privacy_policy_url terms_of_service_url"),
    "created": 1_700_000_000,
    "features": {
        "customer_update": {"allowed_updates": [], "enabled": False},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "mode": "at_period_end", "proration_behavior": "none"},
        "subscription_update": {"default_allowed_updates": [], "enabled": False, "proration_behavior": "none"},
    },
    "is_default": True,
    "livemode": False,
    "login_page": {"enabled": False, "url": None},
    "metadata": {},
    "updated": 1_700_000_000,
}
PORTAL_DEFAULTS: Json = {
    "object": "billing_portal.session",
    "configuration": PORTAL_CONFIGURATION["id"],
    **nulls("customer_account flow locale on_behalf_of return_url"),
    "livemode": False,
}


def new_portal_session(at: int, *, base_url: str, **fields: object) -> Json:
    """A session born at this moment; its page is under `base_url`."""
    id = new_id("bps_1")
    return {**PORTAL_DEFAULTS, "id": id, "created": at, "url": f"{base_url}/portal/{id}", **fields}
