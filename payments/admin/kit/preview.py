"""Actions that show field by field what they would change, and do only that: with a reason, refused if it has moved."""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.trace import sentence
from payments.admin.kit.actions import (
    Confirmation,
    ReasonForm,
    ScreenAction,
    Text,
    confirmation_page,
    confirmed_data,
    signed_in,
)
from payments.apply.outcome import Outcome

SAME = gettext_lazy("Nothing differs.")
Target = TypeVar("Target")
# What differs, as people call it; its value before and after.
Line = tuple[str, str, str]
# By what they are about, the fingerprints of the differences that somebody has seen.
PreviewToken = dict[str, list[str]]


class PreviewOutdated(Exception):
    """Something else differs than what was shown (the text says it to people); nothing was changed there."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What an action would do. `sections`: what is compared, and line by line what differs; none: nothing to look at.

    `verdict`: what is said instead of the question where there is nothing to confirm; `no_lines`: what stands in a
    section where nothing differs. `outcome`: what else comes of it: what goes out, what staff are asked.
    """

    title: str
    token: PreviewToken
    sections: Sequence[tuple[str, Sequence[Line]]]
    consequences: Sequence[Text]
    footnotes: Sequence[str] = ()
    verdict: str = ""
    no_lines: Text = SAME
    outcome: Outcome | None = None


class PreviewForm(ReasonForm):
    """The reason, bound to what was shown."""

    preview_token = forms.JSONField(widget=forms.HiddenInput)

    def clean_preview_token(self) -> PreviewToken:
        token = self.cleaned_data["preview_token"]
        if not isinstance(token, dict):
            raise forms.ValidationError(_("Look at the differences first."))
        return {str(subject): list(prints) for subject, prints in token.items() if isinstance(prints, list)}

    def show(self, token: PreviewToken) -> None:
        """Bind what is filled in next to what is shown now, whatever was shown before."""
        self.initial["preview_token"] = token
        if self.is_bound:
            self.data = {**dict(self.data.items()), "preview_token": json.dumps(token)}


class PreviewedAction(ABC, Generic[Target]):
    """Dry run, differences, confirmation, the same once more for good.

    `columns`: the heads over what differs, its value before and after. `button`: the words that confirm it.
    """

    columns: ClassVar[tuple[Text, Text, Text]]
    button: ClassVar[Text] = gettext_lazy("Apply these changes")

    @abstractmethod
    def preview(self, target: Target, *, at: datetime) -> Preview:
        """Find out what would change, and change nothing."""

    @abstractmethod
    def carry_out(self, target: Target, confirmation: Confirmation, *, token: PreviewToken) -> int | HttpResponse:
        """Do it; returns how many differences there were, or what is shown next.

        Raises PreviewOutdated where the token tells of others.
        """

    @abstractmethod
    def done_message(self, count: int) -> str:
        """What is said afterwards; `count` is more than 0."""

    @abstractmethod
    def address_after(self, request: HttpRequest, target: Target) -> str:
        """Where it leads afterwards, and where there is nothing to do."""

    def as_action(self, name: str, **options: Any) -> ScreenAction:
        """An action of a list, for the one row that is chosen; `options` as of ScreenAction."""

        def run(screen: admin.ModelAdmin, request: HttpRequest, rows: QuerySet) -> HttpResponse:
            return self.answer(screen, request, rows[0])

        run.__name__ = name
        return ScreenAction(run, **options)

    def answer(self, screen: admin.ModelAdmin, request: HttpRequest, target: Target) -> HttpResponse:
        """The page that shows and asks; or, once it is confirmed, what has become of it."""
        at, form = timezone.now(), PreviewForm(confirmed_data(request))
        if not form.is_valid():
            return self._ask(screen, request, target, form, at=at)
        given = form.cleaned_data
        confirmation = Confirmation(screen, request, signed_in(request), at, given["reason"], given)
        try:
            done = self.carry_out(target, confirmation, token=given["preview_token"])
        except PreviewOutdated as moved:
            messages.warning(request, str(moved))
            return self._ask(screen, request, target, PreviewForm(None), at=at)
        if isinstance(done, HttpResponse):
            return done
        if done and isinstance(target, Model):
            screen.log_change(request, target, sentence(self.done_message(done), confirmation.reason))
        return self._leave(request, target, done)

    def _ask(
        self, screen: admin.ModelAdmin, request: HttpRequest, target: Target, form: PreviewForm, *, at: datetime
    ) -> HttpResponse:
        preview = self.preview(target, at=at)
        if not preview.sections:
            return self._leave(request, target, 0)
        form.show(preview.token)
        more: dict[str, Any] = {
            "preview": preview,
            "outcome": preview.outcome,
            "columns": self.columns,
            "back": self.address_after(request, target),
        }
        return confirmation_page(
            screen, request, form=form, title=preview.title, consequences=preview.consequences,
            button=self.button, template="admin/kit/preview.html", **more,
        )  # fmt: skip

    def _leave(self, request: HttpRequest, target: Target, count: int) -> HttpResponse:
        if count:
            messages.success(request, self.done_message(count))
        else:
            messages.info(request, _("Nothing differs any more."))
        return HttpResponseRedirect(self.address_after(request, target))
