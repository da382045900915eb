"""Drills in which what Stripe tells does not arrive: an endpoint that is off, and one whose secret nobody here has."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Max

from payments.endpoints.change import carry_out, ours, plan_switch
from payments.endpoints.wanted import is_enabled, wanted_url
from payments.handlers.registry import handled_types
from payments.ledger.models import PaymentEvent
from payments.stripe_api import endpoints, lookups
from payments.stripe_api.gateway import GatewayRefused
from payments.stripe_api.snapshots import Json
from payments.stripe_api.snapshots.reading import find_object, find_text
from registrations.drills.buyers import (
    ALL_PAID,
    ALL_SEATED,
    NOBODY_PAID_BACK,
    NOT_BY_HAND,
    NOTHING_TWICE,
    SALES_GO_ON,
    USUAL_CARD,
    sell,
)
from registrations.drills.drill import Check, Drill, Finding
from registrations.drills.state import DrillRefused, Run

BUYERS = 10
# In the metadata of an endpoint that a drill has made.
MADE_BY = "drill"


def _switch_off(run: Run) -> None:
    """Ours send nothing any more; which of them did is noted first."""
    found = ours()
    run.endpoints = [str(each["id"]) for each in found.ours if is_enabled(each)]
    if not run.endpoints:
        raise DrillRefused("No enabled endpoint at Stripe leads to this site: `stripe_webhooks plan` says what to do.")
    run.keep()
    carry_out(plan_switch(found, on=False), keep=lambda _secret: None)


def _put_back(run: Run) -> list[str]:
    """The endpoints as they were before the drill."""
    done = []
    for each in _foreign(run):
        endpoints.delete_endpoint(endpoint=str(each["id"]))
        done.append(f"{each['id']} of the drill is deleted")
    for id in run.endpoints:
        try:
            endpoints.update_endpoint(endpoint=id, params={"disabled": False})
            done.append(f"{id} is enabled")
        except GatewayRefused as refusal:
            if refusal.code != "resource_missing":
                raise
            done.append(f"{id} was deleted meanwhile: `manage.py stripe_webhooks apply` makes a new one")
    return done


def _foreign(run: Run) -> list[Json]:
    return [each for each in ours().ours if find_text(find_object(each, "metadata"), MADE_BY) == run.mark]


def _enabled(run: Run) -> Finding:
    off = [id for id in run.endpoints if id not in {each["id"] for each in ours().ours if is_enabled(each)}]
    return Finding(f"Stripe sends nothing to {', '.join(off)}." if off else "")


def _deleted(run: Run) -> Finding:
    known = {each["id"] for each in lookups.webhook_endpoints()}
    gone = [id for id in run.endpoints if id not in known]
    return Finding(f"{', '.join(gone)} is gone, and its secret with it." if gone else "")


def _fetched(run: Run) -> Finding:
    """What Stripe lists since the start and is handled here."""
    since = int((run.started_at - timedelta(seconds=1)).timestamp())
    listed = {
        str(event["id"]) for event in lookups.walk("events", {"created": {"gte": since}})
        if event.get("type") in handled_types()
    }  # fmt: skip
    here = PaymentEvent.objects.filter(stripe_event_id__in=listed)
    if missing := len(listed) - here.count():
        return Finding(f"{missing} of {len(listed)} events are not in the ledger.")
    return Finding(done_at=here.aggregate(last=Max("received_at"))["last"])


def _foreign_off(run: Run) -> Finding:
    on = [str(each["id"]) for each in _foreign(run) if is_enabled(each)]
    return Finding(f"{on[0]} goes on signing with a secret that this site does not know." if on else "")


ENABLED = Check(
    "endpoint-enabled", 25, "our endpoint at Stripe is enabled",
    "Stripe's Dashboard (the emulator's console), or `manage.py stripe_webhooks enable`", _enabled,
)  # fmt: skip
FETCHED = Check(
    "events-fetched", 25, "every event that was missed is in the ledger", "`manage.py stripe_backfill`", _fetched
)
KEPT = Check(
    "endpoint-deleted", 25, "our endpoint is not deleted", "enable it instead: a new one has a new secret", _deleted
)


class Deliveries(Drill):
    """What both have in common: buyers pay, and what Stripe would tell of it does not arrive."""

    traps = (NOBODY_PAID_BACK, NOTHING_TWICE, NOT_BY_HAND, KEPT, SALES_GO_ON)

    def begin(self, run: Run) -> None:
        self.break_it(run)
        sell(run, cards=[USUAL_CARD] * BUYERS)

    def break_it(self, run: Run) -> None:
        _switch_off(run)

    def end(self, run: Run) -> list[str]:
        return _put_back(run)


class LostWebhooks(Deliveries):
    """The endpoint is disabled; Stripe lists what it would have sent, and sends none of it later."""

    name = "lost-webhooks"
    teaches = "what Stripe does not send, it does not send later: enable the endpoint, then fetch"
    ticket = (
        "A buyer writes: “I paid for the pottery class half an hour ago, my bank shows it, but your page still says "
        "that it waits for my payment. Should I pay again?” Four others ask the same."
    )
    hints = (
        "Look at Health: when did the last event arrive?",
        "`manage.py stripe_webhooks plan` compares our endpoint at Stripe with what it should be.",
        "Enable the endpoint. What happened before that only comes by `manage.py stripe_backfill`.",
    )
    checks = (ENABLED, FETCHED, ALL_PAID, ALL_SEATED)


class WrongSecret(Deliveries):
    """A second endpoint leads here, and its secret was told to nobody: every delivery is refused with 400."""

    name = "wrong-secret"
    teaches = "who signs with what: two endpoints at one address, and only one secret that is known here"
    ticket = (
        "A mail from Stripe: “We could not deliver events to your endpoint: it answers 400.” A colleague adds: "
        "“I tidied up the Dashboard this morning, everything looked the same afterwards.” "
        "Buyers who have paid get no confirmation."
    )
    hints = (
        "`manage.py diagnose --webhooks` says why deliveries are refused.",
        "How many endpoints lead to our address? `manage.py stripe_webhooks plan`, or Stripe's Dashboard.",
        "Disable the endpoint that is new, enable the old one, then run `manage.py stripe_backfill`.",
    )
    checks = (
        Check(
            "foreign-off", 20, "the endpoint with the unknown secret is disabled or deleted",
            "Stripe's Dashboard (the emulator's console › Endpoints)", _foreign_off,
        ),
        Check("endpoint-enabled", 20, ENABLED.needed, ENABLED.remedy, _enabled),
        Check("events-fetched", 20, FETCHED.needed, FETCHED.remedy, _fetched),
        Check("orders-paid", 20, ALL_PAID.needed, ALL_PAID.remedy, ALL_PAID.look),
        Check("places-taken", 20, ALL_SEATED.needed, ALL_SEATED.remedy, ALL_SEATED.look),
    )  # fmt: skip

    def break_it(self, run: Run) -> None:
        super().break_it(run)
        endpoints.create_endpoint(
            url=wanted_url(), events=handled_types(), version=settings.STRIPE_API_VERSION, description="Shop (new)",
            metadata={MADE_BY: run.mark},
        )  # fmt: skip
