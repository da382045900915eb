"""Why has somebody (no) access? The chain as staff read it, and the way to the repair."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from modules_access.admin.paid_without import paid_without_page
from modules_access.admin.repairs import repair_page
from modules_access.doctor import Chain, Diagnosis, InvalidQuestion, Link, State, Verdict, diagnose, parse_question
from modules_access.models import AccessType
from payments.admin.base import ListAdmin, link_to
from payments.admin.pills import BAD, GOOD, OFF, pill

TINTS = {State.OK: GOOD, State.BROKEN: BAD, State.NOT_NEEDED: OFF}


class DoctorForm(forms.Form):
    """Who, what, by which order; a person or an order is enough."""

    user = forms.CharField(
        label=gettext_lazy("person"), required=False, max_length=254, help_text=gettext_lazy("E-mail address or id.")
    )
    module = forms.CharField(
        label=gettext_lazy("module"), required=False, max_length=60,
        help_text=gettext_lazy("Its name in addresses, or its id; empty: all that the person has."),
    )  # fmt: skip
    order = forms.CharField(
        label=gettext_lazy("order"), required=False, max_length=255,
        help_text=gettext_lazy("Its number (O-…) or public id, or Stripe’s cs_… or pi_…."),
    )  # fmt: skip

    def diagnose(self) -> Diagnosis | None:
        """The answer; None where something is not known, which then stands beside the form."""
        try:
            question = parse_question(**self.cleaned_data)
            return diagnose(question, at=timezone.now())
        except InvalidQuestion as refusal:
            self.add_error(None, str(refusal))
            return None


class DoctorScreens(ListAdmin):
    """The screens of diagnosis and repair, below the modules'."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("doctor/", wrap(self.doctor_view), name="modules_access_doctor"),
            path("paid-without-access/", wrap(self.paid_without_view), name="modules_access_paid_without"),
            path("repair/", wrap(self.repair_view), name="modules_access_repair"),
            *super().get_urls(),
        ]

    def doctor_view(self, request: HttpRequest) -> HttpResponse:
        """Why (no) access? GET only asks."""
        self._require(request)
        return doctor_page(self, request)

    def paid_without_view(self, request: HttpRequest) -> HttpResponse:
        """Who has paid and is not let in."""
        self._require(request)
        return paid_without_page(self, request, at=timezone.now())

    def repair_view(self, request: HttpRequest) -> HttpResponse:
        """Puts right what was chosen on one of the two; asks first."""
        self._require(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return repair_page(self, request, at=timezone.now())

    def _require(self, request: HttpRequest) -> None:
        if not request.user.has_perm("modules_access.diagnose_access"):
            raise PermissionDenied


def doctor_page(screen: admin.ModelAdmin, request: HttpRequest) -> TemplateResponse:
    """The form and, once something is asked, the answer."""
    names = {name: request.GET.get(name, "") for name in DoctorForm.base_fields}
    form = DoctorForm(names if any(names.values()) else None)
    found = form.diagnose() if form.is_valid() else None
    context: dict[str, Any] = {
        **screen.admin_site.each_context(request),
        "title": _("Why (no) access?"),
        "opts": screen.opts,
        "form": form,
        "verdicts": [_of_verdict(verdict) for verdict in found.verdicts] if found else [],
        "query": request.GET.urlencode(),
    }
    return TemplateResponse(request, "admin/modules_access/doctor.html", context)


def _of_verdict(verdict: Verdict) -> dict[str, Any]:
    broken = verdict.best.broken
    state = pill(pgettext("access", "lets in"), GOOD) if verdict.is_fine else pill(pgettext("access", "closed"), BAD)
    return {
        "person": link_to(verdict.user) if verdict.user else verdict.who, "module": verdict.module, "state": state,
        "broken": _of_link(broken) if broken else None, "repairs": verdict.repairs,
        "chains": [_of_chain(chain) for chain in verdict.chains],
    }  # fmt: skip


def _of_chain(chain: Chain) -> dict[str, Any]:
    by = AccessType(chain.access_type).label if chain.access_type else ""
    return {"title": f"{by} {chain.source}".strip(), "links": _of_links(chain.links)}


def _of_links(links: Iterable[Link]) -> list[dict[str, Any]]:
    return [_of_link(link) for link in links]


def _of_link(link: Link) -> dict[str, Any]:
    return {
        "name": names()[link.name], "pill": _pill(link), "sentence": link.sentence, "remedy": link.remedy,
        "command": link.command, "page": link_to(link.about, pgettext("link to a page", "Open")) if link.about else "",
    }  # fmt: skip


def _pill(link: Link) -> SafeString:
    words = {
        State.OK: pgettext("link of a chain", "holds"),
        State.BROKEN: pgettext("link of a chain", "broken"),
        State.NOT_NEEDED: pgettext("link of a chain", "not needed"),
    }
    return pill(words[link.state], TINTS[link.state])


def names() -> dict[str, str]:
    """What the links are called."""
    return {
        "account": pgettext("link of a chain", "Account"),
        "payment": pgettext("link of a chain", "Payment"),
        "event": pgettext("link of a chain", "Event"),
        "order": pgettext("link of a chain", "Order or plan"),
        "access": pgettext("link of a chain", "Access"),
        "token": pgettext("link of a chain", "Token"),
        "encours": pgettext("link of a chain", "Page “My modules”"),
    }
