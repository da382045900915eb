"""The pages of the console, and the one address that acts."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from stripe_emulator import clock, store
from stripe_emulator.errors import CardDeclined, StripeRefusal
from stripe_emulator.events.chaos import Chaos
from stripe_emulator.events.payload import render
from stripe_emulator.models import Delivery, DeliveryAttempt, DeliveryState, Emulation, Event, StoredObject
from stripe_emulator.pages.common import SeeOther, duration_in_words, local_datetime
from stripe_emulator.pages.console import billing, payments, tools
from stripe_emulator.pages.console.actions import ACTIONS, Action, Button
from stripe_emulator.pages.console.page import address, back_to, is_known, not_found, pretty, show
from stripe_emulator.store import serialize_changes

EVENTS_SHOWN, ATTEMPTS_SHOWN = 50, 100
KINDS = {
    kind.name: kind
    for kind in (payments.SESSION, payments.DISPUTE, billing.INVOICE, billing.SUBSCRIPTION, tools.ENDPOINT)
}


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Everything at a glance; `?deliveries=failed` leaves out the deliveries that went well."""
    only_failed = request.GET.get("deliveries") == "failed"
    emulation = Emulation.current()
    chaos, ahead = Chaos.of(emulation), emulation.ahead
    context = {
        "sentence": list(_status_sentence(chaos, ahead)),
        "sessions": payments.session_rows(),
        "payments": payments.payment_rows(),
        "subscriptions": billing.subscription_rows(),
        "deliveries": tools.newest_deliveries(only_failed=only_failed, ahead=ahead),
        "only_failed": only_failed,
        "endpoints": tools.endpoint_rows(),
        "emulated_now": local_datetime(clock.real_now() + ahead),
        "ahead": duration_in_words(ahead) if ahead else "",
        "steps": [(2100, _("35 minutes")), (86_400, _("1 day")), (2_678_400, _("1 month")), (31_622_400, _("1 year"))],
        "presets": tools.PRESET_LABELS.items(),
        "chaos_fields": tools.chaos_fields(chaos),
    }
    return show(request, "overview.html", context)


def _status_sentence(chaos: Chaos, ahead: int) -> Iterator[tuple[str, str]]:
    """The parts of the sentence, each with the section it is about."""
    count = store.find("checkout.session", status="open").count()
    yield "sessions", ngettext("%(count)d session open", "%(count)d sessions open", count) % {"count": count}
    yield "deliveries", _deliveries_in_words()
    yield "clock", _("clock %(span)s ahead") % {"span": duration_in_words(ahead)} if ahead else _("clock on time")
    yield "chaos", _("chaos on") if chaos.is_on else _("chaos off")


def _deliveries_in_words() -> str:
    counts = Delivery.objects.aggregate(
        answered=Count("pk", filter=Q(state=DeliveryState.DELIVERED)),
        failing=Count("pk", filter=tools.FAILING),
        waiting=Count("pk", filter=Q(state=DeliveryState.PENDING, attempt_count=0)),
    )
    answered, failing, waiting = counts["answered"], counts["failing"], counts["waiting"]
    words = [ngettext("%(count)d delivery answered", "%(count)d deliveries answered", answered) % {"count": answered}]
    if waiting:
        words.append(ngettext("%(count)d waiting", "%(count)d waiting", waiting) % {"count": waiting})
    if failing:
        words.append(ngettext("%(count)d failing", "%(count)d failing", failing) % {"count": failing})
    return ", ".join(words)


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """To the page of the id."""
    id = request.GET.get("id", "").strip()
    return HttpResponseRedirect(address(id)) if id and is_known(id) else not_found(request)


@require_safe
def show_object(request: HttpRequest, id: str) -> HttpResponse:
    """`data` of an object, what can be pressed, and its events."""
    stored = get_object_or_404(StoredObject, stripe_id=_sendable(id))
    events = Event.objects.filter(object_id=id).only("stripe_id", "type", "created").order_by("-number")[:EVENTS_SHOWN]
    context = {
        "stored": stored,
        "born": local_datetime(stored.created),
        "json": pretty(stored.data),
        "pay_page": urlsplit(stored.data["url"] or "").path if stored.kind == "checkout.session" else "",
        "buttons": _offered(stored),
        "events": [(each.stripe_id, each.type, local_datetime(each.created)) for each in events],
    }
    return show(request, "object.html", context)


def _offered(stored: StoredObject) -> list[Button]:
    if stored.is_deleted:
        return []
    if stored.kind == "payment_intent":
        return payments.payment_buttons(payments.payments_of([stored])[0])
    kind = KINDS.get(stored.kind)
    return kind.buttons(stored.stripe_id, stored) if kind else []


@require_safe
def show_event(request: HttpRequest, id: str) -> HttpResponse:
    """The payload in the account's version, the deliveries and every attempt with its answer."""
    event = get_object_or_404(Event, stripe_id=_sendable(id))
    newest = Delivery.objects.filter(event=event).order_by("-pk")[: tools.DELIVERIES_SHOWN]
    attempts = DeliveryAttempt.objects.filter(delivery__event=event).order_by("-pk")
    context = {
        "event": event,
        "born": local_datetime(event.created),
        "json": pretty(render(event, event.api_version)),
        "deliveries": tools.delivery_rows(newest, ahead=clock.ahead()),
        "attempts": [_attempt(each) for each in attempts.select_related("delivery__endpoint")[:ATTEMPTS_SHOWN]],
        "buttons": tools.EVENT.buttons(id, event),
    }
    return show(request, "event.html", context)


def _attempt(attempt: DeliveryAttempt) -> dict[str, object]:
    return {
        "endpoint": attempt.delivery.endpoint.stripe_id,
        "sent_at": attempt.sent_at,
        "milliseconds": round(attempt.seconds * 1000),
        "answer": tools.answer_of(attempt),
        "tone": "good" if attempt.is_accepted else "bad",
    }


@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """`do` is "session.pay cs_test_…"; `next` is where to go back. Raises Http404 for what there is not."""
    name, _, id = request.POST.get("do", "").partition(" ")
    kind, action = ACTIONS.get(name, (None, None))
    if kind is None or action is None or not kind.has(_sendable(id)):
        raise Http404
    next_url = request.POST.get("next", "/")
    try:
        done = _carry_out(action, id, request) or name
    except StripeRefusal as refusal:
        return SeeOther(back_to(next_url, section=kind.section, refused=refusal.message))
    return SeeOther(back_to(next_url, section=kind.section, done=done))


def _sendable(id: str) -> str:
    """The id, if PostgreSQL can be asked for it. Raises Http404 for one with a zero byte."""
    if "\0" in id:
        raise Http404
    return id


def _carry_out(action: Action, id: str, request: HttpRequest) -> str | None:
    """Nothing is left of what was refused; but what a bank has declined is an outcome and stays."""
    if not action.is_atomic:
        return action.run(id, request.POST)
    with transaction.atomic():
        serialize_changes()
        try:
            return action.run(id, request.POST)
        except CardDeclined as decline:
            outcome = decline
    raise outcome
