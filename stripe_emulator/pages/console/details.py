"""One object or one event, with everything that is linked to it."""

from urllib.parse import urlsplit

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from stripe_emulator import clock
from stripe_emulator.events.shape import render
from stripe_emulator.models import Delivery, DeliveryAttempt, Event, StoredObject
from stripe_emulator.pages.console import buttons, deliveries, rows
from stripe_emulator.pages.console.buttons import Button
from stripe_emulator.pages.console.links import address, is_known, pretty
from stripe_emulator.pages.console.page import not_found, show
from stripe_emulator.pages.console.words import moment

EVENTS, ATTEMPTS = 50, 100
OFFERED = {
    "checkout.session": buttons.of_session,
    "dispute": buttons.of_dispute,
    "invoice": buttons.of_invoice,
    "subscription": buttons.of_subscription,
    "webhook_endpoint": buttons.of_endpoint,
}


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """To the page of the id."""
    id = request.GET.get("id", "").strip()
    return HttpResponseRedirect(address(id)) if id and is_known(id) else not_found(request)


@require_safe
def show_object(request: HttpRequest, id: str) -> HttpResponse:
    """`data` of an object, what can be pressed, and its events."""
    stored = StoredObject.objects.filter(stripe_id=id).first() if "\0" not in id else None
    if stored is None:
        raise Http404
    events = Event.objects.filter(object_id=id).only("stripe_id", "type", "created").order_by("-number")[:EVENTS]
    context = {
        "stored": stored,
        "born": moment(stored.created),
        "json": pretty(stored.data),
        "pay_page": urlsplit(stored.data["url"] or "").path if stored.kind == "checkout.session" else "",
        "buttons": _offered(stored),
        "events": [(each.stripe_id, each.type, moment(each.created)) for each in events],
    }
    return show(request, "object.html", context)


def _offered(stored: StoredObject) -> list[Button]:
    if stored.is_deleted:
        return []
    if stored.kind == "payment_intent":
        return rows.payments_of([stored])[0].buttons
    offer = OFFERED.get(stored.kind)
    return offer(stored) if offer else []


@require_safe
def show_event(request: HttpRequest, id: str) -> HttpResponse:
    """The payload in the account's version, the deliveries and every attempt with its answer."""
    event = Event.objects.filter(stripe_id=id).first() if "\0" not in id else None
    if event is None:
        raise Http404
    newest = Delivery.objects.filter(event=event).order_by("-pk")[: deliveries.SHOWN]
    attempts = DeliveryAttempt.objects.filter(delivery__event=event).order_by("-pk")
    context = {
        "event": event,
        "born": moment(event.created),
        "json": pretty(render(event, event.api_version)),
        "deliveries": deliveries.rows(newest, ahead=clock.ahead()),
        "attempts": [_attempt(each) for each in attempts.select_related("delivery__endpoint")[:ATTEMPTS]],
        "buttons": [Button("event.send", id, _("Send again"))],
    }
    return show(request, "event.html", context)


def _attempt(attempt: DeliveryAttempt) -> dict[str, object]:
    return {
        "endpoint": attempt.delivery.endpoint.stripe_id,
        "sent_at": attempt.sent_at,
        "milliseconds": round(attempt.seconds * 1000),
        "answer": deliveries.answer_of(attempt),
        "tone": "good" if 200 <= (attempt.status_code or 0) < 300 else "bad",
    }
