"""The form of an activity: what Stripe, the database or a reader would stumble over is said beside the field."""

from collections.abc import Callable, Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from accounts.pictures.upload import PictureField
from payments.admin.kit.money import AmountField, PricedForm
from registrations.models import Activity
from registrations.services.activities import NotPossible, require_capacity, require_sellable

# What is told in every language. The texts themselves are in the site's own.
TRANSLATED = ("title", "summary", "description")
OTHER_LANGUAGES = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE[:2]]
# Whoever has put it into a calendar is to be told of these.
SHOWN_IN_CALENDARS = frozenset({"title", "starts_at", "ends_at", "place", "address", "city"})


class CapacityWidget(forms.NumberInput):
    """How many places there are, and what became of them: one field. `bar` is drawn below the number."""

    bar: str | SafeString = ""

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        return format_html('<div class="places-field">{}{}</div>', super().render(*args, **kwargs), self.bar)


class ActivityForm(PricedForm):
    """Says in words what Stripe or the database would refuse."""

    price = AmountField(label=gettext_lazy("Price"), help_text=gettext_lazy("For example 49.00; 0 is free."))
    picture = PictureField(
        label=gettext_lazy("Picture"), help_text=gettext_lazy("JPEG, PNG or WebP; it is scaled by itself.")
    )

    class Meta:
        model = Activity
        exclude = ()
        widgets = {
            "capacity": CapacityWidget(attrs={"min": 0}),
            "summary": forms.TextInput(attrs={"class": "vLargeTextField"}),
        }
        help_texts = {
            "summary": gettext_lazy("It stands on the card in the list, and where the page is shared."),
            "city": gettext_lazy("Visitors choose by it."),
            "refund_days": gettext_lazy(
                "So many days before it starts, buyers who cannot come still get their money back by themselves. "
                "Empty: they write to you."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "picture" in self.fields:
            self.initial["picture"] = self.instance.picture
        for name, language, text in translated_fields():
            self.initial[name] = self.instance.translations.get(language, {}).get(text, "")

    def clean_price(self) -> int:
        return self.clean_money()

    def clean_capacity(self) -> int:
        capacity: int = self.cleaned_data["capacity"]
        if self.instance.pk is not None:
            self._ask(require_capacity, activity=self.instance, capacity=capacity)
        return capacity

    def clean_is_on_sale(self) -> bool:
        is_on_sale: bool = self.cleaned_data["is_on_sale"]
        if is_on_sale:
            self._ask(require_sellable, activity=self.instance)
        return is_on_sale

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        starts, ends = found.get("starts_at"), found.get("ends_at")
        if starts and ends and ends <= starts:
            self.add_error("ends_at", _("It ends before it starts."))
        told: dict[str, dict[str, str]] = {language: {} for language in OTHER_LANGUAGES}
        for name, language, text in translated_fields():
            if written := found.get(name):
                told[language][text] = written
        self.instance.translations = {language: texts for language, texts in told.items() if texts}
        return found

    @property
    def changed_columns(self) -> list[str]:
        """The columns to be written, with those that follow from them."""
        names = set(self.changed_data)
        translated = {name for name, _language, _text in translated_fields()}
        columns = names - translated | {"search_text"}
        if names & translated:
            columns.add("translations")
        if names & SHOWN_IN_CALENDARS and self.instance.pk:
            self.instance.moves += 1
            columns.add("moves")
        return sorted(columns)

    @staticmethod
    def _ask(rule: Callable[..., None], **about: Any) -> None:
        try:
            rule(**about)
        except NotPossible as refusal:
            raise ValidationError(str(refusal)) from refusal


def translated_fields() -> Iterator[tuple[str, str, str]]:
    """Of each: its name on the form, the language, the text that it translates."""
    return ((f"{text}_{language}", language, text) for language in OTHER_LANGUAGES for text in TRANSLATED)


def _said(column: Any, language: str) -> str:
    """ "Title (French)"."""
    return f"{capfirst(str(column.verbose_name))} ({get_language_info(language)['name_translated']})"


_label = lazy(_said, str)


def _translated_field(language: str, text: str) -> forms.CharField:
    column: Any = Activity._meta.get_field(text)
    widget = forms.Textarea if text == "description" else forms.TextInput
    return forms.CharField(
        label=_label(column, language), required=False, max_length=column.max_length,
        widget=widget(attrs={"class": "vLargeTextField", "lang": language}),
    )  # fmt: skip


# Read by the admin, which makes a form class of its own for each request.
ActivityForm.declared_fields |= {name: _translated_field(code, text) for name, code, text in translated_fields()}
