"""Fields that several of the forms of these screens ask for, and who fills them in."""

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User

WIDE = {"class": "vTextField"}


class PersonField(forms.EmailField):
    """Somebody who has an account, by the whole e-mail address; cleaned, it is the user."""

    def __init__(self, **options: Any) -> None:
        usual = {
            "label": gettext_lazy("Person"),
            "help_text": gettext_lazy("The whole e-mail address of the account."),
            "widget": forms.EmailInput(attrs={**WIDE, "autocomplete": "off"}),
        }
        super().__init__(**{**usual, **options})

    def clean(self, value: Any) -> Any:
        address = super().clean(value)
        person = User.objects.filter(email=address.lower()).first() if address else None
        if address and person is None:
            raise ValidationError(_("Nobody has an account with this address."))
        return person


class MomentField(forms.DateTimeField):
    """A moment that is still to come, in the site's time zone; picked with what the browser has for it."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(**{"widget": widget, **options})

    def clean(self, value: Any) -> Any:
        moment = super().clean(value)
        if moment and moment <= timezone.now() + timedelta(seconds=1):
            raise ValidationError(_("This moment is over."))
        return moment


class BecauseField(forms.CharField):
    """Why somebody does this."""

    def __init__(self, **options: Any) -> None:
        usual = {
            "label": gettext_lazy("Reason"),
            "max_length": 500,
            "help_text": gettext_lazy("Kept with what happens now, for whoever asks later."),
            "widget": forms.TextInput(attrs=WIDE),
        }
        super().__init__(**{**usual, **options})


def signed_in(request: HttpRequest) -> User:
    """The member of staff who asks for it: the admin lets nobody else in."""
    return cast(User, request.user)
