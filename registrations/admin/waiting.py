"""The waiting list's screen: who waits, and who was offered which place; free places can be offered at once."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.menu import Job
from payments.admin.kit.display import link_to, tells_of
from payments.admin.kit.screens import ReadOnlyAdmin
from registrations.models import WaitingEntry
from registrations.services.waiting_list import offer_places


@admin.register(WaitingEntry)
class WaitingEntryAdmin(ReadOnlyAdmin):
    """Read-only: nobody is put in front of others. The right to change lets somebody offer free places at once."""

    job, position = Job.REGISTRATIONS, 1
    change_list_template = "admin/registrations/waitingentry/change_list.html"
    list_display = ("name", "email", "email_state", "activity", "created_at", "offer_link", "offer_ends")
    list_filter = (
        "email_state",
        ("offered", admin.EmptyFieldListFilter),
    )
    list_select_related = ("activity", "offered")
    ordering = ("activity", "created_at", "pk")
    search_fields = ("email__exact",)
    search_help_text = gettext_lazy("Whole e-mail address.")
    fields = (("name", "email", "email_state"), "activity", ("language", "created_at"), ("offer_link", "offer_ends"))
    readonly_fields = ("offer_link", "offer_ends")

    def get_urls(self) -> list[URLPattern]:
        own = path("offer/", self.admin_site.admin_view(self.offer_view), name="registrations_waitingentry_offer")
        return [own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {"may_offer": self.has_offer_permission(request), **(extra_context or {})}
        return super().changelist_view(request, context)

    def has_offer_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("registrations.change_waitingentry")

    def offer_view(self, request: HttpRequest) -> HttpResponse:
        """What the timetable does every minute, now: free places go to who has waited longest."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_offer_permission(request):
            raise PermissionDenied
        count = offer_places(at=timezone.now())
        made = ngettext("%(count)d person was offered a place.", "%(count)d people were offered a place.", count)
        none = _("No offer was made: no place is free, or nobody waits for it.")
        messages.info(request, made % {"count": count} if count else none)
        return redirect("admin:registrations_waitingentry_changelist")

    @tells_of("registrations.registration", description=gettext_lazy("offer"), ordering="offered")
    def offer_link(self, entry: WaitingEntry) -> str:
        return link_to(entry.offered, entry.offered.get_status_display() if entry.offered else "")

    @tells_of("registrations.registration", description=gettext_lazy("offer ends"), ordering="offered__held_until")
    def offer_ends(self, entry: WaitingEntry) -> Any:
        return entry.offered.held_until if entry.offered else "–"
