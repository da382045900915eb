"""What the public pages ask of a person."""

from django import forms
from django.utils.translation import gettext_lazy as _

from registrations.models import Registration
from registrations.people import tidy_name

LONGEST_NAME = Registration._meta.get_field("name").max_length
LONGEST_EMAIL = Registration._meta.get_field("email").max_length


class PersonForm(forms.Form):
    """Who wants a place: the same two fields for registering and for the waiting list."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": _("Please enter your name.")},
    )
    email = forms.EmailField(
        label=_("Your e-mail address"),
        max_length=LONGEST_EMAIL,
        help_text=_("We write to you there."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={
            "required": _("Please enter your e-mail address."),
            "invalid": _("Please enter a complete e-mail address, such as name@example.com."),
        },
    )

    def clean_name(self) -> str:
        return tidy_name(self.cleaned_data["name"])

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()
