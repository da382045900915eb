"""Prices on forms: written as people write them, in a currency that is chosen; kept in minor units."""

from functools import cached_property
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from payments.money import CURRENCIES, NoAmount, check_charge, minor_units, written_amount


class AmountField(forms.CharField):
    """An amount as text: "49.00", "49,00"; what it means depends on the currency."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(max_length=40, widget=widget, **kwargs)


class CurrencyField(forms.ChoiceField):
    """One of the currencies in which Stripe charges, written as Stripe writes it: "eur"."""

    def __init__(self, **kwargs: Any) -> None:
        choices = [(code, code.upper()) for code in sorted(CURRENCIES)]
        super().__init__(choices=choices, label=_("Currency"), **kwargs)

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).strip().lower()


class PricedForm(forms.ModelForm):
    """A form of something with a price, an AmountField called `amount_name`, which may be 0 if `can_be_free`."""

    amount_name: ClassVar[str] = "price"
    can_be_free: ClassVar[bool] = True
    # Checked first: it decides what the price means.
    field_order = ("currency",)
    currency = CurrencyField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The first of a list of 140 is nobody's wish.
        self.initial.setdefault("currency", self.instance.currency)
        if (known := getattr(self.instance, self.amount_name)) is not None:
            self.initial[self.amount_name] = written_amount(known, self.instance.currency)

    @cached_property
    def changed_data(self) -> list[str]:
        """With another currency the same text is another price."""
        names = super().changed_data
        return [*names, self.amount_name] if "currency" in names and self.amount_name not in names else names

    def clean_money(self) -> int:
        """The price in minor units. Raises ValidationError for what Stripe would not charge."""
        currency = self.cleaned_data.get("currency", self.instance.currency)
        try:
            amount = minor_units(self.cleaned_data[self.amount_name], currency, allows_nothing=self.can_be_free)
            check_charge(amount, currency)
        except NoAmount as error:
            raise ValidationError(str(error)) from error
        return amount


class PricedAdmin(admin.ModelAdmin):
    """Whoever may only look sees the price in words: `price_shown` instead of the fields beside "currency"."""

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        fields = super().get_fields(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fields
        return ["price_shown" if "currency" in each and not isinstance(each, str) else each for each in fields]
