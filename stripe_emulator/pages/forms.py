"""What the buyer fills in to pay."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.life.cards import TestMethod, find_by_iban, find_by_number
from stripe_emulator.models import StoredObject
from stripe_emulator.pages.choices import COUNTRIES, OTHER, method_choices


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
    terms = forms.BooleanField(
        label=_("I accept the seller’s terms."), error_messages={"required": _("Accept the terms to go on.")}
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
        told = self.cleaned_data
        address = {name: told.get(name) or None for name in ("city", "country", "postal_code")}
        known = (self.session.data["customer_details"] or {}).get("email")
        return {
            "address": {**address, "line1": None, "line2": None, "state": None},
            "email": told.get("email") or known,
            "name": told["name"],
            "phone": None,
        }

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Where and what, in the order of the page."""
        return [(f"id_{name}", str(text)) for name in self.fields for text in self.errors.get(name, [])]

    def clean(self) -> Json:
        """Find the test method behind what was chosen."""
        told = super().clean() or {}
        chosen = told.get("method")
        if chosen:
            told["test"] = self._find(told.get("number", "") if chosen == OTHER else chosen, chosen)
        return told

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
        if (data["consent_collection"] or {}).get("terms_of_service") != "required":
            absent.append("terms")
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
