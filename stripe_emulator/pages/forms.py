"""What the buyer fills in to pay, the test methods that are offered, and why one was declined."""

from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from stripe_emulator.behaviour.cards import TestMethod, find_by_iban, find_by_number
from stripe_emulator.errors import CardDeclined, Json, StripeRefusal
from stripe_emulator.models import StoredObject

OTHER = "other"
CARDS: tuple[tuple[str, Promise], ...] = (
    ("4242424242424242", _("The payment succeeds")),
    ("4000002500003155", _("The bank asks for 3-D Secure")),
    ("4000000000000002", _("The card is declined")),
    ("4000000000009995", _("There is not enough money in the account")),
    ("4000000000000069", _("The card has expired")),
    ("4000000000000259", _("The payment succeeds, then the buyer disputes it")),
    ("4000000000005423", _("The payment succeeds, and the card network warns of fraud")),
)
PORTAL_CARDS: tuple[tuple[str, Promise], ...] = (
    ("4242424242424242", _("Payments succeed")),
    ("5555555555554444", _("Payments succeed")),
    ("4000000000000341", _("The card is kept, and every payment is declined")),
    ("4000000000000002", _("The card is declined")),
)
DEBITS: tuple[tuple[str, Promise], ...] = (
    ("FR1420041010050500013M02606", _("The debit succeeds after a while")),
    ("FR8420041010050500013M02607", _("The debit fails after a while")),
)
REASONS: dict[str, Promise] = {
    "authentication_required": _("The bank wants to be sure that it is you. Try again."),
    "card_velocity_exceeded": _("This card was used too often in a short time."),
    "expired_card": _("This card has expired. Use another card."),
    "incorrect_cvc": _("The security code of this card is wrong."),
    "insufficient_funds": _("There is not enough money in the account. Use another card."),
    "lost_card": _("The bank has declined this card. Use another card."),
    "payment_intent_authentication_failure": _(
        "The bank could not make sure that it is you. Try again or use another card."
    ),
    "processing_error": _("The bank could not process the payment. Try again in a moment."),
    "setup_intent_authentication_failure": _(
        "The bank could not make sure that it is you. Try again or use another card."
    ),
}
USUAL_REASON = _("The bank has declined this card. Use another card.")
COUNTRIES: tuple[tuple[str, Promise], ...] = (
    ("FR", _("France")), ("BE", _("Belgium")), ("CA", _("Canada")), ("CH", _("Switzerland")), ("DE", _("Germany")),
    ("ES", _("Spain")), ("GB", _("United Kingdom")), ("IT", _("Italy")), ("LU", _("Luxembourg")),
    ("US", _("United States")),
)  # fmt: skip


class PayForm(forms.Form):
    """Only the fields that the session asks for are there."""

    email = forms.EmailField(
        label=_("Email address"),
        error_messages={
            "required": _("Enter your email address."),
            "invalid": _("Enter an email address like name@example.com."),
        },
    )
    name = forms.CharField(label=_("Name"), max_length=200, error_messages={"required": _("Enter your name.")})
    postal_code = forms.CharField(
        label=_("Postal code"), max_length=20, error_messages={"required": _("Enter your postal code.")}
    )
    city = forms.CharField(label=_("City"), max_length=100, error_messages={"required": _("Enter your city.")})
    country = forms.ChoiceField(label=_("Country"), choices=COUNTRIES)
    method = forms.ChoiceField(
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a test card."), "invalid_choice": _("Choose a test card.")},
    )
    number = forms.CharField(
        label=_("Test card number"),
        max_length=42,
        required=False,
        help_text=_("Any number of Stripe’s test cards. Never enter a real card."),
    )

    use_required_attribute = False

    def __init__(self, session: StoredObject, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, label_suffix="", **kwargs)
        self.session = session
        for name in self._not_asked():
            del self.fields[name]
        self._prepare()

    @property
    def test(self) -> TestMethod | None:
        """What is paid with; None where nothing is due."""
        return self.cleaned_data.get("test")

    @property
    def billing_details(self) -> Json:
        """In the form of a payment method's `billing_details`."""
        cleaned = self.cleaned_data
        address = {name: cleaned.get(name) or None for name in ("city", "country", "postal_code")}
        known = (self.session.data["customer_details"] or {}).get("email")
        return {
            "address": {**address, "line1": None, "line2": None, "state": None},
            "email": cleaned.get("email") or known,
            "name": cleaned["name"],
            "phone": None,
        }

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Where and what, in the order of the page."""
        return [(f"id_{name}", str(text)) for name in self.fields for text in self.errors.get(name, [])]

    def clean(self) -> Json:
        """Find the test method behind what was chosen."""
        cleaned = super().clean() or {}
        chosen = cleaned.get("method")
        if chosen:
            cleaned["test"] = self._find(cleaned.get("number", "") if chosen == OTHER else chosen, chosen)
        return cleaned

    def _find(self, number: str, chosen: str) -> TestMethod | None:
        field = "number" if chosen == OTHER else "method"
        if not number:
            self.add_error(field, _("Enter the number of a test card."))
            return None
        try:
            found = find_by_iban(number) if number.strip()[:1].isalpha() else find_by_number(number)
        except StripeRefusal:
            self.add_error(field, _("This is not the number of a test card."))
            return None
        if found.type not in self.session.data["payment_method_types"]:
            self.add_error(field, _("The seller does not accept this way to pay."))
        return found

    def _not_asked(self) -> list[str]:
        data = self.session.data
        absent: list[str] = []
        if (data["customer_details"] or {}).get("email"):
            absent.append("email")
        if data["billing_address_collection"] != "required":
            absent += ["city", "postal_code", "country"]
        if data["mode"] == "payment" and data["amount_total"] == 0:
            absent += ["method", "number"]
        return absent

    def _prepare(self) -> None:
        """Choices and what browsers and screen readers want to know."""
        filled_in_by = {"email": "email", "name": "name", "city": "address-level2", "postal_code": "postal-code"}
        for name, field in self.fields.items():
            field.widget.attrs |= {"autocomplete": filled_in_by[name]} if name in filled_in_by else {}
        if isinstance(method := self.fields.get("method"), forms.ChoiceField):
            choices = method_choices(self.session.data["payment_method_types"])
            method.choices, method.initial = choices, choices[0][0]
            self.fields["number"].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}


def method_choices(types: list[str]) -> list[tuple[str, str]]:
    """Number and words of every method that the session accepts."""
    offered = (CARDS if "card" in types else ()) + (DEBITS if "sepa_debit" in types else ())
    return [*((number, str(words)) for number, words in offered), (OTHER, gettext("Another test number"))]


def reason_of(decline: CardDeclined) -> str:
    """Why it did not work, and what the buyer can do."""
    return str(REASONS.get(decline.decline_code) or REASONS.get(decline.code) or USUAL_REASON)
