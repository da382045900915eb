"""The console's first page: the state in a sentence, then everything that can be pressed."""

from collections.abc import Iterator

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from stripe_emulator import clock, store
from stripe_emulator.events.chaos import Chaos
from stripe_emulator.models import Delivery, DeliveryState, Emulation
from stripe_emulator.pages.console import deliveries, rows
from stripe_emulator.pages.console.chaos import PRESET_LABELS, fields_of
from stripe_emulator.pages.console.page import show
from stripe_emulator.pages.console.words import moment, span


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Everything at a glance; `?deliveries=failed` leaves out the deliveries that went well."""
    only_failed = request.GET.get("deliveries") == "failed"
    emulation = Emulation.current()
    chaos, ahead = Chaos.of(emulation), emulation.ahead
    context = {
        "sentence": list(_sentence(chaos, ahead)),
        "sessions": rows.sessions(),
        "payments": rows.payments(),
        "subscriptions": rows.subscriptions(),
        "deliveries": deliveries.newest(only_failed=only_failed, ahead=ahead),
        "only_failed": only_failed,
        "endpoints": rows.endpoints(),
        "emulated_now": moment(clock.real_now() + ahead),
        "ahead": span(ahead) if ahead else "",
        "steps": [(2100, _("35 minutes")), (86_400, _("1 day")), (2_678_400, _("1 month")), (31_622_400, _("1 year"))],
        "presets": PRESET_LABELS.items(),
        "chaos_fields": fields_of(chaos),
    }
    return show(request, "overview.html", context)


def _sentence(chaos: Chaos, ahead: int) -> Iterator[tuple[str, str]]:
    """The parts of the sentence, each with the section it is about."""
    open_sessions = store.find("checkout.session", status="open").count()
    yield (
        "sessions",
        ngettext("%(count)d session open", "%(count)d sessions open", open_sessions) % {"count": open_sessions},
    )
    yield "deliveries", _deliveries_in_words()
    yield "clock", _("clock %(span)s ahead") % {"span": span(ahead)} if ahead else _("clock on time")
    yield "chaos", _("chaos on") if chaos.is_on else _("chaos off")


def _deliveries_in_words() -> str:
    counts = Delivery.objects.aggregate(
        answered=Count("pk", filter=Q(state=DeliveryState.DELIVERED)),
        failing=Count("pk", filter=deliveries.FAILING),
        waiting=Count("pk", filter=Q(state=DeliveryState.PENDING, tries=0)),
    )
    answered, failing, waiting = counts["answered"], counts["failing"], counts["waiting"]
    words = [ngettext("%(count)d delivery answered", "%(count)d deliveries answered", answered) % {"count": answered}]
    if waiting:
        words.append(ngettext("%(count)d waiting", "%(count)d waiting", waiting) % {"count": waiting})
    if failing:
        words.append(ngettext("%(count)d failing", "%(count)d failing", failing) % {"count": failing})
    return ", ".join(words)
