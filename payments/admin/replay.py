"""The ledger's one action: replay, after saying what it does and asking why."""

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.admin.actions import apply_to_each
from payments.admin.confirm import confirmation_page, reason_form
from payments.processing.replay import replay_event
from payments.statuses import EventStatus

MOST_AT_ONCE = 500


@admin.action(description=gettext_lazy("Replay the selected events…"), permissions=["replay"])
def replay(screen: admin.ModelAdmin, request: HttpRequest, events: QuerySet) -> TemplateResponse | None:
    """Asks for a reason first, then queues the events again."""
    form = reason_form(request)
    chosen = events.order_by("pk").defer("payload")[:MOST_AT_ONCE]
    if not form.is_valid():
        return confirmation_page(
            screen, request, chosen, form=form, title=_("Replay these events?"),
            consequences=consequences(events), button=_("Replay now"),
        )  # fmt: skip
    at, reason = timezone.now(), form.cleaned_data["reason"]
    apply_to_each(
        request,
        chosen,
        lambda event: replay_event(event=event, by=request.user, reason=reason, at=at),
        done=_("queued again."),
    )
    return None


def consequences(events: QuerySet) -> list[str]:
    """What a replay will do, in sentences; how many there are in each state."""
    names = dict(EventStatus.choices)
    counts = events.order_by().values_list("status").annotate(count=Count("pk"))
    by_state = ", ".join(f"{names[status]}: {count}" for status, count in counts)
    return [
        _("Each event goes down the road once more, through the same rules as on its first day (%(states)s).")
        % {"states": by_state},
        _("What is known already changes nothing, and no mail, alert or refund is sent a second time."),
        _("At most %(count)d events are queued again at once.") % {"count": MOST_AT_ONCE},
    ]
