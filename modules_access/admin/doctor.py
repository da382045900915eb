"""Why has somebody (no) access? The chain as staff read it, and the way to the repair."""

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

from modules_access.admin.repairs import missing_page, repair_page
from modules_access.doctor import (
    Chain,
    Conclusion,
    Diagnosis,
    InvalidQuestion,
    Link,
    LinkState,
    diagnose,
    parse_question,
)
from modules_access.models import AccessType
from payments.admin.kit.display import BAD, GOOD, OFF, link_to, pill
from payments.admin.kit.screens import ListAdmin

LINK_TINTS = {LinkState.OK: GOOD, LinkState.BROKEN: BAD, LinkState.NOT_NEEDED: OFF}


class DoctorForm(forms.Form):
    """Who, what, by which order; a person or an order is enough."""

    user = forms.CharField(
        label=gettext_lazy("person"), required=False, max_length=254, help_text=gettext_lazy("E-mail address or id.")
    )
    module = forms.CharField(
        label=gettext_lazy("module"), required=False, max_length=60,
        help_text=gettext_lazy("Its name in addresses, or its id; leave empty for all of the person's modules."),
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
            path("paid-without-access/", wrap(self.missing_view), name="modules_access_paid_without"),
            path("repair/", wrap(self.repair_view), name="modules_access_repair"),
            *super().get_urls(),
        ]

    def doctor_view(self, request: HttpRequest) -> HttpResponse:
        """Why (no) access? GET only asks."""
        self._require(request)
        return doctor_page(self, request)

    def missing_view(self, request: HttpRequest) -> HttpResponse:
        """Who has paid and is not let in."""
        self._require(request)
        return missing_page(self, request, at=timezone.now())

    def repair_view(self, request: HttpRequest) -> HttpResponse:
        """Puts right what was chosen on either page; shows it and asks first."""
        self._require(request, "modules_access.repair_access")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return repair_page(self, request)

    def _require(self, request: HttpRequest, permission: str = "modules_access.diagnose_access") -> None:
        if not request.user.has_perm(permission):
            raise PermissionDenied


def doctor_page(screen: admin.ModelAdmin, request: HttpRequest) -> TemplateResponse:
    """The form and, once something is asked, the answer."""
    asked = {name: request.GET.get(name, "") for name in DoctorForm.base_fields}
    form = DoctorForm(asked if any(asked.values()) else None)
    found = form.diagnose() if form.is_valid() else None
    context: dict[str, Any] = {
        **screen.admin_site.each_context(request),
        "title": _("Why (no) access?"),
        "opts": screen.opts,
        "form": form,
        "verdicts": [_verdict_context(verdict) for verdict in found.verdicts] if found else [],
        "query": request.GET.urlencode(),
    }
    return TemplateResponse(request, "admin/modules_access/doctor.html", context)


def _verdict_context(verdict: Conclusion) -> dict[str, Any]:
    broken = verdict.best.broken
    state = (
        pill(pgettext("access", "grants access"), GOOD) if verdict.is_fine else pill(pgettext("access", "closed"), BAD)
    )
    return {
        "person": link_to(verdict.user) if verdict.user else verdict.who, "module": verdict.module, "state": state,
        "broken": _link_context(broken) if broken else None, "repairs": verdict.repairs,
        "chains": [_chain_context(chain) for chain in verdict.chains],
    }  # fmt: skip


def _chain_context(chain: Chain) -> dict[str, Any]:
    by = AccessType(chain.access_type).label if chain.access_type else ""
    return {"title": f"{by} {chain.source}".strip(), "links": [_link_context(link) for link in chain.links]}


def _link_context(link: Link) -> dict[str, Any]:
    return {
        "name": link_names()[link.name], "pill": _link_pill(link), "sentence": link.sentence, "remedy": link.remedy,
        "command": link.command, "page": link_to(link.about, pgettext("link to a page", "Open")) if link.about else "",
    }  # fmt: skip


def _link_pill(link: Link) -> SafeString:
    words = {
        LinkState.OK: pgettext("link of a chain", "OK"),
        LinkState.BROKEN: pgettext("link of a chain", "broken"),
        LinkState.NOT_NEEDED: pgettext("link of a chain", "not needed"),
    }
    return pill(words[link.state], LINK_TINTS[link.state])


def link_names() -> dict[str, str]:
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
