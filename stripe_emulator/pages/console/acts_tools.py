"""Buttons of deliveries, endpoints, the clock and chaos."""

from django.utils.translation import gettext as _

from stripe_emulator import timers
from stripe_emulator.errors import StripeRefusal
from stripe_emulator.events import resending
from stripe_emulator.models import Delivery, Event
from stripe_emulator.pages.console import chaos as chaos_form
from stripe_emulator.pages.console.actions import Given, action, locked
from stripe_emulator.pages.console.words import DAY, HOUR, MINUTE, span

ENDPOINT = "webhook_endpoint"
UNITS = {"minutes": MINUTE, "hours": HOUR, "days": DAY}


@action("event.send", section="deliveries", kind="event")
def send_event(id: str, given: Given) -> None:
    """To every endpoint that wants it."""
    resending.resend(Event.objects.get(stripe_id=id))


@action("delivery.send", section="deliveries", kind="delivery")
def send_delivery(id: str, given: Given) -> None:
    """To the same endpoint once more; a delivery has a number instead of an id."""
    found = Delivery.objects.select_related("event", "endpoint").get(pk=id)
    resending.resend(found.event, found.endpoint)


@action("deliveries.send", section="deliveries")
def send_undelivered(id: str, given: Given) -> None:
    resending.resend_undelivered()


@action("endpoint.disable", section="endpoints", kind=ENDPOINT)
def disable(id: str, given: Given) -> None:
    locked(ENDPOINT, id)[0].change(status="disabled")


@action("endpoint.enable", section="endpoints", kind=ENDPOINT)
def enable(id: str, given: Given) -> None:
    locked(ENDPOINT, id)[0].change(status="enabled")


@action("clock.advance", section="clock", is_atomic=False)
def advance(id: str, given: Given) -> None:
    """By the seconds that the button names, else by `count` times `unit` of the form."""
    try:
        seconds = int(id or given.get("count", "")) * (1 if id else UNITS.get(given.get("unit", ""), 0))
        timers.advance(seconds)
    except timers.TooFar:
        longest = {"longest": span(timers.LONGEST_ADVANCE)}
        raise StripeRefusal(_("The clock only goes forward, by at most %(longest)s at once.") % longest) from None
    except ValueError:
        raise StripeRefusal(_("How far is written as a whole number.")) from None


@action("chaos.save", section="chaos")
def save_chaos(id: str, given: Given) -> None:
    chaos_form.save(given)


@action("chaos.preset", section="chaos")
def preset_chaos(id: str, given: Given) -> None:
    chaos_form.save_preset(id)
