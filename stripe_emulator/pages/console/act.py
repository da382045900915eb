"""The one address that acts: a POST that names an action and an id, answered by a redirect to where it came from."""

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from stripe_emulator.errors import CardDeclined, StripeRefusal
from stripe_emulator.models import Delivery, Event, StoredObject
from stripe_emulator.pages.answers import SeeOther
from stripe_emulator.pages.console import acts_billing, acts_payments, acts_tools
from stripe_emulator.pages.console.actions import ACTIONS, Action
from stripe_emulator.pages.console.page import back_to
from stripe_emulator.store import one_at_a_time

MODULES = (acts_payments, acts_billing, acts_tools)


@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """`do` is "session.pay cs_test_…"; `next` is where to go back. Raises Http404 for what there is not."""
    name, _, id = request.POST.get("do", "").partition(" ")
    action = ACTIONS.get(name)
    if action is None or "\0" in id or not _is_there(action, id):
        raise Http404
    told = request.POST.get("next", "/")
    try:
        done = _carry_out(action, id, request) or name
    except StripeRefusal as refusal:
        return SeeOther(back_to(told, section=action.section, refused=refusal.message))
    return SeeOther(back_to(told, section=action.section, done=done))


def _carry_out(action: Action, id: str, request: HttpRequest) -> str | None:
    """Nothing is left of what was refused; but what a bank has declined is an outcome and stays."""
    if not action.is_atomic:
        return action.act(id, request.POST)
    with transaction.atomic():
        one_at_a_time()
        try:
            return action.act(id, request.POST)
        except CardDeclined as decline:
            outcome = decline
    raise outcome


def _is_there(action: Action, id: str) -> bool:
    if action.kind == "event":
        return Event.objects.filter(stripe_id=id).exists()
    if action.kind == "delivery":
        return id.isdecimal() and len(id) < 19 and Delivery.objects.filter(pk=id).exists()
    return not action.kind or StoredObject.objects.filter(kind=action.kind, stripe_id=id).exists()
