"""Opens an incident: notes how things stand, throws the switches, tells people. Events are received all the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

import structlog
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from payments.bell import ring_on_commit
from payments.effects.enqueue import EffectRequest, enqueue
from payments.endpoints.change import CannotChange, Plan, carry_out, ours, plan_switch
from payments.handlers.registry import handled_types
from payments.incidents.mails import OPENED, people_to_tell
from payments.incidents.models import Incident
from payments.incidents.report import figures_at
from payments.incidents.switches import forget
from payments.ledger.models import ALL_TYPES, HeldType
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable

log = structlog.get_logger(__name__)
NO_ENDPOINTS = Plan([])


class IncidentRefused(ValueError):
    """What was asked for cannot be done; the text says why. Nothing has happened."""


class EndpointsLeft(RuntimeError):
    """The incident is open, but Stripe did not disable all of our endpoints; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """What an incident is to switch. `hold`: event types, or ALL_TYPES alone; without any, processing goes on."""

    pause_sales: bool = False
    hold: Sequence[str] = ()
    disable_endpoints: bool = False
    notify_people: bool = False


def open_incident(*, reason: str, by: str, switches: Switches, ends_at: datetime | None, at: datetime) -> Incident:
    """Returns the incident. Not to be called inside a transaction.

    Raises IncidentRefused, and EndpointsLeft where all but the endpoints is switched.
    """
    _require_sense(reason, switches, ends_at, at=at)
    plan = _plan_to_disable() if switches.disable_endpoints else NO_ENDPOINTS
    asked = Incident(
        reason=reason.strip(), opened_at=at, opened_by=by, ends_at=ends_at, pauses_sales=switches.pause_sales,
        notifies_people=switches.notify_people, endpoints=[step.endpoint for step in plan.steps],
    )  # fmt: skip
    try:
        incident = _keep(asked, switches.hold, at=at)
    except IntegrityError:
        raise IncidentRefused(_("An incident is open already: close that one first.")) from None
    forget()
    log.warning(
        "incident.opened", incident=incident.pk, by=by, reason=incident.reason, sales_paused=incident.pauses_sales,
        held=incident.held, endpoints=incident.endpoints, ends_at=ends_at,
    )  # fmt: skip
    try:
        # No step makes a secret.
        carry_out(plan, keep=_no_secret)
    except (GatewayUnavailable, GatewayRefused) as trouble:
        raise EndpointsLeft(str(trouble)) from trouble
    return incident


def _require_sense(reason: str, switches: Switches, ends_at: datetime | None, *, at: datetime) -> None:
    if not reason.strip():
        raise IncidentRefused(_("An incident needs a reason."))
    if len(reason.strip()) > Incident._meta.get_field("reason").max_length:  # type: ignore[operator]
        raise IncidentRefused(_("The reason is too long: 500 characters at most."))
    if ends_at is not None and ends_at <= at:
        raise IncidentRefused(_("The expected end lies in the past."))
    for name in switches.hold:
        if name != ALL_TYPES and name not in handled_types():
            raise IncidentRefused(_("%(type)s is no event type that is handled here.") % {"type": name})
    if Incident.objects.filter(closed_at__isnull=True).exists():
        raise IncidentRefused(_("An incident is open already: close that one first."))


def _plan_to_disable() -> Plan:
    try:
        return plan_switch(ours(), on=False)
    except (CannotChange, GatewayUnavailable, GatewayRefused) as trouble:
        raise IncidentRefused(
            _("The endpoints at Stripe cannot be disabled: %(why)s Open the incident without that.")
            % {"why": str(trouble)}
        ) from trouble


@transaction.atomic
def _keep(incident: Incident, hold: Sequence[str], *, at: datetime) -> Incident:
    """The row, its holds, and the mails. What somebody holds already stays theirs."""
    incident.before = figures_at(at=at)
    incident.save(force_insert=True)
    known = set(HeldType.objects.values_list("type", flat=True))
    incident.held = [name for name in dict.fromkeys(hold) if name not in known]
    incident.save(update_fields=["held"])
    reason = f"{incident.opened_by}: {incident.reason}"[:500]
    HeldType.objects.bulk_create(
        HeldType(type=name, reason=reason, ends_at=incident.ends_at, incident=incident) for name in incident.held
    )
    wanted = [EffectRequest(f"{OPENED}:{incident.pk}", OPENED, None, {"incident": incident.pk})]
    wanted += people_to_tell(incident) if incident.notifies_people else []
    enqueue(wanted, at=at)
    ring_on_commit()
    return incident


def _no_secret(_secret: str) -> NoReturn:
    raise AssertionError("switching an endpoint makes no secret")
