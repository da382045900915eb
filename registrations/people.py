"""What people tell of themselves, brought into the one form in which it is kept and compared."""

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# Line breaks and other control characters, half characters, and marks that turn the direction of all that follows.
REFUSED = frozenset({"Cc", "Cs", "Zl", "Zp"})
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def tidy_name(text: str) -> str:
    """The name on one line, with single spaces, each letter in its composed form. Raises ValidationError."""
    name = " ".join(word for word in unicodedata.normalize("NFC", text.strip()).split(" ") if word)
    if any(letter in TURNING or unicodedata.category(letter) in REFUSED for letter in name):
        raise ValidationError(_("The name must be on one line, without special characters."), code="control")
    if not any(letter.isalpha() for letter in name):
        raise ValidationError(_("Please enter a name."), code="no_letter")
    return name
