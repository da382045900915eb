"""Comparing with Stripe, and putting right what differs: shown first, done with a reason, bound to what was shown."""

import json
from collections.abc import Callable
from typing import Any

import structlog
from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from payments.admin.compared import Row, compared, page_of, question_about
from payments.admin.confirm import ReasonForm, confirmation_page
from payments.resync import (
    HasMoved,
    KeepsMoving,
    Resynced,
    ResyncOptions,
    resync_customer,
    resync_order,
    resync_person,
    resync_subscription,
)
from payments.stripe_api.client import in_a_hurry
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from payments.stripe_api.snapshots import MalformedObject

log = structlog.get_logger(__name__)
LONGEST_BY = 60
Resync = Callable[[Any, ResyncOptions], list[Resynced]]


class ShownForm(ReasonForm):
    """The reason, bound to what was shown: `shown` are the fingerprints of the differences, by what they are about."""

    shown = forms.JSONField(widget=forms.HiddenInput)

    def clean_shown(self) -> dict[str, list[str]]:
        shown = self.cleaned_data["shown"]
        if not isinstance(shown, dict):
            raise forms.ValidationError(_("Look at the differences first."))
        return {str(subject): list(prints) for subject, prints in shown.items() if isinstance(prints, list)}


@admin.action(description=gettext_lazy("Compare the selected order with Stripe…"), permissions=["resync"])
def resync_order_action(screen: admin.ModelAdmin, request: HttpRequest, rows: QuerySet) -> HttpResponse | None:
    """One order, its sessions and its money."""
    return _resync(screen, request, rows, lambda order, options: [resync_order(order, options=options)])


@admin.action(description=gettext_lazy("Compare the selected subscription with Stripe…"), permissions=["resync"])
def resync_subscription_action(screen: admin.ModelAdmin, request: HttpRequest, rows: QuerySet) -> HttpResponse | None:
    """One subscription, its invoices and its customer."""
    return _resync(screen, request, rows, lambda row, options: [resync_subscription(row.stripe_id, options=options)])


@admin.action(description=gettext_lazy("Compare the selected customer with Stripe…"), permissions=["resync"])
def resync_customer_action(screen: admin.ModelAdmin, request: HttpRequest, rows: QuerySet) -> HttpResponse | None:
    """One person: who they are, all their subscriptions, and their orders as far as an e-mail address tells them."""
    return _resync(
        screen, request, rows,
        lambda row, options: (
            resync_person(row.email, options=options) if row.email else resync_customer(row, options=options)
        ),
    )  # fmt: skip


def _resync(screen: admin.ModelAdmin, request: HttpRequest, rows: QuerySet, resync: Resync) -> HttpResponse | None:
    chosen = list(rows[:2])
    if len(chosen) != 1:
        messages.warning(request, _("One is compared at a time: choose one."))
        return None
    [row] = chosen
    try:
        with in_a_hurry():
            return _answer(screen, request, row, resync)
    except TROUBLES as trouble:
        log.info("resync.refused", subject=str(row), trouble=repr(trouble))
        messages.error(request, _in_words(trouble))
        return _back(row)


def _answer(screen: admin.ModelAdmin, request: HttpRequest, row: Row, resync: Resync) -> HttpResponse:
    form = ShownForm(request.POST if "confirmed" in request.POST else None)
    if not form.is_valid():
        return _preview(screen, request, row, resync, form=form)
    try:
        options = ResyncOptions(at=timezone.now(), by=_by(request, form), expected=form.cleaned_data["shown"])
        done = resync(row, options)
    except HasMoved as refusal:
        messages.warning(request, _("%s has changed since: this is what differs now.") % refusal)
        return _preview(screen, request, row, resync, form=ShownForm(None))
    _tell(request, sum(len(each.changes) for each in done))
    return _back(row)


def _tell(request: HttpRequest, count: int) -> None:
    if not count:
        messages.info(request, _("Nothing differs any more."))
        return
    told = ngettext("%(count)d difference was put right.", "%(count)d differences were put right.", count)
    messages.success(request, told % {"count": count})


def _preview(
    screen: admin.ModelAdmin, request: HttpRequest, row: Row, resync: Resync, *, form: ShownForm
) -> HttpResponse:
    """Asks Stripe, changes nothing, and shows field by field what differs."""
    found = resync(row, ResyncOptions(at=timezone.now(), dry_run=True))
    form.initial["shown"] = {each.subject: each.fingerprints for each in found}
    if form.is_bound:
        # A reason that is missing must not bind what is shown now to what was shown before.
        form.data = {**request.POST.dict(), "shown": json.dumps(form.initial["shown"])}
    page = confirmation_page(
        screen, request, type(row)._default_manager.filter(pk=row.pk), form=form,
        title=question_about(row, found), consequences=list(map(str, CONSEQUENCES)), button=_("Put right now"),
    )  # fmt: skip
    page.template_name = "admin/payments/confirm_resync.html"
    page.context_data = {**(page.context_data or {}), **compared(row, found)}
    return page


def _by(request: HttpRequest, form: ShownForm) -> str:
    return f"{request.user.get_username()[:LONGEST_BY]}: {form.cleaned_data['reason']}"


def _in_words(trouble: Exception) -> str:
    """What went wrong, and that nothing is lost by it."""
    if isinstance(trouble, GatewayUnavailable | MalformedObject):
        return _("Stripe does not answer at the moment. Nothing was changed by that; try again in a minute.")
    if isinstance(trouble, KeepsMoving):
        return _("%s is changing at this very moment: try again in a minute.") % trouble
    return _("Stripe has refused to tell: %s") % trouble


def _back(row: Row) -> HttpResponseRedirect:
    return HttpResponseRedirect(page_of(row))


TROUBLES = (GatewayUnavailable, GatewayRefused, MalformedObject, KeepsMoving)
CONSEQUENCES = [
    gettext_lazy("What Stripe says replaces what stands here, by the same rules as its events."),
    gettext_lazy("What was bought follows: places, access, questions for staff. No mail goes out a second time."),
    gettext_lazy("It is done only if what differs is still what you see here."),
]
