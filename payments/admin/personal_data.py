"""A person's own data: all of it in one file, or erased from what must be kept; both from the person's page."""

import json
from typing import Any

from django.contrib import messages
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.data_subject import (
    ALIAS_DOMAIN,
    Erased,
    ErasureRefused,
    alias_of,
    erase_individual,
    export_individual,
)
from accounts.hooks import Individual
from accounts.models import User
from payments.admin.kit.actions import Confirmation, screen_action
from payments.admin.kit.display import page_of
from payments.admin.kit.preview import Preview, PreviewedAction, PreviewOutdated, PreviewToken

ERASE = "accounts.erase_personal_data"
CONSEQUENCES = (
    gettext_lazy("Orders, payments and amounts stay, under an address that nobody has: the accounts need them."),
    gettext_lazy("Names, addresses, mails and free text go, also out of what Stripe has told. Nobody can sign in."),
    gettext_lazy(
        "It cannot be undone. At Stripe the customer is deleted in the Dashboard, or a resync brings it back."
    ),
)
# What is erased, by the names that the services give it.
PARTS = {
    "account": gettext_lazy("Account"),
    "acts_of_staff": gettext_lazy("Acts of staff"),
    "stripe_customers": gettext_lazy("Customers at Stripe"),
    "orders": gettext_lazy("Orders"),
    "events_of_stripe": gettext_lazy("Events"),
    "attempts": gettext_lazy("Attempts"),
    "questions": gettext_lazy("Questions"),
    "history": gettext_lazy("History"),
    "mails": gettext_lazy("Mails as sent"),
    "notes_of_mails": gettext_lazy("What was noted of mails"),
    "registrations": gettext_lazy("Registrations"),
    "waiting_lists": gettext_lazy("Entries of waiting lists (deleted)"),
    "module_accesses": gettext_lazy("Accesses"),
    "module_tokens": gettext_lazy("Access tokens"),
}


@screen_action(
    description=gettext_lazy("Export all that is known of the selected person"),
    label=gettext_lazy("Export all that is known"), permission="accounts.export_personal_data",
    only_one=gettext_lazy("One person is exported at a time: choose one."),
)  # fmt: skip
def export_person_action(screen: Any, request: HttpRequest, users: QuerySet) -> HttpResponse:
    """A JSON file for the person themselves; nothing changes."""
    [user] = users
    screen.log_change(request, user, _("All that is known was exported"))
    told = export_individual(Individual(user.email, user), at=timezone.now())
    response = HttpResponse(as_json(told), content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="person-{user.pk}.json"'
    return response


def as_json(told: dict[str, Any]) -> str:
    """For people too: indented, letters as they are."""
    return json.dumps(told, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)


class EraseAction(PreviewedAction[User]):
    """Shows how much of what is erased, or why it is not yet; done only if that is still so."""

    columns = (gettext_lazy("What"), gettext_lazy("Here"), gettext_lazy("Afterwards"))
    button = gettext_lazy("Erase this person")

    def answer(self, screen: Any, request: HttpRequest, target: User) -> HttpResponse:
        try:
            return super().answer(screen, request, target)
        except ErasureRefused as refusal:
            for reason in str(refusal).splitlines():
                messages.warning(request, reason)
            return redirect(page_of(target))

    def preview(self, target: User, *, at: Any) -> Preview:
        found = erase_individual(_individual(target), by="preview", reason="", at=at, dry_run=True)
        erased = _("erased")
        lines = [(str(PARTS.get(name, name)), str(count), erased) for name, count in found.counts.items()]
        return Preview(
            title=_("Erase %s?") % target.email, token=_token(target, found),
            sections=[(alias_of(target.email), lines)] if lines else [], consequences=CONSEQUENCES,
        )  # fmt: skip

    def carry_out(self, target: User, confirmation: Confirmation, *, token: PreviewToken) -> int:
        individual, at = _individual(target), confirmation.at
        now = erase_individual(individual, by=confirmation.author, reason="", at=at, dry_run=True)
        if _token(target, now) != token:
            raise PreviewOutdated(_("Something has changed since: this is what happens now."))
        done = erase_individual(individual, by=confirmation.author, reason=confirmation.reason, at=at)
        target.refresh_from_db()
        return done.total

    def done_message(self, count: int) -> str:
        told = ngettext("Erased from %(count)d row.", "Erased from %(count)d rows.", count)
        return told % {"count": count}

    def address_after(self, request: HttpRequest, target: User) -> str:
        return page_of(target)


def _individual(user: User) -> Individual:
    fresh = User.objects.get(pk=user.pk)
    return Individual(fresh.email, fresh)


def _token(user: User, found: Erased) -> PreviewToken:
    return {str(user.pk): sorted(f"{name}:{count}" for name, count in found.counts.items())}


erase_person_action = EraseAction().as_action(
    "erase_person_action", description=gettext_lazy("Erase the selected person…"), label=gettext_lazy("Erase…"),
    permission=ERASE, only_one=gettext_lazy("One person is erased at a time: choose one."),
    applies_to=lambda user: not user.email.endswith(f"@{ALIAS_DOMAIN}"),
)  # fmt: skip
