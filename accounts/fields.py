"""E-mail addresses in one spelling: the same person however they type it, counted once and found by one plain index."""

from typing import Any

import idna
from django import forms
from django.core.validators import EmailValidator
from django.db import models


def normal_address(text: str) -> str:
    """Lower case, and the domain as mail servers know it: "Zoé@EXÄMPLE.com." is "zoé@xn--exmple-cua.com".

    A domain that is none is left for a validator to refuse.
    """
    local, at, domain = text.strip().lower().rpartition("@")
    return f"{local}{at}{_normal_domain(domain)}" if at else domain


def _normal_domain(domain: str) -> str:
    plain = domain.removesuffix(".")
    if plain.isascii():
        return plain
    try:
        return idna.encode(plain, uts46=True).decode().removesuffix(".")
    except UnicodeError:  # what idna raises is one, too
        return plain


class AddressValidator(EmailValidator):
    """An address that others can write to: neither a number of a machine, "ada@[127.0.0.1]", nor this very machine."""

    def validate_domain_part(self, domain_part: str) -> bool:
        return bool(self.domain_regex.match(domain_part))


validate_address = AddressValidator(allowlist=[])


class AddressField(forms.EmailField):
    """An address in a form, brought into its one spelling before it is looked at."""

    default_validators = [validate_address]

    def to_python(self, value: Any) -> str:
        return normal_address(super().to_python(value) or "")


class LowercaseEmailField(models.EmailField):
    """Keeps the one spelling on the way to the database, in look-ups as well as on save."""

    default_validators = [validate_address]

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return normal_address(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        return self.to_python(super().get_prep_value(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self.to_python(getattr(model_instance, self.attname))
        setattr(model_instance, self.attname, value)
        return value

    def formfield(self, **options: Any) -> Any:
        return super().formfield(**{"form_class": AddressField, **options})
