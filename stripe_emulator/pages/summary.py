"""What the buyer's page says about a session: what is bought, for how much, and what the button says."""

from django.utils.translation import gettext, ngettext

from stripe_emulator.models import Json, StoredObject
from stripe_emulator.pages.amounts import shown_amount


def summary(session: StoredObject) -> Json:
    """Texts for the templates, in the current language."""
    data = session.data
    return {
        "session": data,
        "email": (data["customer_details"] or {}).get("email"),
        "lines": [_line(row) for row in session.hidden["line_items"]],
        "total": shown_amount(data["amount_total"], data["currency"]) if data["amount_total"] is not None else "",
        "heading": _heading(data),
        "button": _button(data),
        "onward": onward(data),
    }


def onward(data: Json) -> str:
    """Where the buyer goes afterwards: https://docs.stripe.com/payments/checkout/custom-success-page"""
    return str(data["success_url"]).replace("{CHECKOUT_SESSION_ID}", data["id"])


def _line(row: Json) -> Json:
    recurring = row["price"]["recurring"]
    return {
        "description": row["description"],
        "quantity": row["quantity"],
        "unit_amount": shown_amount(row["price"]["unit_amount"], row["currency"]),
        "amount": shown_amount(row["amount_total"], row["currency"]),
        "interval": interval_in_words(recurring["interval"], recurring["interval_count"]) if recurring else "",
    }


def interval_in_words(unit: str, count: int) -> str:
    """How often something is paid."""
    texts = {
        "day": ngettext("every day", "every %(count)s days", count),
        "week": ngettext("every week", "every %(count)s weeks", count),
        "month": ngettext("every month", "every %(count)s months", count),
        "year": ngettext("every year", "every %(count)s years", count),
    }
    return texts[unit] % {"count": count}


def _heading(data: Json) -> str:
    if data["mode"] == "setup":
        return gettext("Save a card")
    return gettext("Subscribe") if data["mode"] == "subscription" else gettext("Pay")


def _button(data: Json) -> str:
    if data["mode"] == "setup":
        return gettext("Save the card")
    if data["mode"] == "subscription":
        return gettext("Subscribe")
    if data["amount_total"] == 0:
        return gettext("Place the order")
    return gettext("Pay %(amount)s") % {"amount": shown_amount(data["amount_total"], data["currency"])}
