"""What staff can do with rows: needs a right of its own, is asked for on a page between, and is done row by row."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar, cast

import structlog
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from accounts.personal import reading
from accounts.trace import asked_for, changes_between, sentence, values_of
from payments.admin.kit.display import link_to, page_of
from payments.apply.outcome import Outcome, fingerprints_of, outcome_of
from payments.sql import kept_or_untold, watching

log = structlog.get_logger(__name__)
ROWS_LISTED = 20
ROWS_AT_ONCE = 100
REFUSALS_TOLD = 5
REASON_MAX_CHARS = 500
CONFIRMED = "confirmed"
# Only to be shown what would happen with what was filled in; and the fingerprints of what was shown.
LOOK, SHOWN = "look", "shown"
AUTHOR_MAX_CHARS = 60
T = TypeVar("T")
Text = str | Promise
Done = Text | Callable[[int], str]
Consequences = Iterable[Text] | Callable[[QuerySet], Iterable[Text]]


class ScreenAction:
    """An action of a list, and a button on the page of each row to which it applies.

    `permission`: the right that it needs ("payments.add_refund"); nobody else sees or runs it. `label`: the button's
    words, where those of the list say too much. `only_one`: what somebody reads who has chosen several rows; without
    it any number will do. `query`: of the list in which the row is looked for ("?ended=shown").
    """

    do_not_call_in_templates = True

    def __init__(
        self, run: Callable[..., Any], *, description: Text, permission: str, label: Text = "",
        applies_to: Callable[[Any], bool] = lambda _row: True, only_one: Text = "", query: str = "",
    ) -> None:  # fmt: skip
        # Under these two Django lists an action.
        self.__name__, self.short_description = run.__name__, description
        self.run, self.permission, self.only_one = run, permission, only_one
        self.name, self.label, self.applies_to, self.query = run.__name__, label or description, applies_to, query
        self.description = description

    def __call__(self, screen: admin.ModelAdmin, request: HttpRequest, rows: QuerySet) -> HttpResponse | None:
        chosen = rows[:2] if self.only_one else rows
        if self.only_one and len(chosen) != 1:
            messages.warning(request, str(self.only_one))
            return None
        return self.answer(screen, request, chosen)

    def answer(self, screen: admin.ModelAdmin, request: HttpRequest, rows: QuerySet) -> HttpResponse | None:
        """What the browser gets; None: the list again."""
        response: HttpResponse | None = self.run(screen, request, rows)
        return response

    def is_allowed(self, request: HttpRequest) -> bool:
        """Whether whoever asks has the right."""
        return request.user.has_perm(self.permission)


def screen_action(**options: Any) -> Callable[[Callable[..., Any]], ScreenAction]:
    """Make the decorated `(screen, request, rows) -> HttpResponse | None` an action; `options` as of ScreenAction."""
    return partial(ScreenAction, **options)


class ReasonField(forms.CharField):
    """Why somebody does this."""

    def __init__(self, **options: Any) -> None:
        usual = {
            "label": gettext_lazy("Reason"),
            "max_length": REASON_MAX_CHARS,
            "help_text": gettext_lazy("Kept with what happens now, for whoever asks later."),
            "widget": forms.TextInput(attrs={"class": "vTextField"}),
        }
        super().__init__(**{**usual, **options})


class ReasonForm(forms.Form):
    """Asks why; `rows` are what it is about."""

    required_css_class = "required"
    reason = ReasonField()

    def __init__(self, data: Mapping[str, Any] | None, *, rows: QuerySet | None = None, **options: Any) -> None:
        super().__init__(data, **options)
        self.rows = rows


class NothingToConfirm(Exception):
    """Raised by a form that is of no use: the text says why, and the row's own page shows it."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Who has agreed to an action, when and why. `fields`: all that the form has asked."""

    screen: Any
    request: HttpRequest
    by: User
    at: datetime
    reason: str
    fields: Mapping[str, Any]

    @property
    def author(self) -> str:
        """Who and why, as histories keep it."""
        return f"{self.by.get_username()[:AUTHOR_MAX_CHARS]}: {self.reason}"


class ConfirmedAction(ScreenAction):
    """An action that says first what it will do and asks for a reason; then it is done for each row.

    `run` gets a row and the Confirmation; a ValueError of it is a refusal, which is told and counted. A response that
    it returns is shown instead of the list. `done`: what the count of rows is followed by, or a function of it; "": it
    tells more itself. `title` and `consequences` may be functions of the rows that are chosen; such a title names them,
    so that the page lists them no more. `order` and `limit`: for which of them it is done. `in_transaction`: whether a
    row is undone as a whole where it fails; False for services that ask Stripe and own their transactions.

    `previews`: `run` is tried first and rolled back, and the page shows all that it would bring about; it is done only
    if that is still so. For services that do nothing but write. `preview`: what finds that out otherwise, of the form.
    """

    def __init__(
        self, run: Callable[[Any, Confirmation], Any], *, title: Text | Callable[[QuerySet], str], button: Text,
        consequences: Consequences, done: Done = "", form: Callable[..., ReasonForm] = ReasonForm,
        order: tuple[str, ...] = ("pk",), limit: int | None = ROWS_AT_ONCE, in_transaction: bool = True,
        previews: bool = False, preview: Callable[[Any], Outcome | None] | None = None, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(run, **options)
        self.title, self.button, self.consequences, self.done = title, button, consequences, done
        self.form, self.order, self.limit, self.in_transaction = form, order, limit, in_transaction
        self.previews, self.preview = previews, preview

    def answer(self, screen: admin.ModelAdmin, request: HttpRequest, rows: QuerySet) -> HttpResponse | None:
        ordered = rows if self.only_one else rows.order_by(*self.order)
        chosen = rows if self.only_one else ordered[: self.limit]
        try:
            form = self.form(confirmed_data(request), rows=chosen)
        except NothingToConfirm as reason:
            messages.warning(request, str(reason))
            return redirect(page_of(chosen[0]))
        if not form.is_valid() or LOOK in request.POST:
            if LOOK in request.POST:
                # Who only looks need not say why.
                form.errors.pop("reason", None)
            return self._ask(screen, request, form, ordered, chosen)
        given = form.cleaned_data
        confirmation = Confirmation(screen, request, signed_in(request), timezone.now(), given["reason"], given)
        details, responses = sentence(*asked_for(form)), list[HttpResponse | None]()
        done = self._do(
            chosen, lambda row: responses.append(self._run_and_tell(row, confirmation, details)), _shown(request)
        )
        if done is None:
            messages.warning(request, _("Something has changed since: this is what happens now."))
            return self._ask(screen, request, form, ordered, chosen)
        tell(request, *done, done=self.done)
        return next(filter(None, responses), None)

    def _do(
        self, rows: QuerySet, service: Callable[[Any], Any], shown: set[str] | None
    ) -> tuple[int, Counter[str]] | None:
        """How many were done, and why others were refused; None: something else than what was shown, so nothing."""
        if not self.previews or shown is None:
            return each_of(rows, service, in_transaction=self.in_transaction)
        with kept_or_untold(), watching() as seen:
            done = each_of(rows, service)
            has_moved = not set(fingerprints_of(seen)) <= shown
            transaction.set_rollback(has_moved)
        return None if has_moved else done

    def _ask(
        self, screen: admin.ModelAdmin, request: HttpRequest, form: ReasonForm, ordered: QuerySet, chosen: QuerySet
    ) -> HttpResponse:
        outcome = self._outcome(screen, request, form, chosen)
        with reading(request):
            return confirmation_page(
                screen, request, form=form, title=_resolved(self.title, chosen), button=self.button,
                consequences=_resolved(self.consequences, ordered), rows=None if callable(self.title) else chosen,
                outcome=outcome, shown=" ".join(outcome.fingerprints) if outcome else "", can_look=bool(self.preview),
            )  # fmt: skip

    def _outcome(
        self, screen: admin.ModelAdmin, request: HttpRequest, form: ReasonForm, rows: QuerySet
    ) -> Outcome | None:
        """What it would bring about; None where nobody can tell."""
        if self.preview:
            return self.preview(form)
        if not self.previews:
            return None
        confirmation = Confirmation(screen, request, signed_in(request), timezone.now(), _("preview"), {})
        with kept_or_untold(), watching() as seen:
            refused = each_of(rows.all(), lambda row: self.run(row, confirmation))[1]
            outcome = outcome_of(seen)
            transaction.set_rollback(True)
        outcome.refusals += refused
        return outcome

    def _run_and_tell(self, row: Any, confirmation: Confirmation, details: str) -> HttpResponse | None:
        """What was done stands in the row's history: who, when, why, and its values before → after."""
        before, key = values_of(row), row.pk
        response: HttpResponse | None = self.run(row, confirmation)
        row.pk = key  # what deletes a row takes its key away
        changes = changes_between(before, values_of(row))
        told = sentence(str(self.description).rstrip("…"), confirmation.reason, details, *changes)
        confirmation.screen.log_change(confirmation.request, row, told)
        return response


def _shown(request: HttpRequest) -> set[str] | None:
    """What stands for what the page has shown; None: a page that showed nothing."""
    return set(request.POST[SHOWN].split()) if SHOWN in request.POST else None


def _resolved(value: Any, rows: QuerySet) -> Any:
    return value(rows) if callable(value) else value


def confirmed_action(**options: Any) -> Callable[[Callable[[Any, Confirmation], Any]], ConfirmedAction]:
    """Make the decorated `(row, confirmation)` an action that asks first; `options` as of the two classes above."""
    return partial(ConfirmedAction, **options)


def confirmed_data(request: HttpRequest) -> QueryDict | None:
    """What was filled in on the page between; None when the action has just been chosen."""
    return request.POST if CONFIRMED in request.POST or LOOK in request.POST else None


def signed_in(request: HttpRequest) -> User:
    """The member of staff who asks: the admin lets nobody else in."""
    return cast(User, request.user)


def confirmation_page(
    screen: admin.ModelAdmin, request: HttpRequest, *, form: ReasonForm, title: Text, button: Text,
    consequences: Iterable[Text], rows: QuerySet | None = None, template: str = "admin/kit/confirm.html", **more: Any,
) -> TemplateResponse:  # fmt: skip
    """Asks; sends the same action again with the rows that were chosen. `rows`: those that it lists and leads to."""
    context = {
        **screen.admin_site.each_context(request),
        "title": title,
        "form": form,
        "opts": screen.opts,
        "rows": [link_to(row) for row in rows[:ROWS_LISTED]] if rows is not None else (),
        "more": max(0, rows.count() - ROWS_LISTED) if rows is not None else 0,
        "consequences": consequences,
        "button": button,
        "action": request.POST["action"],
        "select_across": request.POST.get("select_across", "0"),
        "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "chosen_name": ACTION_CHECKBOX_NAME,
        **more,
    }
    return TemplateResponse(request, template, context)


def apply_to_each(
    request: HttpRequest, rows: Iterable[T], service: Callable[[T], Any], *, done: Done, in_transaction: bool = True
) -> int:
    """Call the service for each row; tell how many were done and why others were refused. Returns the former."""
    succeeded, refused = each_of(rows, service, in_transaction=in_transaction)
    tell(request, succeeded, refused, done=done)
    return succeeded


def each_of(rows: Iterable[T], service: Callable[[T], Any], *, in_transaction: bool = True) -> tuple[int, Counter[str]]:
    """Call the service for each row. Returns how many were done, and how many were refused for which reason."""
    succeeded, refused = 0, Counter[str]()
    for row in rows:
        try:
            with transaction.atomic() if in_transaction else nullcontext():
                service(row)
        except ValueError as refusal:
            log.info("action.refused", row=str(row), reason=str(refusal))
            refused[str(refusal)] += 1
        except Exception as error:
            # Our own mistake: the other rows must not suffer from it, and somebody must see it.
            log.exception("action.failed", row=str(row))
            refused[str(error) or type(error).__name__] += 1
        else:
            succeeded += 1
    return succeeded, refused


def tell(request: HttpRequest, succeeded: int, refused: Counter[str], *, done: Done) -> None:
    """Say how many were done, and why others were refused."""
    _tell_done(request, succeeded, done)
    _tell_refused(request, refused)


def _tell_done(request: HttpRequest, count: int, done: Done) -> None:
    if count and done:
        messages.success(request, done(count) if callable(done) else f"{count} {done}")


def _tell_refused(request: HttpRequest, refused: Counter[str]) -> None:
    for reason, count in refused.most_common(REFUSALS_TOLD):
        refusal = ngettext("%(count)d refused: %(reason)s", "%(count)d refused: %(reason)s", count)
        messages.warning(request, refusal % {"count": count, "reason": reason})
    if len(refused) > REFUSALS_TOLD:
        messages.warning(request, _("More were refused for other reasons: the log has them all."))
