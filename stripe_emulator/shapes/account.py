"""The one account of the emulator: https://docs.stripe.com/api/accounts/object"""

from stripe_emulator.models import Json

ID = "acct_1EmulatedAccount0"
BORN_AT = 1_700_000_000  # Unix time


def account() -> Json:
    """A French business that may do everything."""
    return {
        "id": ID,
        "object": "account",
        "business_profile": _business_profile(),
        "business_type": "company",
        "capabilities": {"card_payments": "active", "sepa_debit_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "country": "FR",
        "created": BORN_AT,
        "default_currency": "eur",
        "details_submitted": True,
        "email": "owner@example.com",
        "metadata": {},
        "payouts_enabled": True,
        "settings": _settings(),
        "type": "standard",
    }


def _business_profile() -> Json:
    return {
        "annual_revenue": None,
        "estimated_worker_count": None,
        "mcc": "8299",
        "name": "Emulated account",
        "product_description": None,
        "support_address": None,
        "support_email": None,
        "support_phone": None,
        "support_url": None,
        "url": None,
    }


def _settings() -> Json:
    return {
        "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
        "card_payments": {
            "decline_on": {"avs_failure": False, "cvc_failure": False},
            "statement_descriptor_prefix": None,
            "statement_descriptor_prefix_kana": None,
            "statement_descriptor_prefix_kanji": None,
        },
        "dashboard": {"display_name": "Emulated account", "timezone": "Europe/Paris"},
        "payments": {
            "statement_descriptor": "EMULATED",
            "statement_descriptor_kana": None,
            "statement_descriptor_kanji": None,
        },
    }
