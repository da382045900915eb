"""Events, deliveries, endpoints, the clock and chaos in the console: their rows, buttons and forms."""

from dataclasses import replace
from functools import partial
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from stripe_emulator import store, timers
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.events import resend
from stripe_emulator.events.chaos import GREATEST, SWITCHES, Chaos, ChaosRefused
from stripe_emulator.models import Delivery, DeliveryAttempt, DeliveryState, Event, StoredObject
from stripe_emulator.pages.common import DAY, HOUR, MINUTE, duration_in_words, local_datetime, state_class
from stripe_emulator.pages.console.actions import Form, Kind, has_status, row_of

EVENT = Kind("event", section="deliveries")
DELIVERY = Kind("delivery", section="deliveries")
DELIVERIES = Kind("", section="deliveries")
ENDPOINT = Kind("webhook_endpoint", section="endpoints")
CLOCK = Kind("", section="clock")
CHAOS = Kind("", section="chaos")
UNITS = {"minutes": MINUTE, "hours": HOUR, "days": DAY}
ENDPOINTS_SHOWN = 16
DELIVERIES_SHOWN, FIRST_WORDS = 30, 60
FAILING = Q(state=DeliveryState.FAILED) | Q(state=DeliveryState.PENDING, attempt_count__gt=0)
STATES = {
    DeliveryState.PENDING: _("waiting"),
    "failing": _("failing"),
    DeliveryState.DELIVERED: _("answered"),
    DeliveryState.FAILED: _("given up"),
    DeliveryState.DROPPED: _("dropped (chaos)"),
    DeliveryState.STOPPED: _("stopped"),
}
CHAOS_LABELS = {
    "seed": _("Seed: the same one gives the same sequence"),
    "duplicates": _("Extra copies of every event"),
    "shuffle": _("Shuffled within so many events"),
    "delay_seconds": _("Delayed by at most, in seconds"),
    "drop_percent": _("Never sent by themselves, in percent"),
    "wrong_livemode_percent": _("With a twin of live mode, in percent"),
    "other_version_percent": _("Other API version, in percent"),
    "slow_seconds": _("Answers come later by, in seconds"),
    "unreachable_percent": _("First try finds nobody, in percent"),
    "lost_answer_percent": _("First answer gets lost, in percent"),
    "same_second": _("All events are created in the same second"),
    "rotation": _("Secrets are being rotated: two signatures"),
}
PRESETS = {
    "off": Chaos(),
    "mild": Chaos(duplicates=1, shuffle=5, delay_seconds=5, unreachable_percent=5),
    "storm": Chaos(
        duplicates=3, shuffle=50, delay_seconds=60, drop_percent=10, same_second=True, wrong_livemode_percent=2,
        other_version_percent=50, rotation=True, unreachable_percent=20, lost_answer_percent=20,
    ),
}  # fmt: skip
PRESET_LABELS = {"off": _("Off"), "mild": _("Mild"), "storm": _("Storm")}


@EVENT.action("event.send", label=_("Send again"), done=_("The event is on its way again."))
def send_event(id: str, form: Form) -> None:
    """To every endpoint that wants it."""
    resend.resend(Event.objects.get(stripe_id=id))


@DELIVERY.action("delivery.send", done=_("The event is on its way again."))
def send_delivery(id: str, form: Form) -> None:
    """To the same endpoint once more; a delivery has a number instead of an id."""
    found = Delivery.objects.select_related("event", "endpoint").get(pk=id)
    resend.resend(found.event, found.endpoint)


@DELIVERIES.action("deliveries.send", done=_("Everything undelivered is on its way again."))
def send_undelivered(id: str, form: Form) -> None:
    resend.resend_undelivered()


def _switch(endpoint: StoredObject, *, at: int, status: str) -> None:
    endpoint.change(status=status)


ENDPOINT.offers(
    "endpoint.disable", _("Disable"), partial(_switch, status="disabled"),
    when=has_status("enabled"), done=_("The endpoint is disabled: nothing is sent there."),
)  # fmt: skip
ENDPOINT.offers(
    "endpoint.enable", _("Enable"), partial(_switch, status="enabled"),
    when=has_status("disabled"), done=_("The endpoint is enabled."),
)  # fmt: skip


@CLOCK.action("clock.advance", is_atomic=False, done=_("The time has passed, and what fell due meanwhile is done."))
def advance(id: str, form: Form) -> None:
    """By the seconds that the button names, else by `count` times `unit` of the form."""
    try:
        seconds = int(id or form.get("count", "")) * (1 if id else UNITS.get(form.get("unit", ""), 0))
        timers.advance(seconds)
    except timers.TooFar:
        longest = {"longest": duration_in_words(timers.LONGEST_ADVANCE)}
        raise StripeRefusal(gettext("The clock only goes forward, by at most %(longest)s at once.") % longest) from None
    except ValueError:
        raise StripeRefusal(gettext("How far is written as a whole number.")) from None


@CHAOS.action("chaos.save", done=_("The chaos settings are saved."))
def save_chaos(id: str, form: Form) -> None:
    """What was sent becomes the settings. Raises StripeRefusal for values that make no sense, and changes nothing."""
    try:
        values: dict[str, Any] = {name: int(form.get(name) or 0) for name in GREATEST}
        values |= {name: form.get(name) == "on" for name in SWITCHES}
        Chaos(**values).save()
    except ChaosRefused as refusal:
        raise StripeRefusal(str(refusal)) from None
    except ValueError:
        raise StripeRefusal(gettext("Every chaos setting is a whole number.")) from None


@CHAOS.action("chaos.preset", done=_("The chaos settings are saved."))
def preset_chaos(id: str, form: Form) -> None:
    """Ready settings, under the seed that is set. Raises StripeRefusal."""
    if id not in PRESETS:
        raise StripeRefusal(gettext("There is no such preset."))
    replace(PRESETS[id], seed=Chaos.current().seed).save()


def chaos_fields(chaos: Chaos) -> list[Json]:
    """Numbers first, then switches (without a `greatest`), each with its present value."""
    return [
        {"name": name, "label": CHAOS_LABELS[name], "value": getattr(chaos, name), "greatest": GREATEST.get(name)}
        for name in (*GREATEST, *SWITCHES)
    ]


def endpoint_rows() -> list[Json]:
    """The newest webhook endpoints."""
    return [_endpoint_row(each) for each in store.find("webhook_endpoint")[:ENDPOINTS_SHOWN]]


def _endpoint_row(endpoint: StoredObject) -> Json:
    data, kinds = endpoint.data, endpoint.data["enabled_events"]
    more = kinds[0] if len(kinds) == 1 else str(len(kinds))
    return row_of(ENDPOINT, endpoint, what=data["url"], more=more, detail=data["api_version"] or "")


def newest_deliveries(*, only_failed: bool, ahead: int) -> list[Json]:
    """The newest deliveries; two queries whatever their number. `ahead`: seconds, as the clock says."""
    found = Delivery.objects.filter(FAILING) if only_failed else Delivery.objects.all()
    return delivery_rows(found.order_by("-pk")[:DELIVERIES_SHOWN], ahead=ahead)


def delivery_rows(deliveries: QuerySet[Delivery], *, ahead: int) -> list[Json]:
    """One row each, with the first words of the last answer."""
    read = ("state", "attempt_count", "due_at", "event__stripe_id", "event__type", "endpoint__stripe_id")
    shown = list(deliveries.select_related("event", "endpoint").only(*read))
    attempts = DeliveryAttempt.objects.filter(delivery__in=[each.pk for each in shown])
    last = {each.delivery_id: each for each in attempts.order_by("delivery_id", "-pk").distinct("delivery_id")}
    return [_delivery_row(delivery, last.get(delivery.pk), ahead=ahead) for delivery in shown]


def _delivery_row(delivery: Delivery, last: DeliveryAttempt | None, *, ahead: int) -> Json:
    """Moments are real ones: when it was tried last, else when it will be if nobody advances the clock."""
    state = "failing" if delivery.state == DeliveryState.PENDING and delivery.attempt_count else delivery.state
    return {
        "id": delivery.pk,
        "type": delivery.event.type,
        "event": delivery.event.stripe_id,
        "endpoint": delivery.endpoint.stripe_id,
        "state": STATES[state],
        "tone": state_class(state),
        "attempt_count": delivery.attempt_count,
        "answer": _in_short(last) if last else "",
        "when": last.sent_at if last else local_datetime(delivery.due_at - ahead),
    }


def _in_short(attempt: DeliveryAttempt) -> str:
    """Words only where something is wrong."""
    return str(attempt.status_code) if attempt.is_accepted else answer_of(attempt)[:FIRST_WORDS]


def answer_of(attempt: DeliveryAttempt) -> str:
    """For example `200 {"received": true}`, or the reason why nobody answered."""
    return f"{attempt.status_code} {attempt.answer}".strip() if attempt.status_code else attempt.error
