"""What the pages of an account ask of a person."""

import unicodedata
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, SetPasswordForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.fields import AddressField
from accounts.models import User

NAME_MAX_LENGTH = User._meta.get_field("name").max_length
EMAIL_MAX_LENGTH = User._meta.get_field("email").max_length
ADDRESS_ERRORS = {
    "required": gettext_lazy("Please enter your e-mail address."),
    "invalid": gettext_lazy("Please enter a complete e-mail address, such as name@example.com."),
}
PASSWORD_ERRORS = {"required": gettext_lazy("Please enter a password.")}


def address_field(*, autocomplete: str, **options: Any) -> AddressField:
    """The person's address, complete."""
    return AddressField(
        label=gettext_lazy("Your e-mail address"),
        max_length=EMAIL_MAX_LENGTH,
        widget=forms.EmailInput(attrs={"autocomplete": autocomplete}),
        error_messages=ADDRESS_ERRORS,
        **options,
    )


def name_field() -> forms.CharField:
    """What the person is called."""
    return forms.CharField(
        label=gettext_lazy("Your name"),
        max_length=NAME_MAX_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": gettext_lazy("Please enter your name.")},
    )


def password_field(label: Any, *, autocomplete: str, help_text: Any = "") -> forms.CharField:
    """A password as typed, spaces and all."""
    return forms.CharField(
        label=label,
        strip=False,
        help_text=help_text,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
        error_messages=PASSWORD_ERRORS,
    )


def tidy_name(text: str) -> str:
    """On one line, with single spaces, each letter in its composed form. Raises ValidationError."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name.isprintable():
        raise ValidationError(_("The name must be on one line, without special characters."), code="control")
    return name


class AddressForm(forms.Form):
    """Whose account it is about."""

    email = address_field(autocomplete="email")


class SignUpForm(AddressForm):
    """Name and address; the password is chosen by who reads mail there."""

    name = name_field()
    field_order = ("name", "email")

    def clean_name(self) -> str:
        return tidy_name(self.cleaned_data["name"])


class SignInForm(AuthenticationForm):
    """Never tells whether it is the address or the password that is wrong."""

    username = address_field(autocomplete="username")
    password = password_field(gettext_lazy("Your password"), autocomplete="current-password")

    def get_invalid_login_error(self) -> ValidationError:
        wrong = ValidationError(_("The e-mail address or the password is wrong."), code="invalid_login")
        return ValidationError({"password": wrong})


class StaffSignInForm(SignInForm):
    """The same at the door of the admin, where only staff get in; with the same words for everybody else."""

    def confirm_login_allowed(self, user: Any) -> None:
        super().confirm_login_allowed(user)
        if not user.is_staff:
            raise self.get_invalid_login_error()


class ChoosePasswordForm(SetPasswordForm):
    """Twice the same, and not a bad one."""

    new_password1 = password_field(
        gettext_lazy("Your new password"),
        autocomplete="new-password",
        help_text=gettext_lazy("At least 8 characters; neither like your address nor one that many people use."),
    )
    new_password2 = password_field(gettext_lazy("Confirm password"), autocomplete="new-password")


class ChangePasswordForm(ChoosePasswordForm, PasswordChangeForm):
    """With the old one first: a screen that was left open is not enough."""

    old_password = password_field(gettext_lazy("Current password"), autocomplete="current-password")
    field_order = ("old_password", "new_password1", "new_password2")


class DetailsForm(forms.Form):
    """What people may change of themselves."""

    name = name_field()
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)

    def clean_name(self) -> str:
        return tidy_name(self.cleaned_data["name"])
