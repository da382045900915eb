"""What the public pages ask of a person, and the one form in which a name is kept and compared."""

import unicodedata

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.fields import AddressField
from registrations.models import Registration

NAME_MAX_LENGTH = Registration._meta.get_field("name").max_length
EMAIL_MAX_LENGTH = Registration._meta.get_field("email").max_length
# Unicode categories: control characters with line breaks, half characters, separators of lines and paragraphs.
REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
# They turn the direction of all that follows.
BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class PersonForm(forms.Form):
    """Who wants a place: two fields, for registering and for the waiting list."""

    name = forms.CharField(
        label=gettext_lazy("Your name"),
        max_length=NAME_MAX_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": gettext_lazy("Please enter your name.")},
    )
    email = AddressField(
        label=gettext_lazy("Your e-mail address"),
        max_length=EMAIL_MAX_LENGTH,
        help_text=gettext_lazy("We'll send the confirmation there."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={
            "required": gettext_lazy("Please enter your e-mail address."),
            "invalid": gettext_lazy("Please enter a complete e-mail address, such as name@example.com."),
        },
    )

    def clean_name(self) -> str:
        return tidy_name(self.cleaned_data["name"])


def tidy_name(text: str) -> str:
    """The name on one line, with single spaces, each letter in its composed form. Raises ValidationError."""
    name = " ".join(word for word in unicodedata.normalize("NFC", text.strip()).split(" ") if word)
    if any(letter in BIDI_CONTROLS or unicodedata.category(letter) in REFUSED_CATEGORIES for letter in name):
        raise ValidationError(_("The name must be on one line, without special characters."), code="control")
    if not any(letter.isalpha() for letter in name):
        raise ValidationError(_("Please enter a name."), code="no_letter")
    return name
