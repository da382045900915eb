"""The waiting list's screen: who waits, and who was offered which place."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy

from accounts.menu import Job
from accounts.personal import PEOPLE_HELP, people_called, shown_name
from payments.admin.kit.display import link_to, tells_of
from payments.admin.kit.screens import ReadOnlyAdmin
from registrations.models import WaitingEntry


@admin.register(WaitingEntry)
class WaitingEntryAdmin(ReadOnlyAdmin):
    """Read-only: nobody is put in front of others. Free places are offered at once from the activity's page."""

    job, position = Job.REGISTRATIONS, 1
    list_display = ("person", "email", "email_state", "activity", "created_at", "offer_link", "offer_ends")
    list_filter = (
        "email_state",
        ("offered", admin.EmptyFieldListFilter),
    )
    list_select_related = ("activity", "offered")
    ordering = ("activity", "created_at", "pk")
    search_fields = ("email__exact",)
    search_help_text = PEOPLE_HELP
    fields = (("person", "email", "email_state"), "activity", ("language", "created_at"), ("offer_link", "offer_ends"))
    readonly_fields = ("person", "offer_link", "offer_ends")

    def search_condition(self, term: str) -> Q | None:
        return people_called(term)

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def person(self, entry: WaitingEntry) -> str:
        return shown_name(entry.name)

    @tells_of("registrations.registration", description=gettext_lazy("offer"), ordering="offered")
    def offer_link(self, entry: WaitingEntry) -> str:
        return link_to(entry.offered, entry.offered.get_status_display() if entry.offered else "")

    @tells_of("registrations.registration", description=gettext_lazy("offer ends"), ordering="offered__held_until")
    def offer_ends(self, entry: WaitingEntry) -> Any:
        return entry.offered.held_until if entry.offered else "–"
